"""Scopes: which there are, and what they leave of what the owner of a key may."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from domain.key_refusals import UnknownScope
from domain.roles import PERMISSIONS, Role, allow, cover
from domain.scopes import GRANTABLE, READ, Scopes, permissions_of, scopes_in
from tests.domain.stories import refuses

ALL = (
    "read",
    "organization:update",
    "member:update",
    "member:delete",
    "invitation:create",
    "invitation:cancel",
)
SETS: list[Scopes] = list(chain.from_iterable(combinations(ALL, size) for size in range(1, len(ALL) + 1)))
OWNER, ADMIN, MEMBER = (Role.OWNER,), (Role.ADMIN,), (Role.MEMBER,)


def test_these_scopes_can_be_granted() -> None:
    assert GRANTABLE == ALL
    assert READ == "read"


@pytest.mark.parametrize("scope", ALL[1:])
def test_every_scope_but_looking_names_what_the_table_of_rights_knows(scope: str) -> None:
    resource, action = scope.split(":")
    assert action in PERMISSIONS[Role.OWNER][resource]


@pytest.mark.parametrize("scopes", SETS, ids=" ".join)
def test_scopes_are_named_each_once_and_in_the_order_of_all(scopes: Scopes) -> None:
    assert scopes_in([*reversed(scopes), *scopes]) == scopes


@pytest.mark.parametrize(
    "words",
    [
        [],
        [""],
        ["write"],
        ["READ"],
        ["read "],
        ["read:"],
        ["read,member:update"],
        ["read", "write"],
        [*ALL, "organization:delete"],
        ["organization:delete"],
        ["organization"],
        ["organization:"],
        ["member:create"],
        ["team:create"],
        ["ac:read"],
    ],
    ids=str,
)
def test_no_scope_and_any_other_word_are_refused(words: list[str]) -> None:
    with refuses(UnknownScope):
        scopes_in(words)


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (("read",), {}),
        (("member:update",), {"member": {"update"}}),
        (("member:update", "member:delete"), {"member": {"update", "delete"}}),
        (("read", "invitation:create"), {"invitation": {"create"}}),
        (
            ALL,
            {
                "organization": {"update"},
                "member": {"update", "delete"},
                "invitation": {"create", "cancel"},
            },
        ),
    ],
    ids=lambda one: "" if isinstance(one, dict) else " ".join(one),  # the order of a set is another in each process
)
def test_scopes_allow_what_they_name_beside_what_every_member_may(scopes: Scopes, allowed: dict[str, set[str]]) -> None:
    assert permissions_of(scopes) == {"ac": {"read"}, **allowed}


def test_what_one_key_may_is_nothing_that_another_may() -> None:
    permissions_of(ALL)
    assert permissions_of(("read",)) == {"ac": {"read"}}


@pytest.mark.parametrize("scopes", SETS, ids=" ".join)
def test_no_scopes_add_to_what_a_role_allows(scopes: Scopes) -> None:
    at_most = permissions_of(scopes)
    for role, rights in PERMISSIONS.items():
        for resource, actions in PERMISSIONS[Role.OWNER].items():
            for action in actions:
                allowed = allow((role,), resource, action, at_most=at_most)
                assert not allowed or action in rights.get(resource, ())


@pytest.mark.parametrize("scopes", SETS, ids=" ".join)
def test_with_any_scopes_an_owner_makes_plain_members_only(scopes: Scopes) -> None:
    at_most = permissions_of(scopes)
    assert cover(OWNER, MEMBER, at_most=at_most)
    assert not cover(OWNER, ADMIN, at_most=at_most)
    assert not cover(OWNER, OWNER, at_most=at_most)
