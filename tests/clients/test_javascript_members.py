"""Members through the official JavaScript client: roles, going, ownership, lists (product page; wire.md §10.3, A9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.api.conftest import HandClock
from tests.clients.javascript import Outcome, dated
from tests.clients.team import Teammate
from tests.people import PASSWORD

ONLY_OWNER = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")
NOT_TO_BE_UPDATED = (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER")
WITHOUT_AN_OWNER = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER")
NO_ACTIVE = (400, "NO_ACTIVE_ORGANIZATION")
NOT_A_MEMBER = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
ACTIONS = {
    "organization": ["update", "delete"],
    "member": ["create", "update", "delete"],
    "invitation": ["create", "cancel"],
    "team": ["create", "update", "delete"],
    "ac": ["create", "read", "update", "delete"],
}
"""What the client's own table of roles knows, with two it does not."""


def test_a_member_becomes_an_admin_and_a_member_again(ada: Teammate, bo: Teammate, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.shows(members={"Ada": "owner", "Bo": "member"}, role="owner")
    bo.shows(members={"Ada": "owner", "Bo": "member"}, role="member", named_role="member")

    updated = ada.does("updateMemberRole", memberId=member_id, role="admin")

    assert (updated["id"], updated["organizationId"], updated["role"]) == (member_id, acme, "admin")
    assert isinstance(updated["createdAt"], datetime)
    ada.shows(members={"Ada": "owner", "Bo": "admin"}, role="owner")
    assert bo.does("hasPermission", permissions={"member": ["update"]}) == {"error": None, "success": True}
    bo.shows(members={"Ada": "owner", "Bo": "admin"}, role="admin", named_role="admin")
    assert bo.does("updateMemberRole", memberId=member_id, role=["member"], organizationId=acme)["role"] == "member"
    bo.shows(members={"Ada": "owner", "Bo": "member"}, role="member", named_role="member")


def test_what_may_not_be_made_of_a_member_is_refused(ada: Teammate, bo: Teammate, cy: Teammate, acme: str) -> None:
    boss, admin, member = ada.member_id(), ada.takes_in(bo, "admin"), ada.takes_in(cy)

    assert bo.refused("updateMemberRole", memberId=boss, role="member") == NOT_TO_BE_UPDATED
    assert bo.refused("updateMemberRole", memberId=member, role="owner") == NOT_TO_BE_UPDATED
    assert cy.refused("updateMemberRole", memberId=member, role="admin") == NOT_TO_BE_UPDATED
    assert ada.refused("updateMemberRole", memberId=admin[::-1], role="admin") == (400, "MEMBER_NOT_FOUND")
    unknown = ada.browser.call("organization.updateMemberRole", memberId=member, role="nope")
    assert (unknown.error["status"], unknown.error["code"]) == (400, "ROLE_NOT_FOUND")
    assert unknown.error["message"] == "ROLE_NOT_FOUND: nope"
    empty = ada.browser.call("organization.updateMemberRole", memberId=member, role="")
    assert (empty.data, empty.error) == (None, {"status": 400, "statusText": "Bad Request"})
    ada.shows(members={"Ada": "owner", "Bo": "admin", "Cy": "member"})


def test_who_is_removed_sees_it_at_the_next_call_and_keeps_what_else_they_have(
    ada: Teammate, bo: Teammate, acme: str
) -> None:
    own = bo.does("getOrganization")["id"]
    member_id = ada.takes_in(bo)
    ada.shows(members={"Ada": "owner", "Bo": "member"})
    bo.shows(active=acme, organizations=["Bo's Organization", "Acme"], organization="Acme", role="member")

    assert ada.does("removeMember", memberIdOrEmail=member_id)["member"]["id"] == member_id

    ada.shows(members={"Ada": "owner"}, active=acme)
    assert [organization["id"] for organization in bo.does("list")] == [own]
    bo.shows(organization=None, role=NO_ACTIVE[1], named_role=NO_ACTIVE[1])
    assert bo.browser.call("getSession").data["session"]["activeOrganizationId"] is None
    assert bo.refused("getActiveMember") == NO_ACTIVE
    assert bo.refused("listMembers", query={"organizationId": acme}) == NOT_A_MEMBER
    bo.does("setActive", organizationId=own)
    bo.lists_again()
    bo.shows(active=own, organizations=["Bo's Organization"], organization="Bo's Organization", role="owner")


def test_a_member_is_removed_by_their_address_and_a_member_removes_nobody(
    ada: Teammate, bo: Teammate, cy: Teammate, acme: str
) -> None:
    ada.takes_in(bo)
    ada.takes_in(cy, "admin")

    not_by_bo = bo.refused("removeMember", memberIdOrEmail=cy.email)
    removed = cy.does("removeMember", memberIdOrEmail=bo.email.upper())["member"]

    assert not_by_bo == (401, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER")
    assert removed["user"] == {"id": bo.user_id, "name": "Bo", "email": bo.email, "image": None}
    assert cy.refused("removeMember", memberIdOrEmail=bo.email, organizationId=acme) == (400, "MEMBER_NOT_FOUND")
    assert cy.refused("removeMember", memberIdOrEmail=ada.email) == ONLY_OWNER
    cy.shows(members={"Ada": "owner", "Cy": "admin"})


def test_who_leaves_has_no_active_organization_until_they_choose_one(ada: Teammate, bo: Teammate, acme: str) -> None:
    own = bo.does("getOrganization")["id"]
    member_id = ada.takes_in(bo)
    bo.shows(active=acme, organizations=["Bo's Organization", "Acme"], organization="Acme", role="member")

    left = bo.does("leave", organizationId=acme)

    assert (left["id"], left["user"]["email"]) == (member_id, bo.email)
    bo.shows(active=None, organization=None, role=NO_ACTIVE[1])
    assert bo.refused("leave", organizationId=acme) == (400, "MEMBER_NOT_FOUND")
    bo.does("setActive", organizationId=own)
    bo.shows(active=own, organization="Bo's Organization", role="owner")
    assert ada.does("listMembers")["total"] == 1


def test_the_last_owner_can_neither_leave_nor_go_nor_be_demoted_until_there_is_another(
    ada: Teammate, bo: Teammate, acme: str
) -> None:
    mine, others = ada.member_id(), ada.takes_in(bo, "admin")
    ada.shows(active=acme, role="owner")

    assert ada.refused("leave", organizationId=acme) == ONLY_OWNER
    assert ada.refused("removeMember", memberIdOrEmail=mine) == ONLY_OWNER
    assert ada.refused("updateMemberRole", memberId=mine, role="admin") == WITHOUT_AN_OWNER
    ada.shows(active=acme, role="owner", members={"Ada": "owner", "Bo": "admin"})

    ada.does("updateMemberRole", memberId=others, role="owner")
    ada.does("leave", organizationId=acme)
    ada.shows(active=None, organization=None)
    assert bo.does("getActiveMemberRole") == {"role": "owner"}


def test_ownership_is_handed_over_in_one_step(ada: Teammate, bo: Teammate, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.shows(role="owner", members={"Ada": "owner", "Bo": "member"})
    bo.shows(role="member")
    assert bo.told_no(transfer(bo, memberId=member_id)) == NOT_TO_BE_UPDATED

    handed_over = transfer(ada, memberId=member_id, organizationId=acme)

    assert handed_over.error is None
    assert (handed_over.data["id"], handed_over.data["role"]) == (member_id, "owner")
    # a raw request moves no store of the client, the next call does
    assert ada.does("getActiveMemberRole") == {"role": "admin"}
    ada.shows(role="admin", members={"Ada": "admin", "Bo": "owner"})
    bo.does("list")
    bo.shows(role="owner", members={"Ada": "admin", "Bo": "owner"})
    assert ada.told_no(transfer(ada, memberId=ada.member_id())) == NOT_TO_BE_UPDATED
    assert ada.does("leave", organizationId=acme)["role"] == "admin"


def test_after_a_day_a_password_is_asked_for_before_ownership_is_handed_over(
    by_the_day: tuple[HandClock, Teammate, Teammate],
) -> None:
    clock, ada, bo = by_the_day
    member_id = ada.takes_in(bo)
    clock.wind(days=1)

    refused = transfer(ada, memberId=member_id)

    assert (refused.error["status"], refused.error["code"]) == (403, "SESSION_NOT_FRESH")
    assert "password" in refused.error["message"]
    assert ada.does("updateMemberRole", memberId=member_id, role="admin")["role"] == "admin"
    assert ada.browser.call("verifyPassword", password=PASSWORD).error is None
    assert transfer(ada, memberId=member_id).data["role"] == "owner"


def test_members_are_listed_in_pages_sorted_filtered_and_searched(
    ada: Teammate, bo: Teammate, cy: Teammate, acme: str
) -> None:
    ada.takes_in(bo, "admin")
    ada.takes_in(cy)
    everyone = ada.browser.call("organization.listMembers")
    assert everyone.data == dated(everyone.raw)
    assert [isinstance(member["createdAt"], datetime) for member in everyone.data["members"]] == [True] * 3

    def listed(**query: object) -> tuple[list[str], int]:
        found: dict[str, Any] = ada.does("listMembers", query=query)
        return [member["user"]["name"] for member in found["members"]], found["total"]

    assert listed() == (["Ada", "Bo", "Cy"], 3)
    assert listed(limit=2) == (["Ada", "Bo"], 3)
    assert listed(limit=2, offset=2) == (["Cy"], 3)
    assert listed(sortBy="createdAt", sortDirection="desc", limit=1) == (["Cy"], 3)
    assert listed(sortBy="role") == (["Bo", "Cy", "Ada"], 3)
    assert listed(filterField="role", filterValue="admin") == (["Bo"], 1)
    assert listed(filterField="role", filterOperator="ne", filterValue="member", limit=1) == (["Ada"], 2)
    of_two = f"{ada.user_id},{cy.user_id}"
    assert listed(filterField="userId", filterOperator="in", filterValue=of_two) == (["Ada", "Cy"], 2)
    assert listed(filterField="createdAt", filterOperator="gt", filterValue="2999-01-01T00:00:00.000Z") == ([], 0)
    assert listed(search="bo") == (["Bo"], 1)
    wrong = ada.browser.call("organization.listMembers", query={"sortDirection": "up"})
    assert (wrong.error["status"], wrong.error["code"]) == (400, "VALIDATION_ERROR")


def test_everybody_is_told_their_role_and_that_of_others(ada: Teammate, bo: Teammate, cy: Teammate, acme: str) -> None:
    member_id = ada.takes_in(bo, "admin")

    own = bo.browser.call("organization.getActiveMember")
    assert own.data == dated(own.raw)
    assert (own.data["id"], own.data["role"], own.data["user"]["email"]) == (member_id, "admin", bo.email)
    assert bo.does("getActiveMemberRole") == {"role": "admin"}
    assert bo.does("getActiveMemberRole", query={"userId": ada.user_id}) == {"role": "owner"}
    assert bo.refused("getActiveMemberRole", query={"userId": cy.user_id}) == NOT_A_MEMBER
    assert cy.refused("getActiveMemberRole", query={"organizationId": acme}) == NOT_A_MEMBER


def test_the_server_permits_each_role_what_the_client_believes_it_does(
    ada: Teammate, bo: Teammate, cy: Teammate, acme: str
) -> None:
    ada.takes_in(bo, "admin")
    ada.takes_in(cy)
    permitted = []
    for person, role in ((ada, "owner"), (bo, "admin"), (cy, "member")):
        for resource, actions in ACTIONS.items():
            for action in actions:
                asked = {resource: [action]}
                believed = person.does("checkRolePermission", role=role, permissions=asked)
                assert person.does("hasPermission", permissions=asked) == {"error": None, "success": believed}, asked
                permitted.append(believed)
    assert {True, False} == set(permitted)
    assert bo.does("hasPermission", permissions={"member": ["create"], "organization": ["delete"]})["success"] is False
    refused = cy.refused("hasPermission", permissions={"ac": ["read"]}, organizationId="f" * 32)
    assert refused == (401, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")


def transfer(person: Teammate, **body: str) -> Outcome:
    """A transfer of ownership, for which the client has no call: its raw request."""
    options = {"method": "POST", "body": body}
    return person.browser.take({"fetch": "/organization/transfer-ownership", "options": options})
