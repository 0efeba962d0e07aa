"""What clients ask again and again is read once for all who ask, and is just what the database says by itself."""

from __future__ import annotations

import pytest

from tests.api.browser import BASE, Answer
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ACTIVE, NO_ID, Person, new_email, new_slug
from tests.databases import Database

READS = ("get-full-organization", "list-members", "get-active-member", "get-active-member-role")
BY_SLUG = READS[:2]
"""Where a slug leads past the query that all share."""
NOT_A_MEMBER = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")


@pytest.fixture
def ada(url: str, clock: HandClock) -> Person:
    return Person(url, "Ada", image="https://example.com/a.png")


@pytest.fixture
def bo(url: str, clock: HandClock) -> Person:
    return Person(url, "Bo")


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """All of an answer that says something."""
    return answer.status, {name: value for name, value in answer.headers.items() if name != "date"}, answer.content


def alike(person: Person, what: str) -> Answer:
    """The answer, which is the same, header for header and byte for byte, if the database is asked by itself for it."""
    answer = person.asks(what)
    assert told(answer) == told(person.asks(what))
    if what in BY_SLUG:
        slug = person.told("get-organization")["slug"]
        assert told(answer) == told(person.asks(f"{what}?organizationSlug={slug}"))
    return answer


@pytest.mark.parametrize("what", READS)
@pytest.mark.parametrize("role", ["owner", "admin", "member", "member,admin"])
def test_everybody_is_told_the_same_of_the_shared_query_and_of_one_of_their_own(
    url: str, ada: Person, role: str, what: str
) -> None:
    ada.founds(new_slug(), logo="https://example.com/l.png", metadata={"plan": "große", "seats": [1, None]})
    colleague = Person(url, "Cy")
    colleague.post("/update-user", {"name": "Зоя O'Connor-陳 🎻"})
    ada.takes_in(colleague, role)
    for offered in ("owner", "admin", "member"):
        ada.invites(new_email(), offered)
    for person in (ada, colleague):
        assert alike(person, what).status == 200


@pytest.mark.parametrize("what", READS)
def test_in_the_organization_of_ones_own_too(ada: Person, what: str) -> None:
    assert alike(ada, what).status == 200


@pytest.mark.parametrize("what", READS)
def test_who_is_erased_has_no_name(ada: Person, bo: Person, what: str, module_database: Database) -> None:
    ada.takes_in(bo)
    bo.post("/organization/set-active", {"organizationId": ada.own})
    module_database.rows(
        "UPDATE account_list SET name = NULL, image = NULL, email = NULL WHERE email IN (%s, %s)", ada.email, bo.email
    )
    for person in (ada, bo):
        assert alike(person, what).status == 200


@pytest.mark.parametrize("what", READS)
def test_without_an_active_organization_it_is_refused_or_null(ada: Person, what: str) -> None:
    ada.done("set-active", organizationId=None)
    answer = ada.asks(what)
    assert (answer.json() is None) if what == "get-full-organization" else answer.problem == NO_ACTIVE


def test_what_is_changed_is_in_the_very_next_answer(ada: Person, bo: Person) -> None:
    ada.founds(slug := new_slug())
    member_id = ada.takes_in(bo)
    bo.done("set-active", organizationId=ada.active)
    assert [bo.told("get-active-member-role"), bo.told("get-active-member")["role"]] == [{"role": "member"}, "member"]
    assert bo.told("get-full-organization")["invitations"] == []

    ada.done("update-member-role", memberId=member_id, role="admin")
    invited = ada.invites(new_email())
    assert [bo.told("get-active-member-role"), bo.told("get-active-member")["role"]] == [{"role": "admin"}, "admin"]
    assert [one["id"] for one in bo.told("get-full-organization")["invitations"]][1:] == [invited]
    assert [one["role"] for one in bo.told("list-members")["members"]] == ["owner", "admin"]

    ada.done("cancel-invitation", invitationId=invited)
    ada.done("update", data={"name": "Another", "slug": f"{slug}-2"})
    ada.post("/update-user", {"name": "Augusta"})
    full = bo.told("get-full-organization")
    assert (full["name"], full["slug"], full["members"][0]["user"]["name"]) == ("Another", f"{slug}-2", "Augusta")
    assert [one["status"] for one in full["invitations"]] == ["accepted", "canceled"]

    ada.done("update-member-role", memberId=member_id, role="member")
    assert [bo.told("get-active-member-role"), bo.told("get-full-organization")["invitations"]] == [
        {"role": "member"}, []
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["remove-member", "delete", "leave"])
def test_where_nobody_belongs_any_more_nothing_is_seen(ada: Person, bo: Person, end: str) -> None:
    acme = ada.founds(new_slug())
    member_id = ada.takes_in(bo)
    for what in READS:
        bo.told(what)
    match end:
        case "remove-member":
            ada.done(end, memberIdOrEmail=member_id)
        case "delete":
            ada.done(end, organizationId=acme)
        case _:
            bo.done(end, organizationId=acme)
    assert bo.told("get-full-organization") is None
    assert [bo.asks(what).problem for what in READS[1:]] == [NO_ACTIVE] * 3


def test_a_signed_out_one_is_told_nothing(ada: Person) -> None:
    cookies = dict(ada.cookies)
    for what in READS:
        ada.told(what)
    ada.post("/sign-out")
    for what in READS:
        ada.cookies = dict(cookies)
        assert ada.asks(what).problem == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("what", READS)
