"""Turning to an organization, and seeing it (wire.md §10, A5, A9, A10)."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser, kept, kept_until_closed
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, Person, new_email, new_slug

FOREIGN = (403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
UNKNOWN = (400, "ORGANIZATION_NOT_FOUND")


def test_a_device_is_turned_by_id_or_slug_and_gets_its_cookie_again(ada: Person) -> None:
    slug = new_slug()
    acme = ada.founds(slug)
    token = ada.sign_in(ada.email).json()["token"]
    answer = ada.does("set-active", organizationId=ada.own)
    assert (answer.status, answer.set_cookies) == (200, kept(token))
    assert answer.json() == ada.told("list")[0]
    assert ada.active == ada.own
    assert ada.done("set-active", organizationSlug=slug)["id"] == acme
    assert ada.active == acme
    assert ada.done("set-active", organizationId="", organizationSlug=slug)["id"] == acme
    assert ada.done("set-active", organizationId=ada.own, organizationSlug=slug)["id"] == ada.own


def test_a_browser_that_forgets_the_session_goes_on_forgetting_it(ada: Person) -> None:
    token = ada.sign_in(ada.email, rememberMe=False).json()["token"]
    assert ada.does("set-active", organizationId=ada.own).set_cookies == kept_until_closed(token)


def test_null_turns_it_to_none_and_nothing_looks_at_the_one_it_has(ada: Person) -> None:
    assert ada.done("set-active")["id"] == ada.own
    assert ada.done("set-active", organizationId="")["id"] == ada.own
    assert ada.done("set-active", organizationId=None) is None
    assert ada.active is None
    assert ada.done("set-active") is None
    assert ada.told("get-organization") is None
    assert ada.told("get-full-organization") is None


def test_turning_one_device_leaves_the_others_alone(ada: Person, acme: str) -> None:
    phone = ada.another_device()
    phone.done("set-active", organizationId=ada.own)
    assert (ada.active, phone.active) == (acme, ada.own)


def test_what_is_refused_changes_nothing(ada: Person, bo: Person) -> None:
    ada.founds(slug := new_slug())
    foreign = ada.active
    refused = [
        bo.does("set-active", organizationId=foreign).problem,
        bo.does("set-active", organizationId=NO_ID).problem,
        bo.does("set-active", organizationId="no id").problem,
        bo.does("set-active", organizationSlug=slug).problem,
        bo.does("set-active", organizationSlug="nobody's").problem,
        bo.asks(f"get-full-organization?organizationId={foreign}").problem,
        bo.asks(f"get-full-organization?organizationSlug={slug}").problem,
        bo.asks(f"get-full-organization?organizationId={NO_ID}").problem,
        bo.asks("get-full-organization?organizationSlug=nobody").problem,
        bo.asks(f"get-organization?organizationId={foreign}").problem,
        bo.asks(f"get-organization?organizationId={NO_ID}").problem,
        bo.asks("get-organization?organizationSlug=nobody").problem,
    ]
    assert refused == [
        FOREIGN, FOREIGN, FOREIGN, FOREIGN, UNKNOWN, FOREIGN, FOREIGN, UNKNOWN, UNKNOWN, FOREIGN, UNKNOWN, UNKNOWN
    ]  # fmt: skip
    assert bo.active == bo.own


@pytest.mark.parametrize("fields", [{"organizationId": 5}, {"organizationSlug": 5}, {"organizationSlug": None}])
def test_these_choose_nothing(ada: Person, fields: dict[str, object]) -> None:
    assert ada.does("set-active", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/set-active", fields).problem == (400, "VALIDATION_ERROR")


def test_an_organization_is_seen_by_id_by_slug_or_because_it_is_active(ada: Person) -> None:
    acme = ada.founds(slug := new_slug(), metadata={"a": [1]})
    seen = {
        "id": acme, "name": slug.title(), "slug": slug, "logo": None, "metadata": '{"a":[1]}',
        "createdAt": "2026-03-14T12:00:00.000Z",
    }  # fmt: skip
    ada.done("set-active", organizationId=ada.own)
    for query in (f"organizationId={acme}", f"organizationSlug={slug}", f"organizationId=&organizationSlug={slug}"):
        assert ada.told(f"get-organization?{query}") == seen
    assert ada.told("get-organization")["id"] == ada.own
    assert ada.told("list")[1] == seen


def test_in_full_it_comes_with_members_and_invitations(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    clock.wind(milliseconds=1)
    ada.takes_in(bo, "admin")
    clock.wind(milliseconds=1)
    guest = new_email()
    invitation_id = ada.invites(guest)
    full = ada.told("get-full-organization")
    members = ada.told("list-members")["members"]
    assert full == {
        **ada.told("get-organization"),
        "members": members,
        "invitations": ada.told("list-invitations"),
    }
    assert [(member["user"]["email"], member["role"]) for member in members] == [
        (ada.email, "owner"), (bo.email, "admin")
    ]  # fmt: skip
    accepted, pending = full["invitations"]
    assert (accepted["status"], accepted["email"]) == ("accepted", bo.email)
    assert pending == {
        "id": invitation_id,
        "organizationId": acme,
        "email": guest,
        "role": "member",
        "status": "pending",
        "expiresAt": "2026-03-21T12:00:00.002Z",
        "createdAt": "2026-03-14T12:00:00.002Z",
        "inviterId": ada.user_id,
    }
    assert ada.told("get-full-organization?membersLimit=1")["members"] == members[:1]
    for no_limit in ("", "0", "x", "2abc"):
        assert ada.told(f"get-full-organization?membersLimit={no_limit}")["members"] == members


def test_plain_members_see_no_invitations_and_admins_none_of_owners(
    ada: Person, bo: Person, cy: Person, acme: str
) -> None:
    ada.takes_in(bo)
    ada.takes_in(cy, "admin")
    plain, owner, both = (
        ada.invites(new_email()),
        ada.invites(new_email(), "owner"),
        ada.invites(new_email(), "owner,admin"),
    )

    def seen(person: Person) -> set[str]:
        ids = {invitation["id"] for invitation in person.told("get-full-organization")["invitations"]}
        return ids & {plain, owner, both}

    assert (seen(ada), seen(bo), seen(cy)) == ({plain, owner, both}, set(), {plain})
    assert bo.told("get-full-organization")["invitations"] == []


def test_a_list_of_members_in_full_is_never_cut_off(ada: Person, acme: str, url: str) -> None:
    people = [Person(url, "Guest") for _ in range(3)]
    for person in people:
        ada.takes_in(person)
    assert len(ada.told("get-full-organization")["members"]) == 4


def test_a_new_device_starts_where_the_person_last_was(ada: Person, acme: str, clock: HandClock) -> None:
    assert ada.another_device().active == acme
    clock.wind(minutes=1)
    ada.done("set-active", organizationId=ada.own)
    assert ada.another_device().active == ada.own
    clock.wind(minutes=1)
    ada.done("set-active", organizationId=acme)
    ada.done("delete", organizationId=acme)
    assert ada.another_device().active == ada.own


def test_which_organization_is_asked_for_only_once(ada: Person) -> None:
    for what in ("get-organization", "get-full-organization"):
        assert ada.asks(f"{what}?organizationId=a&organizationId=b").problem == (400, "VALIDATION_ERROR")
    assert ada.asks("get-full-organization?membersLimit=-1").problem == (400, "VALIDATION_ERROR")
