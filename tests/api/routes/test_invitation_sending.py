"""Inviting somebody, and inviting them again (wire.md §10.2, A6, A26)."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, Person, new_email
from tests.databases import Database

INVITED = (400, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION")
NOT_AS = (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE")


def test_an_invitation_is_pending_for_a_week(ada: Person, acme: str) -> None:
    email = new_email()
    sent = ada.done("invite-member", email=email.upper(), role="admin")
    assert sent == {
        "id": sent["id"],
        "organizationId": acme,
        "email": email,
        "role": "admin",
        "status": "pending",
        "expiresAt": "2026-03-21T12:00:00.000Z",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "inviterId": ada.user_id,
    }
    assert ada.told("list-invitations") == [sent]


def test_the_id_is_kept_nowhere_in_the_database(ada: Person, acme: str, module_database: Database) -> None:
    invitation_id = ada.invites(new_email())
    [(row,)] = module_database.rows("SELECT i::text FROM invitation_list i WHERE organization_id = %s", UUID(acme))
    assert invitation_id not in row.replace("-", "")
    streams = module_database.rows("SELECT DISTINCT stream_id FROM events")
    assert invitation_id not in {stream_id.hex for (stream_id,) in streams}
    assert len(invitation_id) == 32


def test_what_is_not_for_the_inviter_to_say_is_ignored(ada: Person, bo: Person, acme: str) -> None:
    others = {"status": "accepted", "inviterId": bo.user_id, "expiresAt": "2030-01-01T00:00:00.000Z", "id": NO_ID}
    sent = ada.done("invite-member", email=new_email(), role="member", **others)
    assert (sent["status"], sent["inviterId"]) == ("pending", ada.user_id)
    assert sent["expiresAt"] == "2026-03-21T12:00:00.000Z"
    assert sent["id"] != NO_ID


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ("admin,member", "admin,member"),
        (" admin , member", "admin,member"),
        (["member", "admin"], "member,admin"),
        # Better Auth drops blank names
        ("member,", "member"),
        (["member", ""], "member"),
    ],
)
def test_several_roles_are_given_as_text_or_list(ada: Person, acme: str, given: object, role: str) -> None:
    assert ada.done("invite-member", email=new_email(), role=given)["role"] == role


def test_inviting_is_refused_in_this_order(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    form = {"email": "no address", "role": "", "organizationId": acme}
    anonymous = Browser(ada.url)
    assert anonymous.post("/organization/invite-member", {"email": "no address"}).problem == (400, "VALIDATION_ERROR")
    assert anonymous.post("/organization/invite-member", form).problem == (401, "UNAUTHORIZED")
    cy.done("set-active", organizationId=None)
    assert cy.does("invite-member", email="no address", role="").problem == (400, "ORGANIZATION_NOT_FOUND")
    assert cy.does("invite-member", **{**form, "organizationId": ""}).problem == (400, "ORGANIZATION_NOT_FOUND")
    answer = cy.does("invite-member", **form)
    assert (answer.status, answer.json()) == (400, {"message": "Invalid email", "code": "INVALID_EMAIL"})
    for organization_id in (acme, NO_ID, "no id"):
        form = {"email": ada.email, "role": "", "organizationId": organization_id}
        assert cy.does("invite-member", **form).problem == (400, "MEMBER_NOT_FOUND")
    ada.takes_in(bo)
    answer = bo.does("invite-member", email=ada.email, role="")
    assert answer.problem == (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION")
    assert answer.json()["message"] == "You are not allowed to invite users to this organization"
    ada.takes_in(cy, "admin")
    for empty in ("", " ", list[str]()):
        assert cy.does("invite-member", email=ada.email, role=empty).problem == (400, "ROLE_NOT_FOUND")
    for unknown in ("nope", "nope,owner", ["admin", "nope"]):
        answer = cy.does("invite-member", email=ada.email, role=unknown)
        assert (answer.status, answer.json()) == (400, {"message": "ROLE_NOT_FOUND: nope"})
    answer = cy.does("invite-member", email=ada.email, role="owner")
    assert answer.problem == NOT_AS
    assert answer.json()["message"] == "You are not allowed to invite a user with this role"
    answer = cy.does("invite-member", email=ada.email.upper(), role="admin")
    assert answer.problem == (400, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION")
    email = new_email()
    cy.invites(email)
    assert cy.does("invite-member", email=email.upper(), role="admin").problem == INVITED
    assert len(ada.told("list-invitations")) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "member"},
        {"email": None, "role": "member"},
        {"email": "a@x.io"},
        {"email": "a@x.io", "role": None},
        {"email": "a@x.io", "role": [1]},
        {"email": "a@x.io", "role": "member", "resend": "true"},
        {"email": "a@x.io", "role": "member", "organizationId": 5},
    ],
)
def test_these_are_no_invitations(ada: Person, fields: dict[str, object]) -> None:
    assert ada.does("invite-member", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/invite-member", fields).problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("role", [5, None, {}, ["admin", 5]])
def test_what_may_be_one_of_several_types_is_refused_without_our_names_for_them(ada: Person, role: object) -> None:
    refused = ada.does("invite-member", email="bo@example.com", role=role).json()
    assert refused == {"code": "VALIDATION_ERROR", "message": "[body.role] Invalid input"}


@pytest.mark.parametrize("address", ["", "ada", "a@b", " a@x.io", "a@x.io ", "ü@x.io", "a@127.0.0.1", '"a"@x.io'])
def test_these_are_no_addresses(ada: Person, acme: str, address: str) -> None:
    assert ada.does("invite-member", email=address, role="member").problem == (400, "INVALID_EMAIL")


def test_resent_it_keeps_id_and_role_and_its_clock_starts_anew(ada: Person, acme: str, clock: HandClock) -> None:
    email = new_email()
    sent = ada.done("invite-member", email=email, role="admin")
    clock.wind(days=2, milliseconds=5)
    resent = ada.done("invite-member", email=email.upper(), role="member", resend=True)
    assert resent == {**sent, "expiresAt": "2026-03-23T12:00:00.005Z"}
    assert ada.told("list-invitations") == [resent]
    clock.wind(days=6, hours=23)
    assert ada.does("invite-member", email=email, role="member").problem == INVITED


def test_where_nothing_is_pending_resending_is_sending(ada: Person, acme: str) -> None:
    sent = ada.done("invite-member", email=new_email(), role="admin", resend=True)
    assert (sent["role"], sent["status"]) == ("admin", "pending")


def test_an_admin_does_not_resend_what_an_owner_offered(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    ada.takes_in(bo, "admin")
    email = new_email()
    sent = ada.done("invite-member", email=email, role="owner")
    clock.wind(hours=1)
    assert bo.does("invite-member", email=email, role="member").problem == INVITED
    assert bo.does("invite-member", email=email, role="member", resend=True).problem == NOT_AS
    assert ada.told("list-invitations")[-1] == sent


def test_pending_in_one_organization_is_no_hindrance_in_another(ada: Person, acme: str) -> None:
    email = new_email()
    first, second = ada.invites(email), ada.invites(email, organizationId=ada.own)
    assert first != second


def test_after_every_end_an_address_can_be_invited_again(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    rejected = ada.invites(bo.email)
    bo.done("reject-invitation", invitationId=rejected)
    canceled = ada.invites(bo.email)
    ada.done("cancel-invitation", invitationId=canceled)
    ran_out = ada.invites(bo.email)
    clock.wind(days=7)
    bo.sign_in(bo.email)
    ada.sign_in(ada.email)
    accepted = ada.invites(bo.email, "admin")
    member_id = bo.done("accept-invitation", invitationId=accepted)["member"]["id"]
    ada.done("remove-member", memberIdOrEmail=member_id)
    again = ada.invites(bo.email)
    assert len({rejected, canceled, ran_out, accepted, again}) == 5
    states = [(invitation["id"], invitation["status"]) for invitation in ada.told("list-invitations")]
    assert sorted(states) == sorted([
        (rejected, "rejected"), (canceled, "canceled"), (ran_out, "pending"), (accepted, "accepted"),
        (again, "pending"),
    ])  # fmt: skip


def test_it_runs_out_at_its_very_moment(ada: Person, acme: str, clock: HandClock) -> None:
    email = new_email()
    first = ada.invites(email)
    clock.wind(days=7, milliseconds=-1)
    ada.sign_in(ada.email)
    assert ada.does("invite-member", email=email, role="member").problem == INVITED
    clock.wind(milliseconds=1)
    second = ada.done("invite-member", email=email, role="member", resend=True)
    assert second["id"] != first
    assert second["expiresAt"] == "2026-03-28T12:00:00.000Z"


def test_it_is_sent_to_the_named_organization_else_to_the_active_one(ada: Person, acme: str) -> None:
    assert ada.done("invite-member", email=new_email(), role="member", organizationId="")["organizationId"] == acme
    named = ada.done("invite-member", email=new_email(), role="member", organizationId=ada.own)
    assert named["organizationId"] == ada.own
