"""The application: routes behind the gate, opened when the server starts, as many times as there are workers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import count

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from domain import chance
from domain.chance import Clock
from domain.commands import invitation as invitations_that_end
from domain.events.keys import WrongSecret
from domain.refusals import Refusal
from domain.store.migrate import NotMigrated
from domain.store.requirements import UnfitDatabase

from .edge import problems
from .edge.answers import Answer
from .edge.daybook import Daybook, open_daybook
from .edge.directory import Directory
from .edge.gate import Gate
from .edge.visit import BASE_PATH, STATE
from .edge.warm_up import warm_up
from .pages import error_page
from .pages.documentation import add_documentation
from .routes import (
    account,
    activity,
    get_session,
    health,
    hot_reads,
    invitations,
    members,
    membership,
    organization_changes,
    organizations,
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
_TIDY_EVERY = 60.0
_ATTEMPTS_KEPT_FOR = timedelta(days=90)
_LAST_ACTIVE_KEPT_FOR = timedelta(days=7)
"""At least; and for as long as a session that nobody uses may live."""

_BEING_MADE_READY = 10.0
"""Seconds that a migration by another process may take before it is said that the database is not fit."""
_SAID_AGAIN = 60.0

_logger = logging.getLogger("daybook")
_unavailable = logging.getLogger("daybook.unavailable")
"""Hears that the database is away, from everybody who notices; who gathers it says so once (api/cli/reports.py)."""


def create_app(settings: Settings | None = None, clock: Clock = chance.now) -> Gate:
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
    web.state.daybook = None
    routers = (
        sign_in.router,
        get_session.router,
        sessions.router,
        account.router,
        organizations.router,
        organization_changes.router,
        members.router,
        membership.router,
        invitations.router,
        received_invitations.router,
        activity.router,
        health.contract,
        error_page.router,
    )
    # as routes, not as routers within routers: the framework would ask each of them, and more than once
    for router in (*routers, health.operations):
        web.router.routes.extend(router.routes)
    here = f"{BASE_PATH}{get_session.PATH}"
    add_documentation(web, {here: (get_session.DOCUMENTATION, get_session.CurrentSessionAnswer)})
    for kind in (problems.Problem, Refusal, RequestValidationError, *problems.UNAVAILABLE):
        web.add_exception_handler(kind, _answer_error)
    web.add_exception_handler(Exception, _answer_unexpected)
    directory = Directory(web.routes)
    web.router.routes.insert(0, directory)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    paths = [route.path.removeprefix(BASE_PATH) for route in routes]
    plain = {("GET", here): get_session.get_session, **hot_reads.PLAIN}
    gate: Gate = Gate(web, directory=directory, paths=paths, plain=plain)
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
    tidying = asyncio.create_task(_tidy(opening))
    try:
        yield
    finally:
        for task in (tidying, opening):
            task.cancel()
        await asyncio.wait({tidying, opening})
        if gate.daybook is not None:
            await _close(gate.daybook)


async def _open(gate: Gate, web: FastAPI, settings: Settings, clock: Clock, looked: asyncio.Event) -> Daybook:
    """Look until the database is fit to serve from, and say when it was `looked` at once. Raises PlacesUnreadable."""
    unfit_since = said_at = None
    while gate.daybook is None:
        try:
            gate.daybook = web.state.daybook = await _warm(await to_thread.run_sync(open_daybook, settings, clock))
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
        if gate.daybook is None:
            await asyncio.sleep(_LOOK_AGAIN)
    return gate.daybook


async def _warm(daybook: Daybook) -> Daybook:
    try:
        await warm_up(daybook)
    except BaseException:
        await _close(daybook)
        raise
    return daybook


async def _close(daybook: Daybook) -> None:
    # both at once, for the second that the last word may take
    await asyncio.gather(daybook.attempt_book.close(), daybook.last_active_book.close())
    await daybook.sessions.close()
    await daybook.organizations.close()
    await daybook.limits.close()
    await to_thread.run_sync(daybook.close)


async def _tidy(opening: asyncio.Task[Daybook]) -> None:
    """Now and then, forget counters of rate limits that no window reaches any more, and attempts of long ago.

    Once an hour, since it looks through all there are: when sessions were last used that have run out since.
    """
    daybook = await asyncio.shield(opening)
    for minute in count():
        await asyncio.sleep(_TIDY_EVERY)
        try:
            # given up on at the stop: the database may be frozen
            await to_thread.run_sync(partial(tidy, daybook, whole=minute % 60 == 0), abandon_on_cancel=True)
        except problems.UNAVAILABLE:
            continue
        except Exception as error:
            # whatever is wrong this time, what nobody needs must not grow for ever
            problems.log_unexpected(error)


def tidy(daybook: Daybook, *, whole: bool) -> None:
    """Forget what nobody needs any more, and note which invitations ran out. Raises StoreAway.

    If `whole`, also what takes a look through all there is.
    """
    now = daybook.clock()
    daybook.counters.forget()
    daybook.attempts.forget(now - _ATTEMPTS_KEPT_FOR)
    invitations_that_end.expire_run_out(daybook.context, now=now)
    if whole:
        daybook.last_active.forget(now - max(daybook.settings.lifetimes.full, _LAST_ACTIVE_KEPT_FOR))


async def _answer_error(request: Request, error: Exception) -> Answer:
    # health and documentation are no visits
    return problems.answer(error, request.scope.get("state", {}).get(STATE))


async def _answer_unexpected(_request: Request, _error: Exception) -> Answer:
    # the framework raises the error again, and the gate logs it
    return problems.Problem(500).answer()
