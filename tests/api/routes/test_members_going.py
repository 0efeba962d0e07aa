"""Members leave and are removed (wire.md §10, §10.3, A9)."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.api.routes.fellows import MEMBER_NOT_FOUND, NO_ACTIVE, NO_ID, Person, new_email

ONLY_OWNER = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")
NOT_ALLOWED = (401, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER")


def test_a_removal_is_answered_with_the_member(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo, "admin")
    member = {
        "id": member_id,
        "organizationId": acme,
        "userId": bo.user_id,
        "role": "admin",
        "createdAt": "2026-03-14T12:00:00.000Z",
    }
    assert ada.done("remove-member", memberIdOrEmail=member_id) == {"member": member}
    assert ada.roles() == {ada.email: "owner"}
    again = ada.takes_in(bo, "admin")
    assert again != member_id
    user = {"id": bo.user_id, "name": "Bo", "email": bo.email, "image": None}
    answer = ada.done("remove-member", memberIdOrEmail=bo.email.upper())
    assert answer == {"member": {**member, "id": again, "user": user}}
    assert ada.roles() == {ada.email: "owner"}


def test_who_is_not_there_cannot_be_removed(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    fields = {"memberIdOrEmail": member_id}
    assert Browser(ada.url).post("/organization/remove-member", fields).problem == (401, "UNAUTHORIZED")
    for unknown in (NO_ID, "no id", "", "@", bo.user_id, cy.email, new_email(), cy.member_id(), ada.own):
        assert ada.does("remove-member", memberIdOrEmail=unknown).problem == MEMBER_NOT_FOUND, unknown
    assert cy.does("remove-member", **fields, organizationId=acme).problem == MEMBER_NOT_FOUND
    ada.done("remove-member", **fields)
    assert ada.does("remove-member", **fields).problem == MEMBER_NOT_FOUND
    assert ada.does("remove-member", memberIdOrEmail=bo.email).problem == MEMBER_NOT_FOUND
    ada.done("set-active", organizationId=None)
    assert ada.does("remove-member", memberIdOrEmail=NO_ID).problem == NO_ACTIVE
    assert cy.roles() == {cy.email: "owner"}


@pytest.mark.parametrize("fields", [{}, {"memberIdOrEmail": None}, {"memberIdOrEmail": 5}])
def test_these_name_nobody(ada: Person, fields: dict[str, object]) -> None:
    assert ada.does("remove-member", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/remove-member", fields).problem == (400, "VALIDATION_ERROR")


def test_an_owner_is_removed_by_owners_only_and_never_the_last(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    owner, plain = ada.member_id(), ada.takes_in(cy)
    ada.takes_in(bo, "admin")
    for person in (ada, bo, cy):
        answer = person.does("remove-member", memberIdOrEmail=owner)
        assert answer.problem == ONLY_OWNER
    assert answer.json()["message"] == "You cannot leave the organization as the only owner"
    ada.done("update-member-role", memberId=plain, role="owner")
    assert bo.does("remove-member", memberIdOrEmail=owner).problem == ONLY_OWNER
    cy.done("remove-member", memberIdOrEmail=owner)
    assert cy.does("remove-member", memberIdOrEmail=cy.email).problem == ONLY_OWNER
    assert cy.roles() == {bo.email: "admin", cy.email: "owner"}


def test_an_owner_may_remove_themselves_while_another_stays(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo, "owner")
    ada.done("remove-member", memberIdOrEmail=ada.email)
    assert (ada.active, bo.roles()) == (None, {bo.email: "owner"})


def test_a_plain_member_removes_nobody_not_even_themselves(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo)
    other = ada.takes_in(cy)
    answer = bo.does("remove-member", memberIdOrEmail=other)
    assert answer.problem == NOT_ALLOWED
    assert answer.json()["message"] == "You are not allowed to delete this member"
    # it is no missing session: the device stays signed in
    assert answer.set_cookies == []
    assert bo.does("remove-member", memberIdOrEmail=bo.email).problem == NOT_ALLOWED
    assert bo.active == acme


def test_an_admin_removes_admins_and_themselves(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    bo.done("remove-member", memberIdOrEmail=ada.takes_in(cy, "admin"))
    bo.done("remove-member", memberIdOrEmail=bo.email)
    assert (bo.active, bo.belongs_to()) == (None, [bo.own])
    assert ada.roles() == {ada.email: "owner"}


def test_another_than_the_active_organization_is_named(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.done("set-active", organizationId=ada.own)
    assert ada.does("remove-member", memberIdOrEmail=bo.email).problem == MEMBER_NOT_FOUND
    assert ada.does("remove-member", memberIdOrEmail=member_id).problem == MEMBER_NOT_FOUND
    assert ada.done("remove-member", memberIdOrEmail=bo.email, organizationId=acme)["member"]["id"] == member_id


def test_who_leaves_is_told_what_they_were(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    assert bo.done("leave", organizationId=acme) == {
        "id": member_id,
        "organizationId": acme,
        "userId": bo.user_id,
        "role": "member",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "user": {"id": bo.user_id, "name": "Bo", "email": bo.email, "image": None},
    }
    assert (bo.active, bo.belongs_to(), ada.roles()) == (None, [bo.own], {ada.email: "owner"})


def test_leaving_is_refused_in_this_order(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    anonymous = Browser(ada.url)
    assert anonymous.post("/organization/leave", {}).problem == (400, "VALIDATION_ERROR")
    assert anonymous.post("/organization/leave", {"organizationId": acme}).problem == (401, "UNAUTHORIZED")
    for organization_id in (ada.own, NO_ID, "no id", ""):
        assert bo.does("leave", organizationId=organization_id).problem == MEMBER_NOT_FOUND
    assert ada.does("leave").problem == (400, "VALIDATION_ERROR")
    assert ada.does("leave", organizationId=acme).problem == ONLY_OWNER
    assert ada.does("leave", organizationId=ada.own).problem == ONLY_OWNER
    assert ada.active == acme
    bo.done("leave", organizationId=acme)
    assert bo.does("leave", organizationId=acme).problem == MEMBER_NOT_FOUND


def test_one_of_two_owners_may_leave(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo, "owner")
    ada.done("leave", organizationId=acme)
    assert bo.does("leave", organizationId=acme).problem == ONLY_OWNER
    assert bo.roles() == {bo.email: "owner"}


def test_leaving_another_than_the_active_one_keeps_that(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo)
    bo.done("set-active", organizationId=bo.own)
    bo.done("leave", organizationId=acme)
    assert bo.active == bo.own


def test_from_that_commit_on_no_device_of_theirs_has_it_as_active(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    phone, tablet = bo.another_device(), bo.another_device()
    tablet.done("set-active", organizationId=bo.own)
    assert [bo.active, phone.active, tablet.active] == [acme, acme, bo.own]
    ada.done("remove-member", memberIdOrEmail=member_id)
    assert [bo.active, phone.active, tablet.active] == [None, None, bo.own]
    listed = {session["id"]: session["activeOrganizationId"] for session in bo.get("/list-sessions").json()}
    assert sorted(listed.values(), key=str) == sorted([None, None, bo.own], key=str)
    assert bo.asks("get-active-member").problem == NO_ACTIVE
    assert bo.asks("list-members").problem == NO_ACTIVE
    assert bo.asks(f"list-members?organizationId={acme}").problem == (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
    assert bo.told("get-full-organization") is None
    foreign = (403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
    assert bo.asks(f"get-full-organization?organizationId={acme}").problem == foreign
    assert bo.does("set-active", organizationId=acme).problem == foreign


def test_a_later_choice_is_not_overwritten(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    bo.done("set-active", organizationId=bo.own)
    ada.done("remove-member", memberIdOrEmail=member_id)
    assert bo.active == bo.own


def test_who_was_removed_may_come_back(ada: Person, bo: Person, acme: str) -> None:
    first = ada.takes_in(bo, "admin")
    ada.done("remove-member", memberIdOrEmail=first)
    second = ada.takes_in(bo)
    assert (bo.active, ada.roles()[bo.email]) == (acme, "member")
    assert second != first
    ada.done("remove-member", memberIdOrEmail=second)
    assert ada.takes_in(bo, "owner") not in (first, second)
