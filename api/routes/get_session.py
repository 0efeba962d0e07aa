"""The session of a request (wire.md §9): plain ASGI, because every page of a client asks it again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import lru_cache, partial
from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter
from starlette.types import Scope
from typing_extensions import TypedDict

from api.edge.admission import Shown, extends, leave, look, moved, use
from api.edge.answers import Answer, encode
from api.edge.daybook import Daybook
from api.edge.problems import Problem
from api.edge.reply import Reply
from api.edge.visit import BASE_PATH, Visit
from domain.commands.lookups import Person
from domain.events.keys import token_hash
from domain.refusals import SessionOver
from projections.lists.session_list import LiveSession

from . import shapes
from .documented import documented

router = APIRouter(prefix=BASE_PATH, tags=["session"])

PATH = "/get-session"
DEFERRED = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED"

_NOBODY = b"null"
_RECORDING = 3.5
"""Seconds for recording a use: with the look before it, less than any request may take."""

_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"pragma", b"no-cache")]


class CurrentSessionAnswer(TypedDict):
    """The session of the request and its person."""

    session: shapes.Session
    user: shapes.User


DOCUMENTATION = {
    "get": {
        "tags": ["session"],
        "summary": "The session of the request and its person, or null",
        "operationId": "get_session",
        "parameters": [
            {
                "name": "disableRefresh",
                "in": "query",
                "required": False,
                "description": "Look without extending the session; `false` and `0` are the same as leaving it out.",
                "schema": {"type": "string"},
            }
        ],
        "responses": {
            "200": {
                "description": "Success",
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [{"$ref": "#/components/schemas/CurrentSessionAnswer"}, {"type": "null"}]}
                    }
                },
            },
            "429": {"description": "TOO_MANY_REQUESTS"},
            "503": {"description": "SERVICE_UNAVAILABLE"},
        },
    }
}
"""The entry of this route in `/openapi.json`: the web framework does not know of it."""


@router.post(PATH, status_code=405, summary="Not in this configuration", responses=documented(None, DEFERRED))
def get_session_deferred() -> Answer:
    """Better Auth's other way to extend a session, which it refuses by default."""
    raise Problem.of_code(DEFERRED)


async def get_session(daybook: Daybook, visit: Visit, scope: Scope, reply: Reply, counting: Awaitable[None]) -> bool:
    """Answer the session of the request, `null` without one; use extends it, if its refresh window has passed."""
    shown = await look(daybook, visit)
    await counting
    session = shown.session
    if session is not None:
        daybook.last_active_book.seen(session.session_id, visit.now)
    if session is None:
        if shown.tokens:
            await to_thread.run_sync(leave, daybook, visit, shown)
    elif (extending := _extends(daybook, visit, session, scope["query_string"])) or moved(visit, session):
        session = await _used(daybook, visit, shown, extending)
    body = _NOBODY if session is None else _body(session, daybook)
    headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
    await reply({"type": "http.response.start", "status": 200, "headers": headers})
    await reply({"type": "http.response.body", "body": body})
    return True


def _extends(daybook: Daybook, visit: Visit, session: LiveSession, query_string: bytes) -> bool:
    return extends(daybook, visit, session) and not _refresh_disabled(query_string)


async def _used(daybook: Daybook, visit: Visit, shown: Shown, extending: bool) -> LiveSession | None:
    """The session as it is once its use was recorded, None if it ended meanwhile."""
    assert shown.session is not None
    try:
        async with asyncio.timeout(_RECORDING):
            record = partial(use, daybook, visit, shown.session, shown.token, extending=extending)
            await to_thread.run_sync(record, abandon_on_cancel=True)
            session = await daybook.sessions.live_session(token_hash(shown.token))
    except SessionOver:
        session = None
    if session is None:
        await to_thread.run_sync(leave, daybook, visit, shown)
    return session


@lru_cache(10_000)
def _body(row: LiveSession, daybook: Daybook) -> bytes:
    """The answer's bytes, kept by the row they come from; a row that differs in any column is another one."""
    person = Person(
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        image=row.image,
        email_verified=row.email_verified,
        created_at=row.user_created_at,
        updated_at=row.user_updated_at,
    )
    session = shapes.session(row, daybook.context.lifetimes, daybook.places, current=True)
    return encode(CurrentSessionAnswer(session=session, user=shapes.user(person)))


def _refresh_disabled(query_string: bytes) -> bool:
    """`disableRefresh` with any value but `false` and `0` (wire.md A17)."""
    values = parse_qs(query_string.decode("latin-1")).get("disableRefresh", [])
    return any(value not in ("false", "0") for value in values)
