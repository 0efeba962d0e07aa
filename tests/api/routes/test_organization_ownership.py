"""Handing an organization over (wire.md part A, `/organization/transfer-ownership`)."""

from __future__ import annotations

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import MEMBER_NOT_FOUND, NO_ACTIVE, NO_ID, Person, new_email
from tests.databases import Database
from tests.people import PASSWORD

NOT_ALLOWED = (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER")
NOT_FRESH = (403, "SESSION_NOT_FRESH")


def test_the_member_becomes_owner_and_the_caller_admin(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    assert ada.done("transfer-ownership", memberId=member_id) == {
        "id": member_id,
        "organizationId": acme,
        "userId": bo.user_id,
        "role": "owner",
        "createdAt": "2026-03-14T12:00:00.000Z",
    }
    assert ada.roles() == {ada.email: "admin", bo.email: "owner"}
    assert ada.does("delete", organizationId=acme).problem[0] == 403
    assert bo.done("delete", organizationId=acme)["id"] == acme


def test_the_new_owner_is_the_only_one_then(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.done("transfer-ownership", memberId=member_id)
    only = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER"
    assert bo.does("leave", organizationId=acme).problem == (400, only)
    demoted = bo.does("update-member-role", memberId=member_id, role="admin")
    assert demoted.problem == (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER")
    assert ada.does("remove-member", memberIdOrEmail=member_id).problem == (400, only)
    bo.done("remove-member", memberIdOrEmail=ada.email)
    assert bo.roles() == {bo.email: "owner"}


def test_it_is_one_commit(ada: Person, bo: Person, acme: str, module_database: Database) -> None:
    member_id = ada.takes_in(bo)
    before = module_database.value("SELECT count(*) FROM commands")
    ada.done("transfer-ownership", memberId=member_id)
    assert module_database.value("SELECT count(*) FROM commands") == before + 1


def test_other_roles_of_both_give_way(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo, "admin,member")
    ada.done("update-member-role", memberId=ada.member_id(), role="owner,member")
    ada.done("transfer-ownership", memberId=member_id)
    assert ada.roles() == {ada.email: "admin", bo.email: "owner"}


def test_another_owner_may_be_the_only_one_then(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    member_id = ada.takes_in(bo, "owner")
    ada.takes_in(cy, "owner")
    ada.done("transfer-ownership", memberId=member_id)
    assert ada.roles() == {ada.email: "admin", bo.email: "owner", cy.email: "owner"}


def test_it_can_be_handed_back(ada: Person, bo: Person, acme: str) -> None:
    own, other = ada.member_id(), ada.takes_in(bo)
    ada.done("transfer-ownership", memberId=other)
    bo.done("transfer-ownership", memberId=own)
    assert ada.roles() == {ada.email: "owner", bo.email: "admin"}


def test_it_takes_a_fresh_session(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    member_id = ada.takes_in(bo)
    clock.wind(hours=24)
    answer = ada.does("transfer-ownership", memberId=member_id)
    assert answer.problem == NOT_FRESH
    assert "password" in answer.json()["message"]
    # nobody is asked to confirm their password for what would be refused all the same
    assert ada.does("transfer-ownership", memberId=NO_ID).problem == MEMBER_NOT_FOUND
    assert bo.does("transfer-ownership", memberId=member_id).problem == NOT_ALLOWED
    assert ada.post("/verify-password", {"password": PASSWORD}).status == 200
    ada.done("transfer-ownership", memberId=member_id)
    assert ada.roles() == {ada.email: "admin", bo.email: "owner"}


def test_a_moment_before_the_session_is_fresh(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    member_id = ada.takes_in(bo)
    clock.wind(hours=24, milliseconds=-1)
    ada.done("transfer-ownership", memberId=member_id)


def test_it_is_refused_in_this_order(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    anonymous = Browser(ada.url)
    assert anonymous.post("/organization/transfer-ownership", {}).problem == (400, "VALIDATION_ERROR")
    fields = {"memberId": NO_ID}
    assert anonymous.post("/organization/transfer-ownership", fields).problem == (401, "UNAUTHORIZED")
    member_id = ada.takes_in(bo, "admin")
    plain = ada.takes_in(cy)
    for unknown in (NO_ID, "no id", "", bo.user_id):
        assert ada.does("transfer-ownership", memberId=unknown).problem == MEMBER_NOT_FOUND
    assert bo.does("transfer-ownership", memberId=plain).problem == NOT_ALLOWED
    assert bo.does("transfer-ownership", memberId=member_id).problem == NOT_ALLOWED
    assert cy.does("transfer-ownership", memberId=plain).problem == NOT_ALLOWED
    # of other organizations nothing is told
    for asking in (ada, bo, cy):
        assert asking.does("transfer-ownership", memberId=bo.member_id(bo.own)).problem == MEMBER_NOT_FOUND
        assert asking.does("transfer-ownership", memberId=NO_ID).problem == MEMBER_NOT_FOUND
    assert ada.does("transfer-ownership", memberId=ada.member_id()).problem == NOT_ALLOWED
    stranger = bo.does("transfer-ownership", memberId=ada.member_id(ada.own), organizationId=ada.own)
    assert stranger.problem == MEMBER_NOT_FOUND
    assert ada.roles() == {ada.email: "owner", bo.email: "admin", cy.email: "member"}
    ada.done("remove-member", memberIdOrEmail=plain)
    assert ada.does("transfer-ownership", memberId=plain).problem == MEMBER_NOT_FOUND
    ada.done("set-active", organizationId=None)
    assert ada.does("transfer-ownership", memberId=member_id).problem == NO_ACTIVE
    ada.done("transfer-ownership", memberId=member_id, organizationId=acme)
    assert bo.roles(acme) == {ada.email: "admin", bo.email: "owner"}


def test_so_does_every_other_way_to_ownership_and_away_from_it(
    ada: Person, bo: Person, cy: Person, acme: str, clock: HandClock
) -> None:
    own, owner, plain = ada.member_id(), ada.takes_in(bo, "owner"), ada.takes_in(cy)
    guest = new_email()
    ada.invites(guest, "owner")
    ways: list[tuple[str, dict[str, object]]] = [
        ("invite-member", {"email": new_email(), "role": "owner"}),
        ("invite-member", {"email": guest, "role": "member", "resend": True}),
        ("update-member-role", {"memberId": plain, "role": "owner"}),
        ("update-member-role", {"memberId": owner, "role": "member"}),
        ("update-member-role", {"memberId": own, "role": "admin"}),
        ("remove-member", {"memberIdOrEmail": owner}),
        ("remove-member", {"memberIdOrEmail": bo.email}),
        ("leave", {"organizationId": acme}),
        ("transfer-ownership", {"memberId": owner}),
        ("delete", {"organizationId": acme}),
    ]
    clock.wind(hours=24)
    assert {what: ada.does(what, **fields).problem for what, fields in ways} == {what: NOT_FRESH for what, _ in ways}
    # what takes no owner's place is open all the same
    ada.invites(new_email(), "admin")
    ada.done("update-member-role", memberId=plain, role="admin")
    ada.done("remove-member", memberIdOrEmail=plain)
    assert ada.roles() == {ada.email: "owner", bo.email: "owner"}
    assert ada.post("/verify-password", {"password": PASSWORD}).status == 200
    for what, fields in ways[:2]:
        ada.done(what, **fields)
    ada.done("remove-member", memberIdOrEmail=owner)
    ada.done("delete", organizationId=acme)


def test_who_was_invited_as_an_owner_accepts_with_the_session_they_have(
    ada: Person, bo: Person, acme: str, clock: HandClock
) -> None:
    link = ada.invites(bo.email, "owner")
    clock.wind(days=3)
    assert bo.done("accept-invitation", invitationId=link)["member"]["role"] == "owner"
    # and does nothing with it before they say who they are
    assert bo.does("delete", organizationId=acme).problem == NOT_FRESH
