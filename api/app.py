"""The application: routes behind the gate, opened when the server starts, as many times as there are workers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from domain import clock as system_clock
from domain.clock import Clock
from domain.events.keys import WrongSecret
from domain.refusals import Refusal
from domain.store.migrate import NotMigrated
from domain.store.requirements import UnfitDatabase

from .edge import problems
from .edge.gate import Gate
from .edge.json_response import JsonResponse
from .edge.request_context import BASE_PATH
from .edge.route_index import RouteIndex
from .edge.services import Services, open_services
from .edge.warm_up import warm_up
from .pages import error_page, served
from .pages.documentation import add_documentation
from .routes import (
    account,
    activity,
    api_keys,
    deletion,
    email,
    get_session,
    health,
    invitations,
    members,
    membership,
    organization_changes,
    organizations,
    password_reset,
    pictures,
    received_invitations,
    sessions,
    sign_in,
)
from .settings import Settings
from .version import VERSION

_FIRST_LOOK = 30.0
"""Seconds that a start waits for the first look at the database to end; one that does not answer is away sooner."""
_LOOK_AGAIN = 0.5
"""Seconds between looks for a database that is away."""

_BEING_MADE_READY = 10.0
"""Seconds that a migration by another process may take before it is said that the database is not fit."""
_SAID_AGAIN = 60.0

_logger = logging.getLogger("daybook")
_unavailable = logging.getLogger("daybook.unavailable")
"""Hears that the database is away from everybody who notices; api/background/reports.py says so once."""


def create_app(settings: Settings | None = None, clock: Clock = system_clock.now) -> Gate:
    """The ASGI application; without settings those of the environment."""
    known = settings or Settings()
    web = FastAPI(
        title="Daybook",
        summary="User accounts whose every change is an event.",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lambda web: _lifespan(gate, web, known, clock),
    )
    web.state.services = None
    routers = (
        sign_in.router,
        get_session.router,
        sessions.router,
        account.router,
        password_reset.router,
        email.router,
        deletion.router,
        organizations.router,
        organization_changes.router,
        members.router,
        membership.router,
        invitations.router,
        received_invitations.router,
        activity.router,
        api_keys.router,
        pictures.router,
        health.contract,
        error_page.router,
    )
    # as routes, not as routers within routers: the framework would ask each of them, and more than once
    for router in (*routers, health.operations):
        web.router.routes.extend(router.routes)
    pages = served(known)
    if pages is not None:
        web.router.routes.extend(pages.routes)
    here = f"{BASE_PATH}{get_session.PATH}"
    add_documentation(web, get_session.documentation.routes, known)
    for kind in (problems.Problem, Refusal, RequestValidationError, *problems.UNAVAILABLE):
        web.add_exception_handler(kind, _answer_error)
    web.add_exception_handler(Exception, _answer_unexpected)
    plain = {("GET", here): get_session.get_session}
    surface = None if pages is None else pages.surface
    gate: Gate = Gate(web, routes=RouteIndex(web.routes), plain=plain, pages=surface)
    return gate


@asynccontextmanager
async def _lifespan(gate: Gate, web: FastAPI, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Open on the first try or, while the database is away, behind a service that answers 503 until it is back."""
    looked = asyncio.Event()
    opening = asyncio.create_task(_open(gate, web, settings, clock, looked))
    looking = asyncio.create_task(looked.wait())
    await asyncio.wait({opening, looking}, timeout=_FIRST_LOOK, return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    if opening.done():
        opening.result()
    try:
        yield
    finally:
        opening.cancel()
        await asyncio.wait({opening})
        if gate.services is not None:
            await _close(gate.services)


async def _open(gate: Gate, web: FastAPI, settings: Settings, clock: Clock, looked: asyncio.Event) -> Services:
    """Look until the database is fit to serve from, and say when it was `looked` at once. Raises PlacesUnreadable."""
    unfit_since = said_at = None
    while gate.services is None:
        try:
            gate.services = web.state.services = await _warm(await to_thread.run_sync(open_services, settings, clock))
        except problems.UNAVAILABLE as error:
            _unavailable.warning("%s", type(error).__name__)
        except (UnfitDatabase, NotMigrated, WrongSecret) as error:
            # the supervisor has looked before: it is being made ready, or it was changed since and that is worth a word
            now = time.monotonic()
            unfit_since = unfit_since or now
            if now - unfit_since > _BEING_MADE_READY and (said_at is None or now - said_at > _SAID_AGAIN):
                said_at = now
                _logger.error("The database is not fit to serve from (%s).", type(error).__name__)
        looked.set()
        if gate.services is None:
            await asyncio.sleep(_LOOK_AGAIN)
    return gate.services


async def _warm(services: Services) -> Services:
    try:
        await warm_up(services)
    except BaseException:
        await _close(services)
        raise
    return services


async def _close(services: Services) -> None:
    # both at once, for the second that the last word may take
    await asyncio.gather(services.attempt_buffer.close(), services.last_active_buffer.close())
    await services.sessions.close()
    await services.keys.close()
    await services.organizations.close()
    await services.session_lists.close()
    await services.limits.close()
    await to_thread.run_sync(services.close)


async def _answer_error(request: Request, error: Exception) -> JsonResponse:
    return problems.response_to(error, None)


async def _answer_unexpected(_request: Request, _error: Exception) -> JsonResponse:
    # the framework raises the error again, and the gate logs it
    return problems.Problem(500).to_response()
