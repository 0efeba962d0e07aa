"""The organization that comes with an account, and in which one a device starts (wire.md §10, §12, A4, A5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database


def active(browser: Browser) -> Any:
    """The organization the device is turned to."""
    return browser.session()["activeOrganizationId"]


def organizations(browser: Browser) -> Any:
    """What the person belongs to."""
    answer = browser.get("/organization/list")
    assert answer.status == 200
    return answer.json()


def test_an_account_comes_with_its_organization_which_is_active_at_once(browser: Browser, email: str) -> None:
    browser.sign_up(email, name="Ada Lovelace")
    [organization] = organizations(browser)
    assert organization == {
        "id": active(browser),
        "name": "Ada Lovelace's Organization",
        "slug": organization["slug"],
        "logo": None,
        "metadata": None,
        "createdAt": "2026-03-14T12:00:00.000Z",
    }
    assert "ada" not in organization["slug"].lower()


def test_its_owner_is_the_person(ada: Person) -> None:
    assert ada.roles() == {ada.email: "owner"}
    assert ada.told("get-active-member")["organizationId"] == ada.own


def test_it_is_one_commit(ada: Person, module_database: Database) -> None:
    [(command_id,)] = module_database.rows("SELECT command_id FROM events WHERE stream_id = %s", UUID(ada.user_id))
    names = module_database.rows("SELECT name FROM events WHERE command_id = %s", command_id)
    assert {"SignedUp", "MemberJoined", "SessionStarted", "OrganizationChosen"} < {name for (name,) in names}


@pytest.mark.parametrize("local", ["grace.hopper", "o'neil", "a+b"])
def test_who_has_no_name_lends_it_the_local_part_of_the_address(browser: Browser, local: str) -> None:
    browser.sign_up(f"{local}@empty.example.com", name="")
    [organization] = organizations(browser)
    assert organization["name"] == f"{local}'s Organization"


def test_two_people_of_one_name_have_two_organizations(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    first = organizations(browser)
    browser.sign_up(f"x{email}")
    second = organizations(browser)
    assert first[0]["name"] == second[0]["name"] == "Ada's Organization"
    assert first[0]["slug"] != second[0]["slug"]
    assert first[0]["id"] != second[0]["id"]


def test_organizations_are_listed_in_the_order_of_joining(ada: Person, bo: Person, clock: HandClock) -> None:
    clock.wind(milliseconds=1)
    bo.takes_in(ada)
    clock.wind(milliseconds=1)
    third = ada.founds("the-third")
    ada.done("set-active", organizationId=ada.own)
    assert ada.belongs_to() == [ada.own, bo.own, third]


def test_a_new_device_starts_where_the_person_last_was(ada: Person, bo: Person, clock: HandClock) -> None:
    clock.wind(hours=1)
    bo.takes_in(ada)
    assert ada.another_device().active == bo.own
    clock.wind(hours=1)
    ada.done("set-active", organizationId=ada.own)
    assert ada.another_device().active == ada.own


def test_without_a_choice_or_after_leaving_it_a_new_device_starts_in_the_oldest(
    ada: Person, bo: Person, clock: HandClock
) -> None:
    clock.wind(hours=1)
    bo.takes_in(ada)
    ada.done("set-active", organizationId=None)
    assert (ada.active, ada.another_device().active) == (None, ada.own)
    clock.wind(hours=1)
    ada.done("set-active", organizationId=bo.own)
    assert ada.another_device().active == bo.own
    bo.done("remove-member", memberIdOrEmail=ada.email)
    assert ada.another_device().active == ada.own


def test_who_belongs_nowhere_sees_empty_lists_and_no_error(ada: Person) -> None:
    ada.done("delete", organizationId=ada.own)
    assert (ada.active, organizations(ada)) == (None, [])
    assert ada.told("get-organization") is None
    assert ada.told("get-full-organization") is None


@pytest.mark.parametrize("name", ["Ada", ""])
def test_who_belongs_nowhere_gets_a_personal_organization_at_the_next_sign_in(
    browser: Browser, email: str, module_database: Database, name: str
) -> None:
    user_id = browser.sign_up(email, name=name).json()["user"]["id"]
    old = active(browser)
    assert browser.post("/organization/delete", {"organizationId": old}).status == 200
    commands = module_database.value("SELECT count(*) FROM commands")
    browser.sign_in(email)
    assert module_database.value("SELECT count(*) FROM commands") == commands + 1
    [organization] = organizations(browser)
    assert organization["name"] == f"{name or email.partition('@')[0]}'s Organization"
    assert organization["id"] == active(browser) != old
    roles = module_database.rows("SELECT role FROM member_list WHERE live_user_id = %s AND organization_id = %s",
                                 UUID(user_id), UUID(organization["id"]))  # fmt: skip
    assert roles == [("owner",)]
    browser.sign_in(email)
    assert organizations(browser) == [organization]


def test_a_device_that_is_signed_in_meanwhile_belongs_nowhere_until_then(ada: Person) -> None:
    phone = ada.another_device()
    ada.done("delete", organizationId=ada.own)
    assert (ada.active, phone.active) == (None, None)
    tablet = ada.another_device()
    assert tablet.active is not None
    assert (ada.active, ada.belongs_to()) == (None, [tablet.active])
    assert ada.done("set-active", organizationId=tablet.active)["name"] == "Ada's Organization"


def test_who_left_their_personal_organization_to_others_gets_another(ada: Person, bo: Person) -> None:
    ada.takes_in(bo, "owner")
    ada.done("leave", organizationId=ada.own)
    assert ada.belongs_to() == []
    another = ada.another_device().active
    assert another not in (None, ada.own)
    assert ada.roles(another) == {ada.email: "owner"}
    assert bo.roles(ada.own) == {bo.email: "owner"}


def test_who_handed_their_personal_organization_over_and_was_removed_gets_another(ada: Person, bo: Person) -> None:
    ada.done("transfer-ownership", memberId=ada.takes_in(bo))
    assert ada.another_device().active == ada.own
    bo.done("remove-member", memberIdOrEmail=ada.email, organizationId=ada.own)
    assert (ada.active, ada.belongs_to()) == (None, [])
    another = ada.another_device().active
    assert ada.belongs_to() == [another] != [ada.own]
    # and that one can be closed and come again like the first
    ada.done("delete", organizationId=another)
    assert ada.another_device().active not in (None, another)


def test_who_was_removed_from_the_only_one_gets_one_at_the_next_sign_in(
    ada: Person, url: str, clock: HandClock
) -> None:
    email = new_email()
    guest = Browser(url)
    guest.sign_up(email, callbackURL=f"/join?invitationId={ada.invites(email)}", name="Guest")
    assert active(guest) == ada.own
    ada.done("remove-member", memberIdOrEmail=email)
    assert (active(guest), organizations(guest)) == (None, [])
    guest.sign_in(email)
    [organization] = organizations(guest)
    assert (organization["name"], organization["id"]) == ("Guest's Organization", active(guest))


def test_who_belongs_somewhere_gets_none(ada: Person, bo: Person) -> None:
    bo.takes_in(ada)
    ada.done("delete", organizationId=ada.own)
    assert ada.another_device().active == bo.own
    assert ada.belongs_to() == [bo.own]


def test_a_closed_organization_is_neither_listed_nor_active(ada: Person, bo: Person) -> None:
    bo.takes_in(ada)
    assert (ada.active, ada.belongs_to()) == (bo.own, [ada.own, bo.own])
    bo.done("delete", organizationId=bo.own)
    assert (ada.active, ada.belongs_to()) == (None, [ada.own])
    assert ada.another_device().active == ada.own
