"""Records and the SQL that fills them are bound by name: nothing can be swapped, left out or left over in silence."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import api
import domain
import projections
from domain.store import Store
from domain.store.select_list import Each, Known, SelectList, Whole

ROOT = Path(__file__).parents[3]


class Name(NamedTuple):
    """Two texts, which no type tells apart."""

    first: str
    last: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Another record within, and a list of them."""

    name: Name
    city: str
    friends: list[Name]
    best: Name
    country: str = "Germany"


NAME = SelectList(Name, last="p.last", first="p.first")
CARD = SelectList(
    Card,
    best=Whole(NAME, "p.best"),
    friends=Each(NAME, "FROM friends p"),
    city="p.city",
    name=NAME,
)


def test_columns_stand_in_the_order_of_the_fields_whatever_the_order_they_are_given_in() -> None:
    assert NAME.sql == SelectList(Name, first="p.first", last="p.last").sql == "p.first, p.last"


def test_a_row_is_read_by_the_same_order() -> None:
    assert NAME.read(("Ada", "Lovelace")) == Name(first="Ada", last="Lovelace")
    assert NAME.read_all([("Ada", "Lovelace"), ("Bo", "Diddley")]) == [("Ada", "Lovelace"), ("Bo", "Diddley")]


def test_records_within_records_take_the_columns_that_are_theirs() -> None:
    assert CARD.sql == "p.first, p.last, p.city, ARRAY(SELECT ROW(p.first, p.last) FROM friends p), p.best"
    assert CARD.width == 5
    read = CARD.read(["Ada", "Lovelace", "London", [("Bo", "Diddley")], ("Cy", "Twombly")])
    assert read == Card(
        name=Name("Ada", "Lovelace"), city="London", friends=[Name("Bo", "Diddley")], best=Name("Cy", "Twombly")
    )


def test_what_is_known_takes_no_column() -> None:
    short = SelectList(Name, first="p.first", last=Known("Lovelace"))
    assert (short.sql, short.width, short.read(["Ada"])) == ("p.first", 1, Name("Ada", "Lovelace"))


def test_who_reads_bytes_finds_a_field_by_its_name() -> None:
    assert [CARD.column(name) for name in ("name", "city", "friends", "best")] == [0, 2, 3, 4]
    with pytest.raises(KeyError, match="country"):
        CARD.column("country")


def test_a_field_without_sql_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="each field of Name has one source: last"):
        SelectList(Name, first="p.first")


def test_sql_without_a_field_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="each field of Name has one source: middle"):
        SelectList(Name, first="p.first", last="p.last", middle="p.middle")


def test_a_row_of_another_width_is_no_row_of_these_columns() -> None:
    with pytest.raises((TypeError, AssertionError)):
        NAME.read(["Ada"])
    with pytest.raises(AssertionError):
        CARD.read(["Ada", "Lovelace", "London", [], ("Cy", "Twombly"), "Rome"])


def test_no_row_and_a_row_of_an_outer_join_that_found_none_are_no_record() -> None:
    assert NAME.find(None) is None
    assert NAME.find((None, None)) is None
    assert NAME.find((None, "Lovelace")) is not None


def test_the_database_answers_with_the_columns_as_they_are_read(store: Store) -> None:
    people = SelectList(Name, last="p.l", first="p.f")
    card = SelectList(
        Card,
        friends=Each(people, "FROM (VALUES ('Bo', 'Diddley')) AS p (f, l)"),
        name=people,
        country="p.country",
        city="p.city",
        best=Whole(people, "ROW(p.f, p.l)"),
    )
    sql = f"SELECT {card.sql} FROM (VALUES ('Ada', 'Lovelace', 'London', 'England')) AS p (f, l, city, country)"
    found = card.find(store.statements.row(sql, binary=True))
    ada = Name("Ada", "Lovelace")
    assert found == Card(name=ada, city="London", friends=[Name("Bo", "Diddley")], best=ada, country="England")


# what the product declares

