"""What no cache may keep, and the one thing that it may for good (RFC 9111 §5.2, RFC 8246)."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from api.edge.request_context import RequestContext
from api.edge.response_writer import FOR_GOOD, ResponseWriter
from domain.store.envelope import WhereFrom
from tests.people import NOON


def sent(said: str | None, *cookies: str) -> list[str]:
    """What an answer says to caches of which its route says this."""
    request = RequestContext("GET", "/ok", NOON, {}, WhereFrom("", ""), set_cookies=list(cookies))
    out: list[Message] = []

    async def send(message: Message) -> None:
        out.append(message)

    headers = [] if said is None else [(b"cache-control", said.encode())]
    writer = ResponseWriter(send, request)
    asyncio.run(writer({"type": "http.response.start", "status": 200, "headers": headers}))
    return [value.decode() for name, value in out[0]["headers"] if name == b"cache-control"]


@pytest.mark.parametrize("said", [None, "no-store", "no-cache", "public, max-age=60", "immutable", f"{FOR_GOOD}, s"])
def test_whatever_else_a_route_says_no_cache_keeps_it(said: str | None) -> None:
    assert sent(said) == ["no-store"]


def test_what_never_changes_is_kept_for_good() -> None:
    assert sent("public, max-age=31536000, immutable") == ["public, max-age=31536000, immutable"]


def test_but_never_with_a_cookie() -> None:
    assert sent(FOR_GOOD, "better-auth.session_token=secret") == ["no-store"]
