"""Accepting, rejecting and canceling invitations, and looking at one's own (wire.md §10, A26-A28)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, NOT_FOUND, Person, new_email
from tests.databases import Database

FOREIGN = (403, "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION")
INVITER_GONE = (400, "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION")
ANSWERS = ("accept-invitation", "reject-invitation")


def state(ada: Person, invitation_id: str) -> Any:
    """An invitation as its organization has it."""
    [found] = [one for one in ada.told("list-invitations") if one["id"] == invitation_id]
    return found


def test_who_accepts_is_a_member_and_turned_to_the_organization(ada: Person, bo: Person, acme: str) -> None:
    sent = ada.done("invite-member", email=bo.email.upper(), role="admin,member")
    phone = bo.another_device()
    answer = bo.does("accept-invitation", invitationId=sent["id"])
    member_id = answer.json()["member"]["id"]
    assert (answer.status, answer.json(), answer.set_cookies) == (
        200,
        {
            "invitation": {**sent, "status": "accepted"},
            "member": {
                "id": member_id,
                "organizationId": acme,
                "userId": bo.user_id,
                "role": "admin,member",
                "createdAt": "2026-03-14T12:00:00.000Z",
            },
        },
        [],
    )
    assert (bo.active, phone.active) == (acme, bo.own)
    assert bo.belongs_to() == [bo.own, acme]
    assert ada.roles()[bo.email] == "admin,member"
    assert state(ada, sent["id"]) == {**sent, "status": "accepted"}


def test_accepting_is_one_commit(ada: Person, bo: Person, acme: str, module_database: Database) -> None:
    invitation_id = ada.invites(bo.email, "owner")
    before = module_database.value("SELECT count(*) FROM commands")
    bo.done("accept-invitation", invitationId=invitation_id)
    assert module_database.value("SELECT count(*) FROM commands") == before + 1
    assert ada.done("leave", organizationId=acme)["role"] == "owner"


def test_who_rejects_is_no_member(ada: Person, bo: Person, acme: str) -> None:
    sent = ada.done("invite-member", email=bo.email, role="member")
    rejected = {"invitation": {**sent, "status": "rejected"}, "member": None}
    assert bo.done("reject-invitation", invitationId=sent["id"]) == rejected
    assert state(ada, sent["id"])["status"] == "rejected"
    assert (bo.active, bo.belongs_to()) == (bo.own, [bo.own])


def test_the_recipient_sees_to_what_and_by_whom(ada: Person, bo: Person, acme: str) -> None:
    sent = ada.done("invite-member", email=bo.email, role="member")
    organization = ada.told("get-organization")
    assert bo.told(f"get-invitation?id={sent['id']}") == {
        **sent,
        "organizationName": organization["name"],
        "organizationSlug": organization["slug"],
        "inviterEmail": ada.email,
    }
    assert bo.told(f"get-invitation?id={sent['id']}")["status"] == "pending"


def test_only_the_recipient_sees_or_answers_it(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    invitation_id = ada.invites(cy.email)
    for person in (ada, bo):
        assert person.asks(f"get-invitation?id={invitation_id}").problem == FOREIGN
        for what in ANSWERS:
            answer = person.does(what, invitationId=invitation_id)
            assert answer.problem == FOREIGN
            assert answer.json()["message"] == "You are not the recipient of the invitation"
    anonymous = Browser(ada.url)
    answer = anonymous.get(f"/organization/get-invitation?id={invitation_id}")
    assert (answer.status, answer.json()) == (401, {"message": "Not authenticated"})
    for what in (*ANSWERS, "cancel-invitation"):
        fields = {"invitationId": invitation_id}
        assert anonymous.post(f"/organization/{what}", fields).problem == (401, "UNAUTHORIZED")
        assert anonymous.post(f"/organization/{what}", {}).problem == (400, "VALIDATION_ERROR")
        assert ada.does(what, invitationId=5).problem == (400, "VALIDATION_ERROR")
    assert ada.asks("get-invitation").problem == (400, "VALIDATION_ERROR")
    assert ada.asks("get-invitation?id=a&id=b").problem == (400, "VALIDATION_ERROR")
    assert state(ada, invitation_id)["status"] == "pending"


@pytest.mark.parametrize("unknown", [NO_ID, "no id", "", "ü", "'", "x" * 10_000])
def test_what_is_unknown_is_not_found(ada: Person, unknown: str) -> None:
    for what in ("accept-invitation", "cancel-invitation"):
        answer = ada.does(what, invitationId=unknown)
        assert (answer.status, answer.json()) == (400, {"message": "Invitation not found", "code": NOT_FOUND[1]})
    answer = ada.does("reject-invitation", invitationId=unknown)
    assert (answer.status, answer.json()) == (400, {"message": "Invitation not found!", "code": NOT_FOUND[1]})
    if unknown.isascii() and len(unknown) < 100:
        assert ada.asks(f"get-invitation?id={unknown.replace(' ', '%20')}").status == 400


def test_nobody_learns_the_internal_id_and_it_opens_nothing(
    ada: Person, bo: Person, acme: str, module_database: Database
) -> None:
    ada.invites(bo.email)
    internal = module_database.value("SELECT invitation_id FROM invitation_list ORDER BY invitation_id DESC LIMIT 1")
    assert bo.does("accept-invitation", invitationId=internal.hex).problem == NOT_FOUND
    assert bo.does("accept-invitation", invitationId=str(internal)).problem == NOT_FOUND


def test_an_answer_is_given_once(ada: Person, bo: Person, acme: str) -> None:
    rejected = ada.invites(bo.email)
    bo.done("reject-invitation", invitationId=rejected)
    accepted = ada.invites(bo.email)
    bo.done("accept-invitation", invitationId=accepted)
    ada.done("remove-member", memberIdOrEmail=bo.email)
    canceled = ada.invites(bo.email)
    ada.done("cancel-invitation", invitationId=canceled)
    for over in (rejected, accepted, canceled):
        assert bo.asks(f"get-invitation?id={over}").problem == NOT_FOUND
        for what in ANSWERS:
            assert bo.does(what, invitationId=over).problem == NOT_FOUND
    assert [state(ada, one)["status"] for one in (rejected, accepted, canceled)] == ["rejected", "accepted", "canceled"]
    assert bo.belongs_to() == [bo.own]


def test_it_can_be_accepted_until_its_very_moment(ada: Person, bo: Person, cy: Person, clock: HandClock) -> None:
    first, second = ada.invites(bo.email), ada.invites(cy.email)
    clock.wind(days=7, milliseconds=-1)
    for person in (ada, bo, cy):
        person.sign_in(person.email)
    assert bo.told(f"get-invitation?id={first}")["status"] == "pending"
    assert bo.done("accept-invitation", invitationId=first)["invitation"]["status"] == "accepted"
    clock.wind(milliseconds=1)
    assert cy.asks(f"get-invitation?id={second}").problem == NOT_FOUND
    for _ in range(2):
        assert cy.does("accept-invitation", invitationId=second).problem == NOT_FOUND
    assert state(ada, second)["status"] == "pending"
    assert state(ada, second)["expiresAt"] == "2026-03-21T12:00:00.000Z"
    assert cy.belongs_to() == [cy.own]


@pytest.mark.parametrize("noticed", [False, True])
def test_one_that_ran_out_can_still_be_rejected_or_canceled(
    ada: Person, bo: Person, cy: Person, clock: HandClock, noticed: bool
) -> None:
    first, second = ada.invites(bo.email), ada.invites(cy.email)
    clock.wind(days=7)
    for person in (ada, bo, cy):
        person.sign_in(person.email)
    if noticed:
        assert bo.does("accept-invitation", invitationId=first).problem == NOT_FOUND
        assert cy.does("accept-invitation", invitationId=second).problem == NOT_FOUND
    assert [state(ada, one)["status"] for one in (first, second)] == ["pending", "pending"]
    assert bo.done("reject-invitation", invitationId=first)["invitation"]["status"] == "rejected"
    assert ada.done("cancel-invitation", invitationId=second)["status"] == "canceled"
    assert [state(ada, one)["status"] for one in (first, second)] == ["rejected", "canceled"]


def test_a_canceled_one_is_answered_as_it_is_again_and_again(ada: Person, bo: Person, acme: str) -> None:
    sent = ada.done("invite-member", email=bo.email, role="member")
    for _ in range(3):
        assert ada.done("cancel-invitation", invitationId=sent["id"]) == {**sent, "status": "canceled"}
    assert bo.asks(f"get-invitation?id={sent['id']}").problem == NOT_FOUND


def test_what_was_accepted_or_rejected_cannot_be_canceled(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    accepted, rejected = ada.invites(bo.email), ada.invites(cy.email)
    bo.done("accept-invitation", invitationId=accepted)
    cy.done("reject-invitation", invitationId=rejected)
    for over, status in ((accepted, "accepted"), (rejected, "rejected")):
        assert ada.does("cancel-invitation", invitationId=over).problem == NOT_FOUND
        assert state(ada, over)["status"] == status
    assert ada.roles()[bo.email] == "member"


def test_canceling_is_refused_in_this_order(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    invitation_id = ada.invites(new_email())
    assert cy.does("cancel-invitation", invitationId=NO_ID).problem == NOT_FOUND
    assert cy.does("cancel-invitation", invitationId=invitation_id).problem == (400, "MEMBER_NOT_FOUND")
    ada.takes_in(bo)
    answer = bo.does("cancel-invitation", invitationId=invitation_id)
    assert answer.problem == (403, "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION")
    assert answer.json()["message"] == "You are not allowed to cancel this invitation"
    assert state(ada, invitation_id)["status"] == "pending"
    # it need not be of the active organization
    ada.done("set-active", organizationId=ada.own)
    assert ada.done("cancel-invitation", invitationId=invitation_id)["status"] == "canceled"


def test_who_invited_must_still_be_there(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    invitation_id = bo.invites(cy.email)
    ada.done("remove-member", memberIdOrEmail=bo.email)
    assert cy.asks(f"get-invitation?id={invitation_id}").problem == INVITER_GONE
    answer = cy.does("accept-invitation", invitationId=invitation_id)
    assert answer.problem == INVITER_GONE
    assert answer.json()["message"] == "Inviter is no longer a member of the organization"
    assert state(ada, invitation_id)["status"] == "pending"
    assert ada.asks(f"get-invitation?id={invitation_id}").problem == FOREIGN
    ada.takes_in(bo, "admin")
    assert cy.done("accept-invitation", invitationId=invitation_id)["member"]["role"] == "member"


@pytest.mark.parametrize(
    ("was", "is_now", "grants", "accepted"),
    [
        ("admin", "member", "member", False),
        ("owner", "admin", "owner", False),
        ("owner", "admin", "owner,admin", False),
        ("owner", "admin", "admin,member", True),
        ("admin", "admin,member", "admin", True),
        ("owner", "member", "admin", False),
    ],
)
def test_who_invited_must_still_be_allowed_to_grant_it(
    ada: Person, bo: Person, cy: Person, acme: str, was: str, is_now: str, grants: str, accepted: bool
) -> None:
    member_id = ada.takes_in(bo, was)
    invitation_id = bo.invites(cy.email, grants)
    ada.done("update-member-role", memberId=member_id, role=is_now)
    answer = cy.does("accept-invitation", invitationId=invitation_id)
    assert answer.problem == ((200, None) if accepted else INVITER_GONE)
    assert (cy.email in ada.roles()) == accepted


def test_one_who_resends_it_stands_for_it(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    invitation_id = bo.invites(cy.email)
    ada.done("invite-member", email=cy.email, role="member", resend=True)
    ada.done("remove-member", memberIdOrEmail=bo.email)
    assert cy.done("accept-invitation", invitationId=invitation_id)["invitation"]["status"] == "accepted"


def test_a_rejection_needs_no_inviter(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    invitation_id = bo.invites(cy.email)
    ada.done("remove-member", memberIdOrEmail=bo.email)
    assert cy.done("reject-invitation", invitationId=invitation_id)["invitation"]["status"] == "rejected"


def test_what_nobody_stands_behind_any_more_is_shown_as_such(
    ada: Person, bo: Person, cy: Person, acme: str, clock: HandClock
) -> None:
    """Wire.md A31: nobody should press a button that cannot work."""
    member_id = ada.takes_in(bo, "admin")
    bo.done("set-active", organizationId=acme)
    invitation_id = bo.invites(cy.email)

    def told() -> tuple[object, object, int]:
        seen = cy.told(f"get-invitation?id={invitation_id}")
        checked = cy.get(f"/invitation/check?id={invitation_id}").json()["invitation"]
        assert seen["status"] == checked["status"] == "pending"
        return seen.get("acceptable"), checked.get("acceptable"), len(seen)

    assert told() == (None, None, 11)
    ada.done("update-member-role", memberId=member_id, role="member")
    assert told() == (False, False, 12)
    assert cy.does("accept-invitation", invitationId=invitation_id).problem == INVITER_GONE
    ada.done("update-member-role", memberId=member_id, role="admin")
    assert told() == (None, None, 11)
    ada.done("remove-member", memberIdOrEmail=member_id)
    checked = cy.get(f"/invitation/check?id={invitation_id}").json()["invitation"]
    assert (checked["status"], checked["acceptable"]) == ("pending", False)


def test_what_ran_out_cannot_be_accepted_and_says_so(ada: Person, cy: Person, acme: str, clock: HandClock) -> None:
    invitation_id = ada.invites(cy.email)
    clock.wind(days=7)
    checked = cy.get(f"/invitation/check?id={invitation_id}").json()["invitation"]
    assert (checked["status"], checked["acceptable"]) == ("pending", False)


@pytest.mark.parametrize("gone", ["demoted", "removed"])
def test_it_does_not_keep_the_address_from_being_invited_anew(
    ada: Person, bo: Person, cy: Person, acme: str, gone: str
) -> None:
    member_id = ada.takes_in(bo, "admin")
    bo.done("set-active", organizationId=acme)
    dead = bo.invites(cy.email)
    assert ada.does("invite-member", email=cy.email, role="member").problem[0] == 400
    if gone == "demoted":
        ada.done("update-member-role", memberId=member_id, role="member")
    else:
        ada.done("remove-member", memberIdOrEmail=member_id)
    alive = ada.invites(cy.email, "admin")
    assert alive != dead
    assert cy.does("accept-invitation", invitationId=dead).problem == (400, "INVITATION_NOT_FOUND")
    statuses = {one["id"]: one["status"] for one in ada.told("list-invitations")}
    assert (statuses[dead], statuses[alive]) == ("canceled", "pending")
    assert cy.done("accept-invitation", invitationId=alive)["member"]["role"] == "admin"


def test_a_stranger_with_the_link_of_a_closed_organization_learns_nothing(
    ada: Person, bo: Person, cy: Person, acme: str
) -> None:
    invitation_id = ada.invites(bo.email)
    ada.done("delete", organizationId=acme)
    for somebody in (bo, cy):
        for what in ("accept-invitation", "reject-invitation"):
            answer = somebody.does(what, invitationId=invitation_id)
            assert answer.problem == (400, "INVITATION_NOT_FOUND")
