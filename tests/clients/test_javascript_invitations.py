"""Invitations by link through the official JavaScript client (product page; wire.md §10.2, A4, A6, A28)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from tests.api.conftest import HandClock
from tests.clients.javascript import ANOTHER_BROWSER, Application, dated
from tests.clients.team import Teammate, join, new_email
from tests.databases import Database
from tests.people import NOON, PASSWORD

NOT_FOUND = (400, "INVITATION_NOT_FOUND")
ALREADY_A_MEMBER = (400, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION")
NOT_WITH_THIS_ROLE = (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE")
NOT_TO_BE_CANCELED = (403, "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION")
NOT_THE_RECIPIENT = "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION"


def test_a_new_person_follows_the_link_signs_up_and_is_in(
    ada: Teammate, acme: str, desk: Callable[[str], Application]
) -> None:
    ada.shows(invitations=[], members={"Ada": "owner"})
    browser, email = desk("Bo"), new_email("bo")
    invited = ada.does("inviteMember", email=email, role="admin")
    ada.shows(invitations=[(email, "pending")])

    browser.take(ANOTHER_BROWSER)
    checked = browser.call("invitation.check", query={"id": invited["id"]})
    assert checked.data["userExists"] is False
    assert checked.data["invitation"] == {
        "email": email,
        "organizationName": "Acme",
        "role": "admin",
        "status": "pending",
        "expiresAt": invited["expiresAt"],
    }

    bo = Teammate(browser, "Bo", email, callbackURL=join(invited["id"]))

    bo.shows(active=acme, organizations=["Acme"], organization="Acme", role="admin", named_role="admin")
    bo.shows(members={"Ada": "owner", "Bo": "admin"}, invitations=[(email, "accepted")])
    assert [one["status"] for one in ada.does("listInvitations")] == ["accepted"]
    ada.shows(members={"Ada": "owner", "Bo": "admin"}, invitations=[(email, "accepted")])


def test_somebody_with_an_account_follows_the_link_signs_in_reviews_and_accepts(
    ada: Teammate, bo: Teammate, acme: str
) -> None:
    own = bo.does("getOrganization")["id"]
    bo.browser.call("signOut")
    invited = ada.does("inviteMember", email=bo.email, role="member")

    checked = bo.browser.call("invitation.check", query={"id": invited["id"]})
    assert checked.data["userExists"] is True
    signed_in = bo.browser.call("signIn.email", email=bo.email, password=PASSWORD, callbackURL=join(invited["id"]))
    assert (signed_in.data["redirect"], signed_in.data["url"]) == (True, join(invited["id"]))
    bo.shows(active=own, organization="Bo's Organization", organizations=["Bo's Organization"], role="owner")

    slug = ada.does("getOrganization")["slug"]
    asked = {"organizationName": "Acme", "organizationSlug": slug, "inviterEmail": ada.email}
    assert bo.does("getInvitation", query={"id": invited["id"]}) == {**invited, **asked}
    accepted = bo.does("acceptInvitation", invitationId=invited["id"])

    member = accepted["member"]
    assert accepted["invitation"] == {**invited, "status": "accepted"}
    assert (member["organizationId"], member["userId"], member["role"]) == (acme, bo.user_id, "member")
    bo.shows(active=acme, organization="Acme", members={"Ada": "owner", "Bo": "member"}, invitations=[], role="member")
    bo.lists_again()
    bo.shows(organizations=["Bo's Organization", "Acme"])
    listed = ada.does("listMembers")
    assert listed["total"] == 2
    assert listed["members"][1] == {
        **member, "user": {"id": bo.user_id, "name": "Bo", "email": bo.email, "image": None}
    }  # fmt: skip


def test_who_does_not_want_to_join_rejects_and_can_be_asked_again(ada: Teammate, bo: Teammate, acme: str) -> None:
    ada.shows(invitations=[])
    bo.shows(organization="Bo's Organization")
    invited = ada.does("inviteMember", email=bo.email, role="member")

    rejected = bo.does("rejectInvitation", invitationId=invited["id"])

    assert rejected == {"invitation": {**invited, "status": "rejected"}, "member": None}
    bo.shows(organization="Bo's Organization")
    assert bo.refused("acceptInvitation", invitationId=invited["id"]) == NOT_FOUND
    assert bo.refused("getInvitation", query={"id": invited["id"]}) == NOT_FOUND
    again = ada.invites(bo.email, "admin")
    assert again != invited["id"]
    ada.shows(invitations=[(bo.email, "rejected"), (bo.email, "pending")])
    assert bo.does("acceptInvitation", invitationId=again)["member"]["role"] == "admin"
    bo.shows(active=acme, role="admin")


def test_an_invitation_that_was_taken_back_leads_nowhere_until_the_next(ada: Teammate, bo: Teammate, acme: str) -> None:
    ada.shows(invitations=[])
    invited = ada.does("inviteMember", email=bo.email, role="member")
    canceled = {**invited, "status": "canceled"}

    assert ada.does("cancelInvitation", invitationId=invited["id"]) == canceled
    assert ada.does("cancelInvitation", invitationId=invited["id"]) == canceled

    ada.shows(invitations=[(bo.email, "canceled")])
    checked = bo.browser.call("invitation.check", query={"id": invited["id"]})
    assert checked.data["invitation"]["status"] == "canceled"
    assert bo.refused("acceptInvitation", invitationId=invited["id"]) == NOT_FOUND
    rejecting = bo.browser.call("organization.rejectInvitation", invitationId=invited["id"])
    assert (rejecting.error["code"], rejecting.error["message"]) == ("INVITATION_NOT_FOUND", "Invitation not found!")
    again = ada.invites(bo.email)
    assert bo.does("acceptInvitation", invitationId=again)["invitation"]["id"] == again != invited["id"]
    assert ada.refused("cancelInvitation", invitationId=again) == NOT_FOUND
    bo.shows(active=acme)


def test_an_invitation_is_sent_again_with_the_same_link_and_more_time(ada: Teammate, acme: str) -> None:
    email = new_email()
    first = ada.does("inviteMember", email=email.upper(), role=["admin", "member"], organizationId=acme)
    assert (first["email"], first["role"], first["inviterId"]) == (email, "admin,member", ada.user_id)
    assert first["expiresAt"] - first["createdAt"] == timedelta(days=7)

    refused = ada.refused("inviteMember", email=email, role="member")
    resent = ada.does("inviteMember", email=email, role="member", resend=True)

    assert refused == (400, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION")
    assert resent["expiresAt"] > first["expiresAt"]
    assert resent == {**first, "expiresAt": resent["expiresAt"]}
    assert ada.does("listInvitations", query={"organizationId": acme}) == [resent]


def test_who_was_removed_can_be_invited_back(ada: Teammate, bo: Teammate, acme: str) -> None:
    first = ada.takes_in(bo)
    assert ada.refused("inviteMember", email=bo.email, role="member") == ALREADY_A_MEMBER
    ada.does("removeMember", memberIdOrEmail=first)

    assert ada.takes_in(bo, "admin") != first

    bo.shows(active=acme, role="admin", members={"Ada": "owner", "Bo": "admin"})


def test_a_link_is_no_use_to_anybody_else(ada: Teammate, bo: Teammate, cy: Teammate, acme: str) -> None:
    invitation_id = ada.invites(bo.email)

    for person in (ada, cy):
        assert person.refused("getInvitation", query={"id": invitation_id}) == (403, NOT_THE_RECIPIENT)
        assert person.refused("acceptInvitation", invitationId=invitation_id) == (403, NOT_THE_RECIPIENT)
        assert person.refused("rejectInvitation", invitationId=invitation_id) == (403, NOT_THE_RECIPIENT)
    assert cy.refused("cancelInvitation", invitationId=invitation_id) == (400, "MEMBER_NOT_FOUND")
    bo.does("acceptInvitation", invitationId=invitation_id)


def test_signing_up_by_a_link_for_another_address_makes_no_account(
    ada: Teammate, acme: str, desk: Callable[[str], Application]
) -> None:
    email, invitation_id, browser = new_email(), ada.invites(new_email()), desk("Bo")
    browser.take(ANOTHER_BROWSER)
    filled = {"name": "Bo", "email": email, "password": PASSWORD}

    refused = browser.call("signUp.email", **filled, callbackURL=join(invitation_id))

    assert ada.told_no(refused) == (400, NOT_THE_RECIPIENT)
    assert browser.call("getSession").data is None
    assert browser.call("signIn.email", email=email, password=PASSWORD).error["status"] == 401
    assert browser.call("signUp.email", **filled, callbackURL=join("f" * 32)).error["code"] == NOT_FOUND[1]
    assert browser.call("signUp.email", **filled).error is None


def test_what_one_is_invited_to_is_listed_once_the_address_is_verified(
    ada: Teammate, bo: Teammate, acme: str, module_database: Database
) -> None:
    invited = ada.does("inviteMember", email=bo.email, role="member")
    assert bo.refused("listUserInvitations") == (403, "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")

    module_database.rows("UPDATE account_list SET email_verified = true WHERE user_id = %s", UUID(bo.user_id))

    listed = bo.browser.call("organization.listUserInvitations")
    assert listed.data == [{**invited, "organizationName": "Acme"}] == dated(listed.raw)


def test_who_may_not_invite_is_told_so(ada: Teammate, bo: Teammate, cy: Teammate, acme: str) -> None:
    someone = {"email": new_email(), "role": "member", "organizationId": acme}
    ada.takes_in(bo, "admin")
    assert cy.refused("inviteMember", **someone) == (400, "MEMBER_NOT_FOUND")
    ada.takes_in(cy)

    assert bo.refused("inviteMember", **{**someone, "role": "owner"}) == NOT_WITH_THIS_ROLE
    assert cy.refused("inviteMember", **someone) == (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION")
    assert cy.refused("listInvitations") == (403, "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS")
    assert cy.refused("cancelInvitation", invitationId=bo.invites(new_email())) == NOT_TO_BE_CANCELED
    malformed = ada.browser.call("organization.inviteMember", email="not an address", role="member")
    assert (malformed.error["status"], malformed.error["code"]) == (400, "INVALID_EMAIL")
    unknown = ada.browser.call("organization.inviteMember", email=new_email(), role="nope")
    error = {"message": "ROLE_NOT_FOUND: nope", "status": 400, "statusText": "Bad Request"}
    assert (unknown.data, unknown.error) == (None, error)


def test_a_link_runs_out_after_seven_days_and_a_new_one_works(
    by_the_day: tuple[HandClock, Teammate, Teammate],
) -> None:
    clock, ada, bo = by_the_day
    invited = ada.does("inviteMember", email=bo.email, role="member")
    assert invited["expiresAt"] == NOON + timedelta(days=7)
    clock.wind(days=6)
    ada.signs_in()
    bo.signs_in()
    assert bo.does("getInvitation", query={"id": invited["id"]})["status"] == "pending"

    clock.wind(days=1)

    assert bo.refused("getInvitation", query={"id": invited["id"]}) == NOT_FOUND
    assert bo.refused("acceptInvitation", invitationId=invited["id"]) == NOT_FOUND
    assert [one["status"] for one in ada.does("listInvitations")] == ["pending"]
    again = ada.does("inviteMember", email=bo.email, role="admin")
    assert (again["role"], again["expiresAt"]) == ("admin", NOON + timedelta(days=14))
    assert again["id"] != invited["id"]
    assert bo.does("acceptInvitation", invitationId=again["id"])["member"]["role"] == "admin"
