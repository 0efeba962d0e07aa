"""Who sees which invitations, and what a link tells (wire.md §10, part A `/invitation/check`)."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, NOT_FOUND, Person, new_email
from tests.databases import Database


def test_an_organizations_invitations_are_listed_whatever_became_of_them(
    ada: Person, bo: Person, cy: Person, acme: str, clock: HandClock
) -> None:
    ids = []
    for email in (bo.email, cy.email, new_email(), new_email()):
        ids.append(ada.invites(email))
        clock.wind(milliseconds=1)
    bo.done("accept-invitation", invitationId=ids[0])
    cy.done("reject-invitation", invitationId=ids[1])
    ada.done("cancel-invitation", invitationId=ids[2])
    listed = ada.told("list-invitations")
    assert [invitation["id"] for invitation in listed] == ids
    assert [invitation["status"] for invitation in listed] == ["accepted", "rejected", "canceled", "pending"]
    assert ada.told(f"list-invitations?organizationId={ada.own}") == []
    assert ada.told("list-invitations?organizationId=") == listed


def test_admins_see_none_of_owners(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    ada.invites(new_email(), "owner")
    ada.invites(new_email(), "member,owner")
    plain = ada.invites(new_email())
    assert len(ada.told("list-invitations")) == 4
    assert {one["id"] for one in bo.told("list-invitations") if one["status"] == "pending"} == {plain}


def test_listing_is_refused_in_this_order(ada: Person, bo: Person, acme: str) -> None:
    assert Browser(ada.url).get("/organization/list-invitations").problem == (401, "UNAUTHORIZED")
    for organization_id in (acme, NO_ID, "no-id"):
        answer = bo.asks(f"list-invitations?organizationId={organization_id}")
        assert (answer.status, answer.json()) == (403, {"message": "You are not a member of this organization"})
    ada.takes_in(bo)
    answer = bo.asks("list-invitations")
    assert answer.problem == (403, "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS")
    assert answer.json()["message"] == "You are not allowed to list invitations for this organization"
    bo.done("set-active", organizationId=None)
    for query in ("", "?organizationId="):
        answer = bo.asks(f"list-invitations{query}")
        assert (answer.status, answer.json()) == (400, {"message": "Organization ID is required"})
    twice = bo.asks("list-invitations?organizationId=a&organizationId=b")
    assert twice.problem == (400, "VALIDATION_ERROR")


@pytest.fixture
def verified(bo: Person, module_database: Database) -> Person:
    """Somebody whose address is known to be theirs; by the owner of the tables while there is no route for it."""
    module_database.rows("UPDATE account_list SET email_verified = true WHERE user_id = %s", UUID(bo.user_id))
    return bo


def test_ones_own_invitations_need_a_verified_address(ada: Person, bo: Person, acme: str) -> None:
    ada.invites(bo.email)
    answer = bo.asks("list-user-invitations")
    assert answer.problem == (403, "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")
    assert answer.json()["message"] == "Email verification required to view or list invitations for the session email"


def test_every_list_says_of_which_nobody_could_send_them_any_more(
    ada: Person, verified: Person, cy: Person, acme: str
) -> None:
    """Wire.md A31: an admin's invitation is worth nothing while they are a plain member."""
    member_id = ada.takes_in(cy, "admin")
    cy.done("set-active", organizationId=acme)
    invitation_id, his_own = cy.invites(verified.email), ada.invites(new_email())
    over = cy.invites(new_email())
    cy.done("cancel-invitation", invitationId=over)

    def told() -> list[object]:
        """What each list says of the one, having said nothing of the others."""
        lists = [
            ada.told("list-invitations"),
            ada.told("get-full-organization")["invitations"],
            ada.told(f"get-full-organization?organizationId={acme}")["invitations"],
            verified.told("list-user-invitations"),
        ]
        said = list[object]()
        for invitations in lists:
            shown = {one["id"]: one for one in invitations}
            assert not any("acceptable" in shown[other] for other in (his_own, over) if other in shown)
            assert shown[invitation_id]["status"] == "pending"
            said.append(shown[invitation_id].get("acceptable"))
        return said

    assert told() == [None] * 4
    ada.done("update-member-role", memberId=member_id, role="member")
    assert told() == [False] * 4
    ada.done("update-member-role", memberId=member_id, role="admin")
    assert told() == [None] * 4
    ada.done("remove-member", memberIdOrEmail=member_id)
    assert told() == [False] * 4


def test_nobody_asks_for_anothers(verified: Person, ada: Person) -> None:
    for asked in (Browser(ada.url), ada, verified):
        answer = asked.get(f"/organization/list-user-invitations?email={verified.email}")
        assert (answer.status, set(answer.json())) == (400, {"message"})
    answer = Browser(ada.url).get("/organization/list-user-invitations")
    assert answer.status == 400
    assert answer.json() == {"message": "Missing session headers, or email query parameter."}


