"""Scopes: what a key may do of what its owner may, in words of the one table of rights (`domain.roles`)."""

from __future__ import annotations

from collections.abc import Iterable

from .key_refusals import UnknownScope
from .roles import Permissions

READ = "read"
"""To look at organizations as the owner sees them, and change nothing."""
Scopes = tuple[str, ...]
"""Words, each once and in the order of `GRANTABLE`: `read`, or a resource and what may be done to it."""

GRANTABLE: Scopes = (
    READ,
    "organization:update",
    "member:update",
    "member:delete",
    "invitation:create",
    "invitation:cancel",
)
"""Every scope there is. Of the table of rights those are left out that no key is let do, or nobody yet."""
_OF_EVERY_MEMBER = {"ac": frozenset({READ})}


def scopes_in(words: Iterable[str]) -> Scopes:
    """The scopes that these words name. Raises UnknownScope, also for none: a key that may do nothing is a mistake."""
    given = set(words)
    if not given or not given <= set(GRANTABLE):
        raise UnknownScope
    return tuple(scope for scope in GRANTABLE if scope in given)


def permissions_of(scopes: Scopes) -> Permissions:
    """What they allow in organizations at most.

    What every member may is among it, so that somebody may be made a plain member, and nobody anything more.
    """
    allowed = dict[str, frozenset[str]](_OF_EVERY_MEMBER)
    for scope in scopes:
        resource, _, action = scope.partition(":")
        if action:
            allowed[resource] = allowed.get(resource, frozenset()) | {action}
    return allowed
