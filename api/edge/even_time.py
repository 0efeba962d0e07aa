"""Answers that take the same time, whatever was done for them: how long one took tells nobody what there is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

_AT_LEAST = 0.5
"""Seconds: longer than what is done takes on a machine that is not overloaded, with a hash of a password in it."""


@asynccontextmanager
async def evened() -> AsyncIterator[None]:
    """Around what takes longer if there is an account than if there is none, on the event loop.

    It ends no sooner than half a second after it began, also with a refusal. Nothing waits with it but who asked.
    """
    until = anyio.current_time() + _AT_LEAST
    try:
        yield
    finally:
        await anyio.sleep_until(until)
