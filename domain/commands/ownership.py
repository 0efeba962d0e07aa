"""Ownership is sensitive: who grants, takes or destroys it has proved who they are a short while ago (wire.md A3)."""

from __future__ import annotations

from domain.refusals import SessionOver
from domain.roles import Roles, change_ownership
from domain.store.envelope import CommandRecord

from .context import Context
from .principal import Principal


def require_proof(
    context: Context, command: CommandRecord, principal: Principal, *, before: Roles, after: Roles
) -> None:
    """What turns a place with the roles `before` into one with those `after` (none: there is no such place) takes a
    fresh session, if it changes who owns the organization.

    Asked last: nobody confirms their password for what would be refused all the same. When the session was
    authenticated is looked up after the session was read; its row is among the guards of every command, so both are of
    one moment or nothing is written. Raises SessionNotFresh, SessionOver.
    """
    if not context.lifetimes.fresh or not change_ownership(before, after):
        return
    authenticated_at = context.lookups.authenticated_at(principal.session.stream_id)
    if authenticated_at is None:
        raise SessionOver
    context.lifetimes.require_fresh(authenticated_at=authenticated_at, now=command.at)
