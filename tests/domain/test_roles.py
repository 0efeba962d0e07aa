"""Roles: what each allows, and who may grant which (wire.md §10.1)."""

from __future__ import annotations

import pytest

from domain.refusals import EmptyRole, UnknownRole
from domain.roles import (
    PERMISSIONS,
    Permissions,
    Role,
    Roles,
    allow,
    change_ownership,
    cover,
    may_invite_as,
    roles_in,
    text_of,
)
from tests.domain.stories import refuses

# the table of wire.md §10.1, cell by cell
MATRIX = {
    "owner": {
        "organization": "update delete",
        "member": "create update delete",
        "invitation": "create cancel",
        "team": "create update delete",
        "ac": "create read update delete",
    },
    "admin": {
        "organization": "update",
        "member": "create update delete",
        "invitation": "create cancel",
        "team": "create update delete",
        "ac": "create read update delete",
    },
    "member": {"organization": "", "member": "", "invitation": "", "team": "", "ac": "read"},
}
ACTIONS = ("create", "read", "update", "delete", "cancel", "everything")


@pytest.mark.parametrize("role", list(MATRIX))
@pytest.mark.parametrize("resource", [*MATRIX["owner"], "moon"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_allows_what_the_table_says(role: str, resource: str, action: str) -> None:
    expected = action in MATRIX[role].get(resource, "").split()
    assert allow(roles_in(role), resource, action) is expected


def test_several_roles_allow_what_any_of_them_does() -> None:
    assert allow(roles_in("member,admin"), "member", "delete")
    assert allow(roles_in("member,admin"), "ac", "read")
    assert not allow(roles_in("member,admin"), "organization", "delete")


@pytest.mark.parametrize(
    ("given", "roles"),
    [
        ("owner", (Role.OWNER,)),
        ("admin,member", (Role.ADMIN, Role.MEMBER)),
        (" admin , member ", (Role.ADMIN, Role.MEMBER)),
        (["admin", "member"], (Role.ADMIN, Role.MEMBER)),
        (["admin,member", "admin"], (Role.ADMIN, Role.MEMBER)),
    ],
)
def test_roles_come_as_a_text_with_commas_or_as_a_list(given: str | list[str], roles: tuple[Role, ...]) -> None:
    assert roles_in(given) == roles


@pytest.mark.parametrize(
    ("role", "at_most", "resource", "action", "expected"),
    [
        ("owner", {"organization": frozenset({"delete"})}, "organization", "delete", True),
        ("owner", {"organization": frozenset({"delete"})}, "organization", "update", False),
        ("owner", {"organization": frozenset({"delete"})}, "member", "delete", False),
        ("owner", {}, "organization", "delete", False),
        ("admin", {"organization": frozenset({"delete"})}, "organization", "delete", False),
        ("member", {"member": frozenset({"delete"})}, "member", "delete", False),
    ],
)
def test_a_limit_narrows_what_roles_allow_and_adds_nothing(
    role: str, at_most: Permissions, resource: str, action: str, expected: bool
) -> None:
    assert allow(roles_in(role), resource, action, at_most=at_most) is expected


@pytest.mark.parametrize(
    ("held", "at_most", "granted", "may"),
    [
        ("owner", {"ac": frozenset({"read"})}, "member", True),
        ("owner", {"ac": frozenset({"update"})}, "member", False),
        ("owner", PERMISSIONS[Role.ADMIN], "admin", True),
        ("owner", PERMISSIONS[Role.ADMIN], "owner", False),
        ("admin", PERMISSIONS[Role.OWNER], "owner", False),
    ],
)
def test_nobody_grants_what_a_limit_keeps_from_them(held: str, at_most: Permissions, granted: str, may: bool) -> None:
    assert cover(roles_in(held), roles_in(granted), at_most=at_most) is may


@pytest.mark.parametrize("given", ["member,", ",member", ["member", ""], " , member ,,"])
def test_names_of_nothing_between_names_are_forgiven(given: str | list[str]) -> None:
    assert roles_in(given) == (Role.MEMBER,)


@pytest.mark.parametrize("nothing", ["", " ", ",", [], [""]])
def test_no_role_at_all_is_refused(nothing: str | list[str]) -> None:
    with refuses(EmptyRole):
        roles_in(nothing)


@pytest.mark.parametrize("unknown", ["king", "admin,king", "Owner", ["admin", "king"]])
def test_a_role_that_there_is_not_is_refused(unknown: str | list[str]) -> None:
    with refuses(UnknownRole):
        roles_in(unknown)


def test_roles_are_written_as_they_are_read() -> None:
    assert text_of(roles_in("admin,owner")) == "admin,owner"


@pytest.mark.parametrize(
    ("held", "granted", "may"),
    [
        ("owner", "owner", True),
        ("owner", "admin,member", True),
        ("admin", "owner", False),
        ("admin", "member,owner", False),
        ("admin", "admin", True),
        ("admin", "member", True),
        ("member", "member", True),
        ("member", "admin", False),
        ("member,owner", "owner", True),
    ],
)
def test_nobody_grants_what_they_do_not_hold(held: str, granted: str, may: bool) -> None:
    assert cover(roles_in(held), roles_in(granted)) is may


@pytest.mark.parametrize(
    ("held", "granted", "may"),
    [
        ("owner", "owner", True),
        ("admin", "admin", True),
        ("admin", "member", True),
        ("admin", "owner", False),
        ("admin", "member,owner", False),
        ("member", "member", False),
        ("member,admin", "admin", True),
    ],
)
def test_who_may_invite_does_so_as_what_they_hold_themselves(held: str, granted: str, may: bool) -> None:
    assert may_invite_as(roles_in(held), roles_in(granted)) is may


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ((), (Role.OWNER,), True),
        ((Role.OWNER,), (), True),
        ((Role.MEMBER,), (Role.MEMBER, Role.OWNER), True),
        ((Role.ADMIN, Role.OWNER), (Role.ADMIN,), True),
        ((Role.OWNER,), (Role.OWNER, Role.ADMIN), False),
        ((Role.MEMBER,), (Role.ADMIN,), False),
        ((), (Role.MEMBER,), False),
        ((), (), False),
    ],
)
def test_ownership_changes_where_somebody_becomes_an_owner_or_ceases_to_be_one(
    before: Roles, after: Roles, changes: bool
) -> None:
    assert change_ownership(before, after) is changes
