"""A page of the members of a large organization costs what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from domain.store.connections import Statements, Values
from projections.lists.full_organization import full_organization
from projections.lists.member_list import MemberRow
from projections.lists.member_search import Filter, Order, members_of
from tests.databases import Database
from tests.people import NOON
from tests.projections.lists.large import MEMBERS, World, built
from tests.projections.plans import INDEXED, Overheard, nodes, overheard, plan_of, read_rows

PAGE = 50
FEW = 4 * PAGE
"""Rows: a page, and as many once more for each list beside it."""
FURTHER = 50 * PAGE
LOOKED_AT = 5_001
"""Rows, to see whether an organization is large and a word is common before a search."""
SECOND = timedelta(seconds=1)
Question = Callable[[Statements, World], object]


@pytest.fixture(scope="module")
def world(module_database: Database) -> World:
    return built(module_database)


@pytest.fixture
def read(module_database: Database) -> Iterator[Overheard]:
    with overheard(module_database) as read:
        yield read


OLDEST = Order()


def page(order: Order = OLDEST, **only: Any) -> Question:
    return lambda read, world: members_of(read, world.large.organization_id, order=order, limit=PAGE, **only)


LATE = NOON + timedelta(seconds=MEMBERS - PAGE)
QUESTIONS: dict[str, tuple[Question, int | None]] = {
    "the first page": (page(), None),
    "a page further on": (page(offset=FURTHER), None),
    "the newest": (page(Order(descending=True)), None),
    "by role": (page(Order(field="role")), None),
    "the admins": (page(filtered=Filter(field="role", operator="eq", value="admin")), FEW),
    "who is one of two": (page(filtered=Filter(field="role", operator="in", value=["admin", "owner"])), FEW),
    "who joined late": (page(filtered=Filter(field="createdAt", operator="gte", value=LATE)), FEW),
    "who joined early": (page(filtered=Filter(field="createdAt", operator="lt", value=NOON + PAGE * SECOND)), FEW),
    "a name": (page(search="zo"), FEW),
    "two words of a name": (page(search="ada 4711"), FEW),
    "an address": (page(search="person4711"), FEW),
    "nobody's name": (page(search="nobody"), FEW),
    "a name of nearly everybody's": (page(search="ada"), None),
    "who of nearly everybody's name is an admin": (
        page(search="number", filtered=Filter(field="role", operator="eq", value="admin")),
        None,
    ),
    "with everybody": (
        lambda read, world: full_organization(
            read, world.large.organization_id, world.owner.user_id, most_members=PAGE
        ),
        FEW,
    ),
}
"""What is asked, and how many rows a total may count: None for everybody, in whatever way the database likes."""


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_page_of_many_members_reads_and_sorts_what_it_shows(
    world: World, read: Overheard, explaining: psycopg.Connection[Values], question: str, mode: str
) -> None:
    read.heard.clear()
    ask, total = QUESTIONS[question]
    assert ask(read, world)
    for text, values in read.heard:
        most = FEW + (FURTHER if question == "a page further on" else 0)
        if text.startswith("SELECT CASE"):
            most = LOOKED_AT
        elif "count(*)" in text:
            if total is None:
                continue
            most = total
        for node in nodes(plan_of(explaining, text, values, mode)):
            kind, table = node["Node Type"], node.get("Relation Name")
            assert table is None or kind in INDEXED, (kind, table, text)
            assert table is None or read_rows(node) <= most, (kind, table, text)
            assert "Sort" not in kind or node["Actual Rows"] * node["Actual Loops"] <= FEW, (kind, text)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"search": "zo"}, lambda one: one.name.startswith("Zoë")),
        ({"search": "PERSON47"}, lambda one: one.email.startswith("person47")),
        ({"search": "ada 47"}, lambda one: one.name.startswith("Ada Number-47")),
        ({"search": "num"}, lambda one: one.name != ""),
        ({"filtered": Filter(field="role", operator="eq", value="admin")}, lambda one: one.role == "admin"),
        (
            {"filtered": Filter(field="role", operator="in", value=["owner", "admin", "owner", "nobody"])},
            lambda one: one.role in {"owner", "admin"},
        ),
        (
            {"search": "zo", "filtered": Filter(field="role", operator="ne", value="admin")},
            lambda one: one.name.startswith("Zoë") and one.role != "admin",
        ),
    ],
)
def test_a_page_shows_whom_looking_at_everybody_would_find(
    world: World, read: Overheard, asked: dict[str, Any], meant: Callable[[MemberRow], bool], *, descending: bool
) -> None:
    everybody, _ = members_of(read, world.large.organization_id)
    assert len(everybody) == MEMBERS
    order = Order(descending=descending)
    found, total = members_of(read, world.large.organization_id, order=order, limit=PAGE, offset=7, **asked)
    expected = [one for one in (reversed(everybody) if descending else everybody) if meant(one)]
    assert total == len(expected)
    assert found == expected[7 : 7 + PAGE]
