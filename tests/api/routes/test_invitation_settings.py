"""What an operator may say about invitations and the size of organizations (wire.md A6, A11, A23)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import NO_ID, NOT_FOUND, Person, new_email, new_slug
from tests.databases import Database
from tests.server import application

OFF = (403, "INVITATIONS_ARE_DISABLED")
MEMBERS_FULL = (403, "ORGANIZATION_MEMBERSHIP_LIMIT_REACHED")
INVITATIONS_FULL = (403, "INVITATION_LIMIT_REACHED")


@pytest.fixture(scope="module")
def off_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where nobody may invite or accept."""
    with application(settings_for(module_database, invitations="off"), module_clock) as url:
        yield url


@pytest.fixture(scope="module")
def limited_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where an organization may have three members and two pending invitations, that live for an hour."""
    limits = {"member_limit": 3, "invitation_limit": 2, "invitation_lifetime": 3600}
    with application(settings_for(module_database, **limits), module_clock) as url:
        yield url


@pytest.fixture
def dee(limited_url: str, clock: HandClock) -> Person:
    """The owner of an organization of limited size, which she is turned to."""
    person = Person(limited_url, "Dee")
    person.founds(new_slug())
    return person


def test_where_they_are_off_nobody_invites_or_accepts(off_url: str, ada: Person, bo: Person, acme: str) -> None:
    invitation_id = ada.invites(bo.email)
    for person in (ada, bo):
        person.reaches(off_url)
    for fields in ({"email": new_email(), "role": "member"}, {"email": "no address", "role": "nope"}):
        answer = ada.does("invite-member", **fields)
        assert answer.problem == OFF
        assert answer.json()["message"] == "Invitations are disabled"
    assert bo.does("accept-invitation", invitationId=invitation_id).problem == OFF
    assert bo.does("accept-invitation", invitationId=NO_ID).problem == OFF
    assert ada.does("invite-member", email=bo.email, role="member", resend=True).problem == OFF
    assert (bo.active, ada.roles()) == (bo.own, {ada.email: "owner"})


def test_where_they_are_off_those_there_are_can_be_seen_and_ended(
    off_url: str, ada: Person, bo: Person, cy: Person, acme: str
) -> None:
    first, second = ada.invites(bo.email), ada.invites(cy.email)
    for person in (ada, bo):
        person.reaches(off_url)
    assert len(ada.told("list-invitations")) == 2
    assert bo.done("reject-invitation", invitationId=first)["invitation"]["status"] == "rejected"
    assert ada.done("cancel-invitation", invitationId=second)["status"] == "canceled"


def test_an_invitation_lives_for_as_long_as_the_settings_say(dee: Person, bo: Person, clock: HandClock) -> None:
    sent = dee.done("invite-member", email=bo.email, role="member")
    assert sent["expiresAt"] == "2026-03-14T13:00:00.000Z"
    clock.wind(hours=1, milliseconds=-1)
    assert bo.told(f"get-invitation?id={sent['id']}")["id"] == sent["id"]
    resent = dee.done("invite-member", email=bo.email, role="member", resend=True)
    assert resent["expiresAt"] == "2026-03-14T13:59:59.999Z"
    clock.wind(hours=1)
    assert bo.does("accept-invitation", invitationId=sent["id"]).problem == NOT_FOUND


def test_an_organization_has_no_more_pending_invitations_than_the_settings_say(
    dee: Person, bo: Person, cy: Person, clock: HandClock
) -> None:
    first, _ = dee.invites(bo.email), dee.invites(cy.email)
    third = {"email": new_email(), "role": "member"}
    answer = dee.does("invite-member", **third)
    assert answer.problem == INVITATIONS_FULL
    assert answer.json()["message"] == "Invitation limit reached"
    # what is refused before is refused as ever, and resending takes no place
    assert dee.does("invite-member", email=bo.email, role="member").problem == (
        400, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION"
    )  # fmt: skip
    assert dee.done("invite-member", email=bo.email, role="member", resend=True)["id"] == first
    # another organization has its own
    dee.invites(bo.email, organizationId=dee.own)
    bo.done("reject-invitation", invitationId=first)
    dee.done("invite-member", **third)
    assert dee.does("invite-member", email=new_email(), role="member").problem == INVITATIONS_FULL
    clock.wind(hours=1)
    dee.invites(new_email())
    dee.invites(new_email())
    assert dee.does("invite-member", email=new_email(), role="member").problem == INVITATIONS_FULL


def test_an_organization_has_no_more_members_than_the_settings_say(
    dee: Person, ada: Person, bo: Person, cy: Person
) -> None:
    dee.takes_in(bo, "admin")
    last, late = dee.invites(cy.email), dee.invites(ada.email)
    for person in (cy, ada):
        person.reaches(dee.url)
    cy.done("accept-invitation", invitationId=last)
    answer = ada.does("accept-invitation", invitationId=late)
    assert answer.problem == MEMBERS_FULL
    assert answer.json()["message"] == "Organization membership limit reached"
    assert ada.told(f"get-invitation?id={late}")["status"] == "pending"
    assert (ada.active, len(dee.roles())) == (ada.own, 3)
    dee.done("remove-member", memberIdOrEmail=cy.email)
    ada.done("accept-invitation", invitationId=late)
    assert set(dee.roles()) == {dee.email, bo.email, ada.email}


def test_nobody_signs_up_into_a_full_organization(dee: Person, bo: Person, cy: Person) -> None:
    dee.takes_in(bo)
    dee.takes_in(cy)
    guest, email = Person(dee.url, "Guest"), new_email()
    callback = f"/join?invitationId={dee.invites(email)}"
    answer = guest.sign_up(email, callbackURL=callback)
    assert answer.problem == (400, MEMBERS_FULL[1])
    assert guest.sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")


def test_limits_act_on_commands_only(dee: Person, ada: Person, bo: Person, cy: Person) -> None:
    """Those who were there before stay, all of them, and nobody is added."""
    acme = ada.founds(new_slug())
    people = [bo, cy, Person(ada.url, "Eve"), Person(ada.url, "Fay")]
    for person in people:
        ada.takes_in(person)
    for _ in range(3):
        ada.invites(new_email())
    pending = ada.invites(dee.email)
    ada.reaches(dee.url)
    assert len(ada.roles(acme)) == 5
    assert len(ada.told("list-invitations")) == 8
    assert ada.does("invite-member", email=new_email(), role="member").problem == INVITATIONS_FULL
    assert dee.does("accept-invitation", invitationId=pending).problem == MEMBERS_FULL
    for person in people[:3]:
        ada.done("remove-member", memberIdOrEmail=person.email)
    dee.done("accept-invitation", invitationId=pending)
    assert len(ada.roles(acme)) == 3


def test_without_a_setting_there_is_no_limit(ada: Person, acme: str) -> None:
    """Better Auth stops at a hundred."""
    for _ in range(101):
        ada.invites(new_email())
    assert len(ada.told("list-invitations")) == 101
    assert len(ada.told("get-full-organization")["invitations"]) == 101
