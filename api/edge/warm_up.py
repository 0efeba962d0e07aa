"""What the first requests would have to wait for, done before a server says that it is ready."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from anyio import to_thread

from domain.commands.verified_account import verified_account
from domain.ids import new_id, random_bytes
from domain.refusals import TooManyAttempts, WrongCredentials

from .batching.session_lists import SessionListKey
from .services import Services

_CONNECTIONS = 10.0
"""Seconds for the pool to be filled; the next try goes on where this one stopped waiting."""
_NOBODY = "nobody@example.invalid"
"""An address that nobody has (RFC 6761 §6.4)."""


async def warm_up(services: Services) -> None:
    """Connect everywhere, ask each question once, and let every hashing thread hash.

    Raises what `problems.UNAVAILABLE` names.
    """
    await to_thread.run_sync(services.pool.wait, _CONNECTIONS)
    with suppress(TooManyAttempts):
        await services.limits.count_request("", "/ok", routed=True)
    await asyncio.gather(
        services.sessions.live_session(random_bytes(32)),
        services.keys.live_key(random_bytes(32)),
        services.organizations.seen(new_id(), new_id(), invitations=True),
        services.session_lists.sessions_of(SessionListKey(new_id(), new_id(), services.clock(), None, None, 0)),
        *(to_thread.run_sync(_try_to_sign_in, services) for _ in range(services.settings.hashing_threads)),
    )


def _try_to_sign_in(services: Services) -> None:
    with suppress(WrongCredentials):
        verified_account(services.context, email=_NOBODY, password=_NOBODY, now=services.clock())