def test_a_session_that_is_due_is_extended_and_one_that_ran_out_ends(ada: Person, clock: HandClock, what: str) -> None:
    clock.wind(days=1)
    assert ada.asks(what).set_cookies != []
    assert ada.session("?disableRefresh=1")["expiresAt"] == "2026-03-22T12:00:00.000Z"
    assert ada.asks(what).set_cookies == []
    clock.wind(days=7)
    assert ada.asks(what).problem == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("what", READS)
def test_another_browser_is_noticed(ada: Person, clock: HandClock, what: str) -> None:
    ada.told(what)
    clock.wind(hours=1)
    assert ada.get(f"/organization/{what}", {"User-Agent": "another"}).status == 200
    assert ada.session()["userAgent"] == "another"


@pytest.mark.parametrize("what", READS)
def test_a_body_is_not_looked_at(ada: Person, what: str) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
    text = {"Cookie": cookies, "Content-Type": "text/plain"}
    answer = ada.ask("GET", f"{BASE}/organization/{what}", b"text", text)
    assert answer.json() == ada.told(what)


def test_parameters_are_heard(ada: Person, bo: Person) -> None:
    acme = ada.founds(new_slug())
    ada.takes_in(bo)
    ada.done("set-active", organizationId=ada.own)
    assert ada.told(f"get-full-organization?organizationId={acme}")["id"] == acme
    assert ada.told(f"get-full-organization?organizationId={acme}&membersLimit=1")["members"][1:] == []
    assert ada.told(f"list-members?organizationId={acme}&limit=1&offset=1")["members"][0]["userId"] == bo.user_id
    assert ada.told(f"get-active-member-role?organizationId={acme}&userId={bo.user_id}") == {"role": "member"}
    assert ada.told(f"get-active-member-role?userId={ada.user_id}") == {"role": "owner"}
    assert ada.asks(f"get-active-member-role?userId={NO_ID}").problem == NOT_A_MEMBER
    assert ada.asks(f"list-members?organizationId={bo.own}").problem == NOT_A_MEMBER


def test_a_crowd_is_told_whole(ada: Person, module_database: Database) -> None:
    ada.founds(new_slug())
    acme = ada.active
    for number in range(101):
        module_database.rows(
            "INSERT INTO account_list (user_id, version, email_hash, email, name, created_at, updated_at)"
            " VALUES (%s, 1, '', 'crowd' || %s || '@example.com', 'Cy', now(), now())",
            f"00000000-0000-0000-0000-{number:012}",
            number,
        )
        module_database.rows(
            "INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)"
            " VALUES (gen_random_uuid(), 1, %s, %s, %s, 'member', timestamptz '2026-03-15 12:00Z')",
            acme,
            f"00000000-0000-0000-0000-{number:012}",
            f"00000000-0000-0000-0000-{number:012}",
        )
    assert len(alike(ada, "get-full-organization").json()["members"]) == 102
    listed = alike(ada, "list-members").json()
    assert (listed["total"], len(listed["members"])) == (102, 102)
    module_database.rows("DELETE FROM member_list WHERE user_id = %s", "00000000-0000-0000-0000-000000000000")
    module_database.rows("DELETE FROM member_list WHERE user_id = %s", "00000000-0000-0000-0000-000000000001")
    for _ in range(101):
        ada.invites(new_email())
    full = alike(ada, "get-full-organization").json()
    assert (len(full["members"]), len(full["invitations"])) == (100, 101)
    assert alike(ada, "list-members").json()["total"] == 100


ORDERS = [
    *(f"&sortBy={field}&sortDirection={way}" for field in ("id", "createdAt", "userId") for way in ("asc", "desc")),
    "&sortBy=role&sortDirection=desc",
    "&limit=2&offset=1",
    "&limit=0&offset=3",
    "&limit=3&offset=100",
    "&limit=2&sortBy=id&sortDirection=desc&offset=1",
]


@pytest.mark.parametrize("which", ["organizationId={0}", "organizationId={0}&membersLimit=2"])
def test_an_organization_that_is_named_is_told_as_the_database_tells_it(ada: Person, bo: Person, which: str) -> None:
    acme, slug = ada.founds(new_slug()), ada.told("get-organization")["slug"]
    for person in (bo, Person(ada.url, "Cy")):
        ada.takes_in(person)
    ada.done("set-active", organizationId=ada.own)
    of_the_slug = which.replace("organizationId={0}", f"organizationSlug={slug}")
    by_id, by_slug = (ada.asks(f"get-full-organization?{one}") for one in (which.format(acme), of_the_slug))
    assert told(by_id) == told(by_slug)
    assert len(by_id.json()["members"]) == (2 if "Limit" in which else 3)


@pytest.mark.parametrize("order", ORDERS)
def test_members_come_in_the_order_in_which_the_database_has_them(ada: Person, bo: Person, order: str) -> None:
    acme, slug = ada.founds(new_slug()), ada.told("get-organization")["slug"]
    for person, role in ((bo, "admin"), (Person(ada.url, "Cy"), "member,admin"), (Person(ada.url, "Dee"), "member")):
        ada.takes_in(person, role)
    by_id = ada.asks(f"list-members?organizationId={acme}{order}")
    assert told(by_id) == told(ada.asks(f"list-members?organizationSlug={slug}{order}"))
    assert by_id.json()["total"] == 4
