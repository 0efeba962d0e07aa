"""The session of a request (wire.md §9): plain ASGI, because every page of a client asks it again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from functools import lru_cache, partial
from typing import Annotated
from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.types import Scope
from typing_extensions import TypedDict

from api.edge.authentication import (
    PresentedCredentials,
    clear_session,
    count_the_dead,
    extends,
    find_credentials,
    key_makes_news,
    moved,
    record_key_use,
    record_use,
)
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse, encode
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH, RequestContext
from api.edge.response_writer import ResponseWriter
from api.edge.services import Services
from api.edge.session_schemes import SESSION_USED
from domain.commands.lookups import Person
from domain.events.keys import token_hash
from domain.refusals import SessionOver
from projections.lists.api_key_list import LiveKey
from projections.lists.session_list import LiveSession

from . import shapes
from .documented import documented

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["session"])

PATH = "/get-session"
DEFERRED = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED"

_NOBODY = b"null"
_RECORDING = 3.5
"""Seconds for recording a use: with the look before it, less than any request may take."""

_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"pragma", b"no-cache")]


class CurrentSessionAnswer(TypedDict):
    """The session of the request and its person; of a program, its API key told as if it were one."""

    session: shapes.Session
    user: shapes.User


class Looking(BaseModel):
    """How to look for the session."""

    disableRefresh: Annotated[
        str,
        Field(description="Look without extending the session; `false` and `0` are the same as leaving it out."),
    ] = ""


documentation = APIRouter(prefix=BASE_PATH, tags=["session"])
"""The entry of this route in `/openapi.json`; the web framework serves it not."""


@documentation.get(
    PATH,
    operation_id="getSession",
    summary="The session of the request and its person, or null",
    openapi_extra={"security": [*SESSION_USED["security"], {"apiKey": []}]},
    responses=documented(CurrentSessionAnswer | None, body=False),
)
def _only_documented(query: Annotated[Looking, Query()]) -> JsonResponse:
    raise NotImplementedError


@router.post(
    PATH,
    operation_id="getSessionDeferred",
    status_code=405,
    summary="Refuses: a session is extended by GET, when it is used",
    responses=documented(None, DEFERRED),
)
def get_session_deferred() -> JsonResponse:
    """Better Auth's other way to extend a session, which it refuses by default."""
    raise Problem.of_code(DEFERRED)


async def get_session(
    services: Services, request: RequestContext, scope: Scope, writer: ResponseWriter, counting: Awaitable[None]
) -> None:
    """Answer the session of the request, `null` without one; use extends it, if its refresh window has passed."""
    try:
        presented = await find_credentials(services, request)
    finally:
        await counting
    if presented.key is not None:
        return await _send(writer, await _of_a_key(services, request, presented.key))
    await count_the_dead(services, request, presented)
    session = presented.session
    if session is not None:
        services.last_active_buffer.seen(session.session_id, request.now)
    if session is None:
        if presented.tokens:
            await to_thread.run_sync(clear_session, services, request, presented)
    elif (extending := _extends(services, request, session, scope["query_string"])) or moved(request, session):
        session = await _used(services, request, presented, extending)
    await _send(writer, _NOBODY if session is None else _body(session, services))


async def _send(writer: ResponseWriter, body: bytes) -> None:
    headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
    await writer({"type": "http.response.start", "status": 200, "headers": headers})
    await writer({"type": "http.response.body", "body": body})


def _extends(services: Services, request: RequestContext, session: LiveSession, query_string: bytes) -> bool:
    return extends(services, request, session) and not _refresh_disabled(query_string)


async def _used(
    services: Services, request: RequestContext, presented: PresentedCredentials, extending: bool
) -> LiveSession | None:
    """The session as it is once its use was recorded, None if it ended meanwhile."""
    assert presented.session is not None
    try:
        async with asyncio.timeout(_RECORDING):
            record = partial(record_use, services, request, presented.session, presented.token, extending=extending)
            await to_thread.run_sync(record, abandon_on_cancel=True)
            session = await services.sessions.live_session(token_hash(presented.token))
    except SessionOver:
        session = None
    if session is None:
        await to_thread.run_sync(clear_session, services, request, presented)
    return session


@lru_cache(10_000)
def _body(row: LiveSession, services: Services) -> bytes:
    """The answer's bytes, kept by the row they come from; a row that differs in any column is another one."""
    session = shapes.session(row, services.context.lifetimes, services.places, current=True)
    return encode(CurrentSessionAnswer(session=session, user=shapes.user(person_of(row))))


def person_of(row: LiveSession | LiveKey) -> Person:
    """Whose it is."""
    return Person(
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        image=row.image,
        email_verified=row.email_verified,
        created_at=row.user_created_at,
        updated_at=row.user_updated_at,
    )


async def _of_a_key(services: Services, request: RequestContext, key: LiveKey) -> bytes:
    """A key shown as a session that has no end of its own, as far as clients can tell (wire-keys.md)."""
    services.last_active_buffer.seen(key.api_key_id, request.now)
    request.concerns = key.user_id
    if key_makes_news(request, key):
        async with asyncio.timeout(_RECORDING):
            await to_thread.run_sync(partial(record_key_use, services, request, key), abandon_on_cancel=True)
    # in whole hours, so that an answer can be kept
    ends_at = request.now.replace(minute=0, second=0, microsecond=0) + services.context.lifetimes.full
    return _body_of_a_key(key, services, key.expires_at or ends_at)


@lru_cache(10_000)
def _body_of_a_key(row: LiveKey, services: Services, expires_at: datetime) -> bytes:
    """As `_body`."""
    session = shapes.session_of_key(row, services.places, expires_at=expires_at)
    return encode(CurrentSessionAnswer(session=session, user=shapes.user(person_of(row))))


def _refresh_disabled(query_string: bytes) -> bool:
    """`disableRefresh` with any value but `false` and `0` (wire.md A17)."""
    values = parse_qs(query_string.decode("latin-1")).get("disableRefresh", [])
    return any(value not in ("false", "0") for value in values)
