"""Finding somebody among the members (wire.md A24)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import Person
from tests.people import PASSWORD

PEOPLE = {
    "ada": ("Ada Lovelace", "Countess@Engine.Example.com"),
    "anna": ("Anna-Maria de la Cruz", "amc@example.com"),
    "oneil": ("Shaquille O'Neil", "shaq@example.com"),
    "edith": ("Édith  Piaf\tÖztürk", "sparrow-hawk@example.com"),
    "sly": (r"C:\Temp (x) & y | !z:* <-> \"q\"", "sly+tag@example.com"),
    "nameless": ("", "zed.zulu@example.com"),
    "jurgen": ("Ju\u0308rgen Gro\u00df", "juergen@example.com"),
    "obrien": ("Fay O\u2019Brien", "fay@example.com"),
    "wide": ("\uff2b\uff45\uff4e", "wide@example.com"),
    "capitals": ("ΟΔΥΣΣΕΥΣ İNCE", "itaca@example.com"),
}


@pytest.fixture(scope="module")
def ann(url: str, module_clock: HandClock) -> Person:
    """Who is turned to an organization with all of these, and is called none of that."""
    owner = Person(url, "Kim")
    for key, (name, email) in PEOPLE.items():
        device = Browser(url)
        link = f"/join?invitationId={owner.invites(email)}"
        answer = device.post(
            "/sign-up/email", {"name": name, "email": email, "password": PASSWORD, "callbackURL": link}
        )
        assert answer.status == 200, key
    return owner


def found(ann: Person, search: str, query: str = "") -> list[str]:
    """Whom a search finds; the total is as many."""
    answer: Any = ann.told(f"list-members?search={quote(search, safe='')}{query}")
    emails = [member["user"]["email"] for member in answer["members"]]
    if not query:
        assert answer["total"] == len(emails)
    keys = {email.lower(): key for key, (_, email) in PEOPLE.items()}
    return [keys.get(email, "kim") for email in emails]


@pytest.mark.parametrize(
    ("search", "keys"),
    [
        ("ada", ["ada"]),
        ("Ad", ["ada"]),
        ("LOVE", ["ada"]),
        ("lovelace", ["ada"]),
        ("ada love", ["ada"]),
        ("  ada   lovelace ", ["ada"]),
        ("ada cruz", []),
        ("velace", []),
        ("lovelaces", []),
        ("countess", ["ada"]),
        ("countess@engine.example.com", ["ada"]),
        ("COUNTESS@E", ["ada"]),
        ("engine", []),
        ("anna", ["anna"]),
        ("maria", ["anna"]),
        ("anna-maria", ["anna"]),
        ("anna-mar", ["anna"]),
        ("Anna Maria", ["anna"]),
        ("la", ["anna"]),
        ("cru", ["anna"]),
        ("o'n", ["oneil"]),
        ("O'NEIL", ["oneil"]),
        ("shaq", ["oneil"]),
        ("piaf", ["edith"]),
        ("öz", ["edith"]),
        ("édi", ["edith"]),
        ("ÉDI", ["edith"]),
        ("ÖZTÜRK", ["edith"]),
        ("sparrow", ["edith"]),
        ("hawk@ex", ["edith"]),
        ("sparrow-hawk@example.com", ["edith"]),
        ("sly+t", ["sly"]),
        ("zed", ["nameless"]),
        ("zed.zulu@", ["nameless"]),
        ("zulu", []),
        ("ΟΔΥΣΣΕΥΣ", ["capitals"]),
        ("ΟΔΥΣ", ["capitals"]),
        ("οδυσ", ["capitals"]),
        ("İnce", ["capitals"]),
        ("j\u00fcrg", ["jurgen"]),
        ("JU\u0308RGEN", ["jurgen"]),
        ("gross", ["jurgen"]),
        ("Gro\u00df", ["jurgen"]),
        ("o'brien", ["obrien"]),
        ("o\u2019brien", ["obrien"]),
        ("O\u2018B", ["obrien"]),
        ("o\u2019neil", ["oneil"]),
        ("ken", ["wide"]),
        ("nobody", []),
        ("c:\\t", ["sly"]),
        ("(x)", ["sly"]),
        ("!z:*", ["sly"]),
        ("!z", ["sly"]),
        ("&", ["sly"]),
        ("| !z", ["sly"]),
        ("<->", ["sly"]),
    ],
)
def test_somebody_is_found_by_the_start_of_a_word_of_name_or_address(ann: Person, search: str, keys: list[str]) -> None:
    assert found(ann, search) == keys


@pytest.mark.parametrize(
    "search",
    ["'", "''", "\\", "\\'", "'\\", "\"", ":", "*", ":*", "'x':*", "&", "|", "!", "!!", "(", ")", "()", "<", "<->",
     "<1>", "a & !b", "ada | kim", "ada:*", "ada:A", "ada' & 'kim", "%", "_", "$1", "{0}", "\0", "a\0b", "\n",
     "\u00a0", "\u2028", "\ud7ff", "🎻", "İ", "ß", "ﬁ", "é" * 200, "\\" * 200, "'" * 200, "- - -", "-" * 200,
     "x " * 100, "; DROP TABLE events"],
)  # fmt: skip
def test_hostile_searches_never_break_it(ann: Person, search: str) -> None:
    answer = ann.asks(f"list-members?search={quote(search, safe='')}")
    assert answer.status in (200, 400), answer.content
    if answer.status == 400:
        assert answer.problem == (400, "VALIDATION_ERROR")


def test_nothing_searched_for_leaves_all(ann: Person) -> None:
    assert found(ann, "") == found(ann, " ") == ["kim", *PEOPLE]


def test_a_search_is_paged_sorted_and_filtered(ann: Person) -> None:
    everybody = found(ann, "s")
    assert everybody == ["oneil", "edith", "sly"]
    assert found(ann, "s", "&sortDirection=desc") == everybody[::-1]
    assert [found(ann, "s", f"&limit=1&offset={offset}") for offset in range(4)] == [["oneil"], ["edith"], ["sly"], []]
    assert ann.told("list-members?search=s&limit=1")["total"] == 3
    assert found(ann, "s", "&filterField=role&filterValue=owner") == []
    assert found(ann, "k", "&filterField=role&filterValue=owner") == ["kim"]


def test_who_was_renamed_is_found_by_the_new_name(url: str, clock: HandClock) -> None:
    ada = Person(url, "Ada")
    ada.post("/update-user", {"name": "Grace Hopper"})
    assert ada.told("list-members?search=hop")["total"] == 1
    assert ada.told("list-members?search=grace")["total"] == 1


def test_only_members_are_found(ann: Person, url: str, clock: HandClock) -> None:
    stranger = Person(url, "Lovely")
    assert found(ann, "lovely") == []
    ann.takes_in(stranger)
    assert ann.told("list-members?search=lovely")["total"] == 1
    ann.done("remove-member", memberIdOrEmail=stranger.email)
    assert found(ann, "lovely") == []
