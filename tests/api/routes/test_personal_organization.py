"""The organization that comes with an account, and in which one a device starts (wire.md §10, §12, A4, A5)."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.databases import Database

_memberships = (UUID(int=0x01890000_0000_7000_8000_0000_0000_0000 + number) for number in count(1))


class Memberships:
    """Who belongs where, changed behind the application's back while there is no route for it yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user_id: str, organization_id: str, *, joined: str) -> None:
        """Make the person a member since that moment."""
        self._database.rows(
            "INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)"
            " VALUES (%s, 1, %s, %s, %s, 'member', %s)",
            next(_memberships),
            UUID(organization_id),
            UUID(user_id),
            UUID(user_id),
            joined,
        )

    def end(self, user_id: str, organization_id: str) -> None:
        """Take the person out."""
        self._database.rows(
            "UPDATE member_list SET live_user_id = NULL, ended_at = now() WHERE user_id = %s AND organization_id = %s",
            UUID(user_id),
            UUID(organization_id),
        )

    def close(self, organization_id: str) -> None:
        """Close the organization and free its slots."""
        self._database.rows(
            "UPDATE organization_list SET ended_at = now(), personal_organization = NULL, slug_slot = NULL"
            " WHERE organization_id = %s",
            UUID(organization_id),
        )

    def choose(self, session_id: str, organization_id: str | None, *, at: str) -> None:
        """Turn a device to an organization."""
        self._database.rows(
            "UPDATE session_list SET organization_id = %s, organization_chosen_at = %s WHERE session_id = %s",
            organization_id and UUID(organization_id),
            at,
            UUID(session_id),
        )


@pytest.fixture
def memberships(module_database: Database) -> Memberships:
    return Memberships(module_database)


@pytest.fixture
def bo(browser: Browser, email: str) -> Any:
    """The organization of Bo."""
    other = Browser(browser.url)
    other.sign_up(f"bo.{email}", name="Bo")
    return active(other)


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


def test_its_owner_is_the_person(browser: Browser, email: str, module_database: Database) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    rows = module_database.rows(
        "SELECT organization_id, live_user_id, role FROM member_list WHERE user_id = %s", UUID(user_id)
    )
    assert rows == [(UUID(active(browser)), UUID(user_id), "owner")]


def test_it_is_one_commit(browser: Browser, email: str, module_database: Database) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    [(command_id,)] = module_database.rows("SELECT command_id FROM events WHERE stream_id = %s", UUID(user_id))
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


def test_organizations_are_listed_in_the_order_of_joining(
    browser: Browser, email: str, bo: str, memberships: Memberships
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    own = active(browser)
    memberships.add(user_id, bo, joined="2020-01-01Z")
    assert [organization["id"] for organization in organizations(browser)] == [bo, own]


def test_a_new_device_starts_where_the_person_last_was(
    browser: Browser, email: str, bo: str, memberships: Memberships
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    first, own = browser.session()["id"], active(browser)
    memberships.add(user_id, bo, joined="2026-03-14T13:00Z")
    memberships.choose(first, bo, at="2026-03-14T14:00Z")
    browser.sign_in(email)
    assert active(browser) == bo
    memberships.choose(first, own, at="2026-03-14T15:00Z")
    browser.sign_in(email)
    assert active(browser) == own


def test_without_a_choice_or_after_leaving_it_a_new_device_starts_in_the_oldest(
    browser: Browser, email: str, bo: str, memberships: Memberships
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    first, own = browser.session()["id"], active(browser)
    memberships.choose(first, None, at="2026-03-14T12:00Z")
    memberships.add(user_id, bo, joined="2020-01-01Z")
    browser.sign_in(email)
    assert active(browser) == bo
    memberships.end(user_id, bo)
    assert active(browser) is None
    browser.sign_in(email)
    assert active(browser) == own


def test_who_belongs_nowhere_sees_empty_lists_and_no_error(
    browser: Browser, email: str, memberships: Memberships
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    memberships.end(user_id, active(browser))
    assert active(browser) is None
    assert organizations(browser) == []


@pytest.mark.parametrize("name", ["Ada", ""])
def test_who_belongs_nowhere_gets_a_personal_organization_at_the_next_sign_in(
    browser: Browser, email: str, memberships: Memberships, module_database: Database, name: str
) -> None:
    user_id = browser.sign_up(email, name=name).json()["user"]["id"]
    old = active(browser)
    memberships.end(user_id, old)
    memberships.close(old)
    browser.sign_in(email)
    [organization] = organizations(browser)
    assert organization["name"] == f"{name or email.partition('@')[0]}'s Organization"
    assert organization["id"] == active(browser) != old
    roles = module_database.rows("SELECT role FROM member_list WHERE live_user_id = %s", UUID(user_id))
    assert roles == [("owner",)]
    browser.sign_in(email)
    assert organizations(browser) == [organization]


def test_a_closed_organization_is_neither_listed_nor_active(
    browser: Browser, email: str, memberships: Memberships
) -> None:
    browser.sign_up(email)
    memberships.close(active(browser))
    assert active(browser) is None
    assert organizations(browser) == []
    browser.sign_in(email)
    assert len(organizations(browser)) == 1
