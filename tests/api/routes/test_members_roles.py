"""What a member is, and becoming something else (wire.md §10, §10.3)."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.api.routes.fellows import MEMBER_NOT_FOUND, NO_ACTIVE, NO_ID, Person, new_slug

NOT_ALLOWED = (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER")
NO_OWNER_LEFT = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER")
FOREIGN = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")


def test_oneself_as_a_member(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo, "admin")
    assert bo.told("get-active-member") == {
        "id": member_id,
        "organizationId": acme,
        "userId": bo.user_id,
        "role": "admin",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "user": {"id": bo.user_id, "name": "Bo", "email": bo.email, "image": None},
    }
    assert Browser(bo.url).get("/organization/get-active-member").problem == (401, "UNAUTHORIZED")
    bo.done("set-active", organizationId=None)
    assert bo.asks("get-active-member").problem == NO_ACTIVE


def test_a_role_is_ones_own_or_that_of_a_fellow(ada: Person, bo: Person, cy: Person) -> None:
    acme = ada.founds(slug := new_slug())
    ada.takes_in(bo, "admin,member")
    assert bo.told("get-active-member-role") == {"role": "admin,member"}
    assert bo.told(f"get-active-member-role?userId={ada.user_id}&organizationId=") == {"role": "owner"}
    bo.done("set-active", organizationId=bo.own)
    assert bo.told("get-active-member-role") == {"role": "owner"}
    assert bo.told(f"get-active-member-role?organizationId={acme}") == {"role": "admin,member"}
    assert bo.told(f"get-active-member-role?organizationSlug={slug}&userId=") == {"role": "admin,member"}
    for query in (f"userId={cy.user_id}", f"userId={NO_ID}", f"organizationId={cy.own}", f"organizationId={NO_ID}"):
        assert bo.asks(f"get-active-member-role?{query}").problem == FOREIGN, query
    assert bo.asks(f"get-active-member-role?organizationId={cy.own}&userId={cy.user_id}").problem == FOREIGN
    assert bo.asks("get-active-member-role?organizationSlug=nobody").problem == (400, "ORGANIZATION_NOT_FOUND")
    assert bo.asks("get-active-member-role?userId=a&userId=b").problem == (400, "VALIDATION_ERROR")
    assert Browser(bo.url).get("/organization/get-active-member-role").problem == (401, "UNAUTHORIZED")
    bo.done("set-active", organizationId=None)
    assert bo.asks("get-active-member-role").problem == NO_ACTIVE


def test_a_change_is_answered_with_the_member(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    assert ada.done("update-member-role", memberId=member_id, role="admin") == {
        "id": member_id,
        "organizationId": acme,
        "userId": bo.user_id,
        "role": "admin",
        "createdAt": "2026-03-14T12:00:00.000Z",
    }
    assert ada.roles() == {ada.email: "owner", bo.email: "admin"}
    assert bo.told("get-active-member-role") == {"role": "admin"}


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ("admin,member", "admin,member"),
        (" admin , member ", "admin,member"),
        (["member", "admin"], "member,admin"),
        (["admin,member", "admin"], "admin,member"),
        ("owner,owner", "owner"),
        # Better Auth drops blank names
        ("member,", "member"),
        (["member", ""], "member"),
    ],
)
def test_several_roles_are_given_as_text_or_list(ada: Person, bo: Person, acme: str, given: object, role: str) -> None:
    member_id = ada.takes_in(bo)
    assert ada.done("update-member-role", memberId=member_id, role=given)["role"] == role
    assert ada.roles()[bo.email] == role


def test_an_unknown_role_is_named_and_an_empty_one_refused_without_a_word(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    for given in ("nope", ["admin", "nope"], "admin,nope", " nope "):
        answer = ada.does("update-member-role", memberId=member_id, role=given)
        assert (answer.status, answer.json()) == (400, {"code": "ROLE_NOT_FOUND", "message": "ROLE_NOT_FOUND: nope"})
    for empty in ("", list[str](), " "):
        answer = ada.does("update-member-role", memberId=member_id, role=empty)
        assert (answer.status, answer.content) == (400, b"")
    assert ada.does("update-member-role", memberId=member_id, role="Admin").problem == (400, "ROLE_NOT_FOUND")
    assert ada.roles()[bo.email] == "member"


@pytest.mark.parametrize(
    "fields", [{}, {"memberId": NO_ID}, {"role": "admin"}, {"memberId": 5, "role": "admin"},
               {"memberId": NO_ID, "role": None}, {"memberId": NO_ID, "role": [1]}]
)  # fmt: skip
def test_these_are_no_changes(ada: Person, fields: dict[str, object]) -> None:
    assert ada.does("update-member-role", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/update-member-role", fields).problem == (400, "VALIDATION_ERROR")


def test_who_is_not_there_cannot_be_changed(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    anonymous = Browser(ada.url).post("/organization/update-member-role", {"memberId": member_id, "role": "admin"})
    assert anonymous.problem == (401, "UNAUTHORIZED")
    for unknown in (NO_ID, "no id", "", bo.user_id):
        assert ada.does("update-member-role", memberId=unknown, role="admin").problem == MEMBER_NOT_FOUND
    # of other organizations nothing is told: as for one that was made up, also to who may change nobody
    for asking in (ada, bo):
        for role in ("admin", "owner"):
            made_up = asking.does("update-member-role", memberId=NO_ID, role=role)
            foreign = asking.does("update-member-role", memberId=cy.member_id(), role=role)
            assert (foreign.problem, foreign.content) == (MEMBER_NOT_FOUND, made_up.content)
    stranger = cy.does("update-member-role", memberId=member_id, role="admin", organizationId=acme)
    assert stranger.problem == MEMBER_NOT_FOUND
    ada.done("remove-member", memberIdOrEmail=member_id)
    assert ada.does("update-member-role", memberId=member_id, role="admin").problem == MEMBER_NOT_FOUND
    ada.done("set-active", organizationId=None)
    assert ada.does("update-member-role", memberId=member_id, role="admin").problem == NO_ACTIVE
    assert cy.roles() == {cy.email: "owner"}


def test_only_an_owner_touches_an_owner_or_makes_one(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    owner, plain = ada.member_id(), ada.takes_in(cy)
    ada.takes_in(bo, "admin")
    assert bo.does("update-member-role", memberId=owner, role="owner,admin").problem == NOT_ALLOWED
    assert bo.does("update-member-role", memberId=owner, role="member").problem == NOT_ALLOWED
    assert bo.does("update-member-role", memberId=plain, role="owner").problem == NOT_ALLOWED
    assert bo.does("update-member-role", memberId=plain, role="admin,owner").problem == NOT_ALLOWED
    assert bo.does("update-member-role", memberId=bo.member_id(), role="owner").problem == NOT_ALLOWED
    assert cy.does("update-member-role", memberId=plain, role="admin").problem == NOT_ALLOWED
    assert cy.does("update-member-role", memberId=plain, role="member").problem == NOT_ALLOWED
    assert ada.roles() == {ada.email: "owner", bo.email: "admin", cy.email: "member"}


def test_an_admin_promotes_to_admin_and_may_demote_themselves(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    own, plain = ada.takes_in(bo, "admin"), ada.takes_in(cy)
    assert bo.done("update-member-role", memberId=plain, role="admin")["role"] == "admin"
    assert bo.done("update-member-role", memberId=own, role="member")["role"] == "member"
    assert bo.does("update-member-role", memberId=own, role="admin").problem == NOT_ALLOWED


def test_the_only_owner_may_become_more_but_not_less(ada: Person, bo: Person, acme: str) -> None:
    own, other = ada.member_id(), ada.takes_in(bo, "admin")
    for less in ("admin", "member", "admin,member"):
        answer = ada.does("update-member-role", memberId=own, role=less)
        assert answer.problem == NO_OWNER_LEFT
    assert answer.json()["message"] == "You cannot leave the organization without an owner"
    assert ada.done("update-member-role", memberId=own, role="owner,admin")["role"] == "owner,admin"
    assert ada.does("update-member-role", memberId=own, role="admin").problem == NO_OWNER_LEFT
    ada.done("update-member-role", memberId=other, role="member,owner")
    assert ada.done("update-member-role", memberId=own, role="admin")["role"] == "admin"
    assert bo.does("update-member-role", memberId=other, role="member").problem == NO_OWNER_LEFT


def test_an_owner_may_demote_another(ada: Person, bo: Person, acme: str) -> None:
    own, other = ada.member_id(), ada.takes_in(bo, "owner")
    assert bo.done("update-member-role", memberId=own, role="member")["role"] == "member"
    assert ada.does("update-member-role", memberId=other, role="member").problem == NOT_ALLOWED
    assert bo.roles() == {ada.email: "member", bo.email: "owner"}


def test_another_than_the_active_organization_is_named(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.done("set-active", organizationId=ada.own)
    assert ada.does("update-member-role", memberId=member_id, role="admin").problem == MEMBER_NOT_FOUND
    changed = ada.done("update-member-role", memberId=member_id, role="admin", organizationId=acme)
    assert (changed["organizationId"], changed["role"]) == (acme, "admin")