OTHERWISE_CALLED = {
    # a field, and the column it is of: their names differ for a reason that stands beside the record
    ("Account", "password_hash"): {"hash"},
    ("LiveSession", "user_created_at"): {"created_at"},
    ("LiveSession", "user_updated_at"): {"updated_at"},
    ("LiveKey", "user_created_at"): {"created_at"},
    ("LiveKey", "user_updated_at"): {"updated_at"},
    ("LiveKey", "active_organization_id"): {"organization_id"},
    ("LiveKey", "seen_at"): {"used_at"},
    ("LiveKey", "ip_address"): {"used_ip_address"},
    ("LiveKey", "user_agent"): {"used_user_agent"},
    ("KeySeen", "at"): {"used_at"},
    ("KeySeen", "ip_address"): {"used_ip_address"},
    ("KeySeen", "user_agent"): {"used_user_agent"},
    ("Subject", "subject_id"): {"user_id", "subject_id"},
    ("Seen", "started_at"): {"created_at"},
    ("PasswordDates", "set_at"): {"created_at"},
    ("LiveSession", "active_organization_id"): {"organization_id"},
    ("SessionRow", "active_organization_id"): {"organization_id"},
    ("InvitationRow", "organization_name"): {"name"},
    ("InvitationRow", "organization_slug"): {"slug"},
    ("InvitationRow", "inviter_email"): {"email"},
    ("StoredRow", "command_body"): {"body"},
    ("StoredRow", "command_sealed"): {"sealed"},
    ("StoredRow", "command_subject_id"): {"subject_id"},
    ("StoredRow", "command_wrapped"): {"wrapped"},
    ("OpenableRow", "command_body"): {"body"},
    ("OpenableRow", "command_sealed"): {"sealed"},
    ("OpenableRow", "command_subject_id"): {"subject_id"},
    ("OpenableRow", "command_wrapped"): {"wrapped"},
    ("LinkToMail", "account_email"): {"email"},
    ("DeliveryCondition", "waiting"): {"number"},
    ("DeliveryCondition", "seconds_waiting"): {"seconds"},
    ("Generation", "table"): {"table_name"},
    ("CalledNow", "stream_id"): {"user_id", "organization_id"},
}


def select_lists() -> Iterator[tuple[str, SelectList[Any]]]:
    """All that the product declares, those within others among them."""
    for package in (domain, projections, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                for name, value in vars(importlib.import_module(module.name)).items():
                    if isinstance(value, SelectList):
                        yield from within(f"{module.name}.{name}", value)


def within(name: str, one: SelectList[Any]) -> Iterator[tuple[str, SelectList[Any]]]:
    yield name, one
    for field, source in one.sources.items():
        if isinstance(source, Each | Whole):
            source = source.record
        if isinstance(source, SelectList):
            yield from within(f"{name}.{field}", source)


def test_a_field_is_filled_by_the_column_of_its_name() -> None:
    wrong = []
    seen = set()
    for place, one in select_lists():
        for field, source in one.sources.items():
            key = (one.record_name, field)
            if isinstance(source, str) and (plain := re.fullmatch(r"(?:\w+\.)?(\w+)", source)):
                seen.add(key)
                if plain[1] not in OTHERWISE_CALLED.get(key, {field}):
                    wrong.append(f"{place}: {field} is filled by {source}")
    assert not wrong
    assert len(seen) > 100, "they were found at all"
    assert not set(OTHERWISE_CALLED) - seen, "what is not declared any more needs no exception"


BY_POSITION = re.compile(r"^(_make|[A-Z]\w*)$")


def test_nothing_else_makes_a_record_of_a_row_by_position() -> None:
    found = []
    for file in [file for package in ("domain", "projections", "api") for file in (ROOT / package).rglob("*.py")]:
        if file == ROOT / "domain/store/select_list.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                starred = any(isinstance(one, ast.Starred) and isinstance(one.value, ast.Name) for one in node.args)
                if name == "_make" or (starred and BY_POSITION.match(name)):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {name}")
    assert not found
