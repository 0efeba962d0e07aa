"""Ownership is sensitive: who grants, takes or destroys it has proved who they are a short while ago (wire.md A3)."""

from __future__ import annotations

from domain.roles import Roles, change_ownership

from .context import Context
from .principal import LoadedPerson


def require_proof(context: Context, principal: LoadedPerson, *, before: Roles, after: Roles) -> None:
    """What turns a place with the roles `before` into one with those `after` (none: there is no such place) takes a
    fresh principal, if it changes who owns the organization.

    Asked last: nobody confirms their password for what would be refused all the same. Raises SessionNotFresh,
    SessionOver, and NotByKey of a program, whatever the settings.
    """
    if change_ownership(before, after):
        principal.require_fresh(context)
