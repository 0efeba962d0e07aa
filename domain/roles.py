"""What a member of an organization may be, and what that allows (wire.md §10.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from .refusals import EmptyRole, UnknownRole


class Role(StrEnum):
    """A member's role; stored and shown by these words. A member may have several, joined by commas."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


Roles = tuple[Role, ...]
Permissions = Mapping[str, frozenset[str]]
"""Actions by the resource they are done to."""

_CREATE_UPDATE_DELETE = frozenset({"create", "update", "delete"})
_ADMIN: Permissions = {
    "organization": frozenset({"update"}),
    "member": _CREATE_UPDATE_DELETE,
    "invitation": frozenset({"create", "cancel"}),
    "team": _CREATE_UPDATE_DELETE,
    "ac": _CREATE_UPDATE_DELETE | {"read"},
}
PERMISSIONS: Mapping[Role, Permissions] = {
    Role.OWNER: {**_ADMIN, "organization": frozenset({"update", "delete"})},
    Role.ADMIN: _ADMIN,
    Role.MEMBER: {"ac": frozenset({"read"})},
}


def roles_in(text: str | Iterable[str]) -> Roles:
    """The roles a text or a list of texts names, each once, in order; blanks around and between them are forgiven.

    Raises EmptyRole, UnknownRole.
    """
    texts = [text] if isinstance(text, str) else list(text)
    names = dict.fromkeys(name.strip() for one in texts for name in one.split(","))
    if not any(names):
        raise EmptyRole
    return tuple(_role(name) for name in names if name)


def text_of(roles: Roles) -> str:
    """The roles as they are stored and shown."""
    return ",".join(roles)


def allow(roles: Roles, resource: str, action: str, *, at_most: Permissions | None = None) -> bool:
    """Whether one of the roles allows this, and `at_most` does too, where there is one: it narrows and adds nothing."""
    if at_most is not None and action not in at_most.get(resource, frozenset()):
        return False
    return any(action in PERMISSIONS[role].get(resource, frozenset()) for role in roles)


def cover(held: Roles, granted: Roles, *, at_most: Permissions | None = None) -> bool:
    """Whether who holds these, `at_most` so much of it, may grant those: nobody grants what they do not hold."""
    return all(
        allow(held, resource, action, at_most=at_most)
        for role in granted
        for resource, actions in PERMISSIONS[role].items()
        for action in actions
    )


def may_invite_as(held: Roles, granted: Roles) -> bool:
    """Whether who holds these may invite somebody as those, and so still stands behind such an invitation (A27)."""
    return allow(held, "invitation", "create") and cover(held, granted)


def change_ownership(before: Roles, after: Roles) -> bool:
    """Whether who had these roles, or none, and has those then, or none, becomes an owner or ceases to be one."""
    return (Role.OWNER in before) != (Role.OWNER in after)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise UnknownRole(name) from None