def test_ones_own_are_those_nobody_answered(ada: Person, verified: Person, acme: str, clock: HandClock) -> None:
    bo = verified
    pending = ada.done("invite-member", email=bo.email.upper(), role="admin")
    name = ada.told("get-organization")["name"]
    ada.done("update", organizationId=ada.own, data={"name": "Home"})
    clock.wind(milliseconds=1)
    second = ada.done("invite-member", email=bo.email, role="member", organizationId=ada.own)
    ada.invites(new_email())
    listed = bo.told("list-user-invitations")
    assert listed == [{**pending, "organizationName": name}, {**second, "organizationName": "Home"}]
    ada.done("cancel-invitation", invitationId=second["id"])
    assert [one["id"] for one in bo.told("list-user-invitations")] == [pending["id"]]
    clock.wind(days=8)
    bo.sign_in(bo.email)
    assert [one["id"] for one in bo.told("list-user-invitations")] == [pending["id"]]
    assert bo.does("accept-invitation", invitationId=pending["id"]).problem == NOT_FOUND
    assert bo.told("list-user-invitations") == [{**pending, "organizationName": name}]
    bo.done("reject-invitation", invitationId=pending["id"])
    assert bo.told("list-user-invitations") == []


def test_what_was_accepted_or_closed_is_not_among_ones_own(ada: Person, verified: Person, acme: str) -> None:
    ada.invites(verified.email, organizationId=ada.own)
    ada.takes_in(verified)
    assert [one["organizationId"] for one in verified.told("list-user-invitations")] == [ada.own]
    ada.done("delete", organizationId=ada.own)
    assert verified.told("list-user-invitations") == []


def test_a_link_tells_its_holder_what_the_sign_up_page_needs(ada: Person, bo: Person, acme: str) -> None:
    email = new_email()
    ada.done("update", data={"name": "Acme Works"})
    new, known = ada.invites(email.upper(), "admin"), ada.invites(bo.email)
    anonymous = Browser(ada.url)
    answer = anonymous.get(f"/invitation/check?id={new}")
    assert (answer.status, answer.set_cookies) == (200, [])
    assert answer.json() == {
        "invitation": {
            "email": email,
            "organizationName": "Acme Works",
            "role": "admin",
            "status": "pending",
            "expiresAt": "2026-03-21T12:00:00.000Z",
        },
        "userExists": False,
    }
    assert anonymous.get(f"/invitation/check?id={known}").json()["userExists"] is True
    # nothing is used up by looking
    assert anonymous.get(f"/invitation/check?id={new}").json() == answer.json()
    assert bo.done("accept-invitation", invitationId=known)["member"]["userId"] == bo.user_id


def test_a_link_tells_how_it_ended(ada: Person, bo: Person, acme: str, clock: HandClock) -> None:
    anonymous, ran_out = Browser(ada.url), ada.invites(new_email())

    def status(invitation_id: str) -> object:
        return anonymous.get(f"/invitation/check?id={invitation_id}").json()["invitation"]["status"]

    rejected = ada.invites(bo.email)
    bo.done("reject-invitation", invitationId=rejected)
    accepted = ada.invites(bo.email)
    bo.done("accept-invitation", invitationId=accepted)
    canceled = ada.invites(new_email())
    ada.done("cancel-invitation", invitationId=canceled)
    clock.wind(days=7)
    assert [status(one) for one in (rejected, accepted, canceled, ran_out)] == [
        "rejected", "accepted", "canceled", "pending"
    ]  # fmt: skip


@pytest.mark.parametrize("unknown", [NO_ID, "no-id", "%C3%BC", "%27", "%00"])
def test_an_unknown_link_tells_nothing(ada: Person, unknown: str) -> None:
    answer = Browser(ada.url).get(f"/invitation/check?id={unknown}")
    assert (answer.status, answer.json()) == (400, {"message": "Invitation not found", "code": "INVITATION_NOT_FOUND"})


def test_a_link_is_asked_for_once(ada: Person) -> None:
    for query in ("", "?id=a&id=b"):
        assert Browser(ada.url).get(f"/invitation/check{query}").problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "x"])
@pytest.mark.parametrize(
    "path",
    [
        "/list-sessions",
        *(f"/organization/{name}" for name in ("list-members", "list-invitations", "get-full-organization")),
    ],
)
def test_whoever_asks_for_the_past_is_not_told_the_present(ada: Person, path: str, moment: str) -> None:
    answer = ada.get(f"{path}?asOf={moment}")
    assert (answer.status, answer.json()["message"]) == (400, "[query.asOf] Invalid input")
    assert ada.get(f"{path}?asOf=").status == 200
