"""The members of an organization: whole, in pages, in an order, filtered (wire.md §10, A11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ACTIVE, NO_ID, Person, new_slug

FOREIGN = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
JOINED = tuple(f"2026-03-14T12:00:00.00{number}Z" for number in range(4))
"""When Ada, Bo, Cy and Dee joined."""


@dataclass
class Acme:
    """An organization of four, who joined a millisecond apart: Ada the owner, Bo an admin, Cy and Dee members."""

    ada: Person
    organization_id: str
    slug: str
    members: list[str]
    people: list[str]

    def whole(self, **query: object) -> Any:
        """The answer."""
        answer = self.ada.asks(f"list-members?{urlencode({'organizationId': self.organization_id, **query})}")
        assert answer.status == 200, answer.content
        assert set(answer.json()) == {"members", "total"}
        return answer.json()

    def listed(self, **query: object) -> list[str]:
        """Whom it lists, by their ids as members; the total is as many."""
        answer = self.whole(**query)
        ids = [member["id"] for member in answer["members"]]
        assert answer["total"] == len(ids)
        return ids

    def filtered(self, field: str, operator: str, value: str) -> list[str]:
        """Whom a filter leaves."""
        return self.listed(filterField=field, filterOperator=operator, filterValue=value)


@pytest.fixture(scope="module")
def acme(url: str, module_clock: HandClock) -> Acme:
    ada = Person(url, "Ada")
    organization_id = ada.founds(slug := new_slug())
    members, people = [ada.member_id()], [ada.user_id]
    for name, role in (("Bo", "admin"), ("Cy", "member"), ("Dee", "member")):
        module_clock.wind(milliseconds=1)
        person = Person(url, name)
        members.append(ada.takes_in(person, role))
        people.append(person.user_id)
    return Acme(ada, organization_id, slug, members, people)


def test_the_list_is_whole_in_the_order_of_joining(acme: Acme) -> None:
    answer = acme.whole()
    assert answer["total"] == 4
    assert answer["members"][0] == {
        "id": acme.members[0],
        "organizationId": acme.organization_id,
        "userId": acme.people[0],
        "role": "owner",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "user": {"id": acme.people[0], "name": "Ada", "email": acme.ada.email, "image": None},
    }
    assert [member["id"] for member in answer["members"]] == acme.members
    assert [member["user"]["name"] for member in answer["members"]] == ["Ada", "Bo", "Cy", "Dee"]
    assert tuple(member["createdAt"] for member in answer["members"]) == JOINED


def test_it_is_that_of_the_active_organization_unless_another_is_named(acme: Acme, bo: Person) -> None:
    ada = acme.ada
    assert ada.told("list-members")["total"] == 4
    assert ada.told(f"list-members?organizationId=&organizationSlug={acme.slug}")["total"] == 4
    # named by both, the slug is meant, as in Better Auth
    both = f"organizationId={ada.own}&organizationSlug={acme.slug}"
    assert ada.told(f"list-members?{both}")["total"] == 4
    assert ada.told(f"get-organization?{both}")["id"] == acme.organization_id
    assert ada.told(f"get-full-organization?{both}")["id"] == acme.organization_id
    assert ada.asks(f"get-organization?organizationId={ada.own}&organizationSlug=nobody").status == 400
    assert bo.told("list-members")["members"][0]["userId"] == bo.user_id
    assert bo.asks(f"list-members?organizationId={acme.organization_id}").problem == FOREIGN
    assert bo.asks(f"list-members?organizationSlug={acme.slug}").problem == FOREIGN
    assert bo.asks(f"list-members?organizationId={NO_ID}").problem == FOREIGN
    assert bo.asks("list-members?organizationId=x").problem == FOREIGN
    assert bo.asks("list-members?organizationSlug=nobody").problem == (400, "ORGANIZATION_NOT_FOUND")
    bo.done("set-active", organizationId=None)
    assert bo.asks("list-members").problem == NO_ACTIVE
    assert Browser(bo.url).get("/organization/list-members").problem == (401, "UNAUTHORIZED")
    assert Browser(bo.url).get("/organization/list-members?sortBy=x").problem == (400, "VALIDATION_ERROR")


def test_pages_follow_each_other_and_totals_are_of_all(acme: Acme) -> None:
    for limit in (1, 2, 3, 4, 5):
        pages = [acme.whole(limit=limit, offset=offset) for offset in range(0, 4, limit)]
        assert [member["id"] for page in pages for member in page["members"]] == acme.members
        assert {page["total"] for page in pages} == {4}
    for beyond in (acme.whole(limit=2, offset=4), acme.whole(offset=9)):
        assert beyond == {"members": [], "total": 4}
    assert acme.whole(offset=3) == {"members": acme.whole()["members"][3:], "total": 4}
    assert acme.whole(limit=1, filterField="role", filterValue="member")["total"] == 2


def test_without_a_limit_or_with_none_it_is_whole(acme: Acme) -> None:
    for none in ("0", "", "x", "2abc", "NaN"):
        assert acme.listed(limit=none, offset="") == acme.members
    assert acme.listed(limit=2**31 - 1) == acme.members


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("createdAt", [0, 1, 2, 3]),
        ("role", [1, 2, 3, 0]),
        ("organizationId", [0, 1, 2, 3]),
        ("id", [0, 1, 2, 3]),
        ("userId", [0, 1, 2, 3]),
    ],
)
def test_it_is_sorted_by_every_field_both_ways(acme: Acme, field: str, order: list[int]) -> None:
    """Ids are given in the order of time."""
    ascending = [acme.members[number] for number in order]
    assert acme.listed(sortBy=field) == acme.listed(sortBy=field, sortDirection="asc") == ascending
    assert acme.listed(sortBy=field, sortDirection="desc") == ascending[::-1]
    paged = [acme.whole(sortBy=field, limit=1, offset=offset)["members"][0]["id"] for offset in range(4)]
    assert paged == ascending


@pytest.mark.parametrize(
    ("operator", "value", "left"),
    [
        ("eq", "member", [2, 3]),
        ("eq", "Member", []),
        ("ne", "member", [0, 1]),
        ("lt", "member", [1]),
        ("lte", "member", [1, 2, 3]),
        ("gt", "member", [0]),
        ("gte", "member", [0, 2, 3]),
        ("in", "owner,admin", [0, 1]),
        ("in", "owner", [0]),
        ("in", "nothing", []),
        ("not_in", "owner,admin", [2, 3]),
        ("not_in", "nothing", [0, 1, 2, 3]),
        ("contains", "m", [1, 2, 3]),
        ("contains", "%", []),
        ("contains", "_", []),
        ("starts_with", "mem", [2, 3]),
        ("starts_with", "em", []),
        ("ends_with", "er", [0, 2, 3]),
        ("ends_with", "mi", []),
        ("ends_with", "a longer text than any role", []),
    ],
)
def test_every_operator_filters_by_role(acme: Acme, operator: str, value: str, left: list[int]) -> None:
    assert acme.filtered("role", operator, value) == [acme.members[number] for number in left]


@pytest.mark.parametrize(
    ("operator", "left"),
    [("eq", [1]), ("ne", [0, 2, 3]), ("lt", [0]), ("lte", [0, 1]), ("gt", [2, 3]), ("gte", [1, 2, 3]), ("in", [1]),
     ("not_in", [0, 2, 3])],
)  # fmt: skip
@pytest.mark.parametrize("field", ["id", "userId", "createdAt"])
def test_ids_and_times_are_compared(acme: Acme, field: str, operator: str, left: list[int]) -> None:
    value = {"id": acme.members[1], "userId": acme.people[1], "createdAt": JOINED[1]}[field]
    assert acme.filtered(field, operator, value) == [acme.members[number] for number in left]


@pytest.mark.parametrize(("operator", "part"), [("contains", slice(4, 28)), ("starts_with", slice(31)),
                                                ("ends_with", slice(1, None))])  # fmt: skip
def test_ids_are_matched_as_they_are_shown(acme: Acme, operator: str, part: slice) -> None:
    assert acme.filtered("id", operator, acme.members[1][part]) == [acme.members[1]]
    assert acme.filtered("userId", operator, acme.people[1][part]) == [acme.members[1]]
    assert acme.filtered("organizationId", operator, acme.organization_id[part]) == acme.members
    assert acme.filtered("id", operator, "x") == []


def test_several_ids_and_times_can_be_asked_for(acme: Acme) -> None:
    assert acme.filtered("userId", "in", f"{acme.people[0]}, {acme.people[3]}") == [acme.members[0], acme.members[3]]
    assert acme.filtered("createdAt", "in", f"{JOINED[2]},{JOINED[0]}") == [acme.members[0], acme.members[2]]
    assert acme.filtered("id", "not_in", f"{acme.members[0]},{NO_ID}") == acme.members[1:]
    assert acme.filtered("organizationId", "eq", acme.organization_id) == acme.members
    assert acme.filtered("organizationId", "eq", NO_ID) == []
    assert acme.filtered("organizationId", "ne", acme.ada.own) == acme.members


@pytest.mark.parametrize(("operator", "left"), [("in", [0, 1]), ("not_in", [2, 3])])
def test_several_values_come_one_by_one_as_better_auth_takes_them(acme: Acme, operator: str, left: list[int]) -> None:
    def asked(*values: str, field: str = "role") -> list[str]:
        given = "&".join(f"filterValue={quote(value)}" for value in values)
        found = acme.ada.told(f"list-members?filterField={field}&filterOperator={operator}&{given}")
        return [member["id"] for member in found["members"]]

    expected = [acme.members[number] for number in left]
    assert asked("owner", "admin") == asked("admin", "nothing", "owner") == asked("owner,admin") == expected
    assert asked(acme.people[0], acme.people[1], field="userId") == expected
    assert asked(JOINED[0], JOINED[1], field="createdAt") == expected
    assert asked(*["owner", "admin"] * 50) == expected
    # one of several is what it says, comma or not
    assert asked("owner,admin", "nothing") == ([] if operator == "in" else acme.members)


def test_a_time_is_a_moment_however_it_is_written(acme: Acme) -> None:
    assert acme.filtered("createdAt", "eq", "2026-03-14T14:00:00.001+02:00") == [acme.members[1]]
    assert acme.filtered("createdAt", "gt", "2026-03-14T12:00:00.001999Z") == acme.members[2:]


def test_the_operator_is_eq_if_none_is_named(acme: Acme) -> None:
    assert acme.listed(filterField="role", filterValue="admin") == [acme.members[1]]


def test_ids_of_nobody_filter_nobody(acme: Acme) -> None:
    assert acme.filtered("id", "eq", "no id") == []
    assert acme.filtered("userId", "ne", "no id") == acme.members


@pytest.mark.parametrize(
    "query",
    [
        "sortBy=email",
        "sortBy=user.name",
        "sortBy=role;--",
        "sortDirection=up",
        "sortDirection=ASC",
        "sortDirection=",
        "filterField=email&filterValue=x",
        "filterField=constructor&filterValue=x",
        "filterField=role&filterOperator=like&filterValue=x",
        "filterField=createdAt&filterValue=yesterday",
        "filterField=createdAt&filterValue=2026-03-14T12:00:00",
        "filterField=createdAt&filterOperator=in&filterValue=2026-03-14T12:00:00Z,never",
        "limit=-1",
        "limit=1.5",
        f"limit={2**31}",
        "offset=-1",
        f"offset={2**63}",
        "offset=x",
        "limit=1&limit=2",
        "filterField=role&filterValue=owner&filterValue=admin",
        "filterField=role&filterOperator=contains&filterValue=owner&filterValue=admin",
        "filterField=role&filterOperator=in&filterOperator=in&filterValue=owner",
        "filterField=role&filterOperator=in&filterValue=a&filterValue=a%00",
        "filterField=createdAt&filterOperator=in&filterValue=2026-03-14T12:00:00Z&filterValue=never",
        "search=a&search=b",
        "organizationId=a&organizationId=b",
        "search=" + "x" * 201,
    ],
)
def test_these_are_no_questions(acme: Acme, query: str) -> None:
    answer = acme.ada.asks(f"list-members?{query}")
    assert answer.problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("field", ["id", "createdAt", "role", "userId", "organizationId"])
@pytest.mark.parametrize("value", ["'", "\\", "\0", "%", "{}", ",", ",,", "🎻", "' OR 1=1 --", "0001-01-01T00:00+14:00",
                                   "9999-12-31T23:59:59.999999-14:00", "x" * 5000])  # fmt: skip
def test_hostile_values_never_break_it(acme: Acme, field: str, value: str) -> None:
    for operator in ("eq", "lt", "in", "not_in", "contains", "starts_with", "ends_with"):
        answer = acme.ada.asks(f"list-members?filterField={field}&filterOperator={operator}&filterValue={quote(value)}")
        assert answer.status in (200, 400), (operator, answer.status)
