"""What each role allows: as it is answered, and as it is done (wire.md §10, §10.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Answer, Browser
from tests.api.routes.fellows import NO_ACTIVE, NO_ID, Person, new_email

ALL = {"create", "update", "delete"}
ADMIN = {
    "organization": {"update"},
    "member": ALL,
    "invitation": {"create", "cancel"},
    "team": ALL,
    "ac": {*ALL, "read"},
}
OWNER = {**ADMIN, "organization": {"update", "delete"}}
MEMBER = {"ac": {"read"}}
TABLE: dict[str, dict[str, set[str]]] = {
    "owner": OWNER,
    "admin": ADMIN,
    "member": MEMBER,
    "admin,member": ADMIN,
    "member,owner": OWNER,
    "owner,admin,member": OWNER,
}
ACTIONS = ("create", "read", "update", "delete", "cancel", "list", "")


def allowed(person: Person, permissions: object, **fields: object) -> bool:
    answer = person.does("has-permission", permissions=permissions, **fields)
    assert answer.status == 200, answer.content
    assert set(answer.json()) == {"error", "success"}
    assert answer.json()["error"] is None
    success: bool = answer.json()["success"]
    return success


@pytest.mark.parametrize("role", TABLE)
def test_every_cell_of_the_table_is_answered(ada: Person, bo: Person, acme: str, role: str) -> None:
    ada.takes_in(bo, role)
    assert bo.told("get-active-member-role") == {"role": role}
    for resource in ("organization", "member", "invitation", "team", "ac", "nothing", ""):
        may = {action for action in ACTIONS if allowed(bo, {resource: [action]})}
        assert may == TABLE[role].get(resource, set()), resource


def test_all_that_is_asked_for_must_be_allowed(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    assert allowed(bo, {"member": ["create", "update", "delete"], "organization": ["update"]})
    assert not allowed(bo, {"member": ["create", "update", "fly"]})
    assert not allowed(bo, {"member": ["create"], "organization": ["update", "delete"]})
    assert allowed(ada, {"member": ["create"], "organization": ["update", "delete"]})


@pytest.mark.parametrize("asked", [{}, {"member": []}, {"member": ["create"], "team": []}, {"project": ["create"]}])
def test_nothing_and_the_unknown_are_not_allowed_even_to_owners(ada: Person, asked: object) -> None:
    assert not allowed(ada, asked)


def test_the_singular_is_never_allowed(ada: Person) -> None:
    answer = ada.does("has-permission", permission={"member": ["create"]})
    assert (answer.status, answer.json()) == (200, {"error": None, "success": False})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"permissions": {"member": ["create"]}, "permission": {"member": ["create"]}},
        {"permissions": None},
        {"permissions": ["member"]},
        {"permissions": {"member": "create"}},
        {"permissions": {"member": [1]}},
        {"permissions": {"member": ["create"]}, "organizationId": 1},
    ],
)
def test_exactly_one_of_both_is_asked_for(ada: Person, fields: dict[str, Any]) -> None:
    assert ada.does("has-permission", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/has-permission", fields).problem == (400, "VALIDATION_ERROR")


def test_who_does_not_belong_is_refused(ada: Person, bo: Person, acme: str) -> None:
    asked = {"permissions": {"ac": ["read"]}}
    assert Browser(ada.url).post("/organization/has-permission", asked).problem == (401, "UNAUTHORIZED")
    for organization_id in (acme, NO_ID, "no id"):
        answer = bo.does("has-permission", **asked, organizationId=organization_id)
        assert answer.problem == (401, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
    # it is no missing session: the device stays signed in
    assert (answer.set_cookies, bo.active) == ([], bo.own)
    bo.done("set-active", organizationId=None)
    assert bo.does("has-permission", **asked).problem == NO_ACTIVE
    assert bo.does("has-permission", **asked, organizationId="").problem == NO_ACTIVE


def test_it_is_asked_of_the_named_organization_else_of_the_active_one(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo)
    delete = {"organization": ["delete"]}
    assert [allowed(bo, delete), allowed(bo, delete, organizationId="")] == [False, False]
    assert allowed(bo, delete, organizationId=bo.own)


@pytest.mark.parametrize("role", TABLE)
def test_what_is_allowed_is_what_can_be_done(ada: Person, bo: Person, cy: Person, acme: str, role: str) -> None:
    member_id, invitation_id = ada.takes_in(cy), ada.invites(new_email())
    ada.takes_in(bo, role)

    def may(resource: str, action: str) -> bool:
        return action in TABLE[role].get(resource, set())

    def ends(answer: Answer, *, allowed: bool, refusal: tuple[int, str]) -> None:
        assert answer.status == 200 if allowed else answer.problem == refusal

    ends(
        bo.does("update", data={"name": "Bo's"}),
        allowed=may("organization", "update"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION"),
    )
    ends(
        bo.does("invite-member", email=new_email(), role="member"),
        allowed=may("invitation", "create"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION"),
    )
    ends(
        bo.asks("list-invitations"),
        allowed=may("invitation", "create"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS"),
    )
    ends(
        bo.does("cancel-invitation", invitationId=invitation_id),
        allowed=may("invitation", "cancel"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION"),
    )
    ends(
        bo.does("update-member-role", memberId=member_id, role="admin"),
        allowed=may("member", "update"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER"),
    )
    ends(
        bo.does("remove-member", memberIdOrEmail=member_id),
        allowed=may("member", "delete"),
        refusal=(401, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER"),
    )
    ends(
        bo.does("delete", organizationId=acme),
        allowed=may("organization", "delete"),
        refusal=(403, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION"),
    )


@pytest.mark.parametrize(
    ("role", "grants"),
    [
        ("owner", {"owner", "admin", "member", "owner,admin", "admin,member"}),
        ("admin", {"admin", "member", "admin,member"}),
        ("member", set()),
        ("admin,member", {"admin", "member", "admin,member"}),
    ],
)
def test_nobody_grants_what_they_do_not_hold(
    ada: Person, bo: Person, cy: Person, acme: str, role: str, grants: set[str]
) -> None:
    ada.takes_in(bo, role)
    member_id = ada.takes_in(cy)
    asked = ("owner", "admin", "member", "owner,admin", "admin,member")
    invited = {one for one in asked if bo.does("invite-member", email=new_email(), role=one).status == 200}
    made = set()
    for one in asked:
        if bo.does("update-member-role", memberId=member_id, role=one).status == 200:
            made.add(one)
        ada.done("update-member-role", memberId=member_id, role="member")
    assert (invited, made) == (grants, grants)
