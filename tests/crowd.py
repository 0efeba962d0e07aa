"""A crowd: sign-ups sent at the same moment, each over a connection that is already open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

Form = dict[str, str]


def sign_up_together(url: str, rounds: Sequence[Sequence[Form]]) -> list[list[httpx.Response]]:
    """Send the forms of each round at once, round after round; the answers likewise."""
    return asyncio.run(_rounds(url, rounds))


async def _rounds(url: str, rounds: Sequence[Sequence[Form]]) -> list[list[httpx.Response]]:
    many = max(len(forms) for forms in rounds)
    clients = [httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=30) for _ in range(many)]
    try:
        await asyncio.gather(*(client.get("/api/auth/ok") for client in clients))
        return [await _at_once(clients, forms) for forms in rounds]
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))


async def _at_once(clients: Sequence[httpx.AsyncClient], forms: Sequence[Form]) -> list[httpx.Response]:
    pairs = zip(clients, forms, strict=False)
    return await asyncio.gather(*(client.post("/api/auth/sign-up/email", json=form) for client, form in pairs))
