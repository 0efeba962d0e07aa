"""The gate: every request passes here first, in the order of wire.md §2, and every answer leaves from here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.passwords import HashingBusy
from domain.refusals import TooManyAttempts
from domain.store import deadlines

from . import body, problems
from .addressed import wrongly_addressed
from .attempts import attempt_of
from .authentication import READING, PresentedCredentials, count_the_dead, counted_for
from .body import Body
from .contract_route import ContractRoute
from .key_shown import require_no_key_in
from .limiting.rate_limiter import UNCOUNTED
from .problems import Problem
from .redirects import UntrustedTarget
from .request_context import RequestContext
from .response_writer import ResponseWriter
from .route_index import RouteIndex
from .services import Services
from .surfaces import CONTRACT, Surface, of_the_contract

DEADLINE = 9.5
"""Seconds after which a request is answered with 503, so that none outlives ten."""

PlainRoute = Callable[[Services, RequestContext, Scope, ResponseWriter, Awaitable[None]], Awaitable[None]]
"""The last argument is the counting of the request, to be awaited before anything is written or answered."""


class Gate:
    """An ASGI application around the web framework.

    `routes` of the contract and of the `pages`, if there are any, are answered without the framework, which answers
    health and documentation. `plain` are those that write their answers themselves, by method and path, and keep their
    deadlines themselves: the hottest.
    """

    def __init__(
        self,
        web: ASGIApp,
        *,
        routes: RouteIndex,
        plain: Mapping[tuple[str, str], PlainRoute],
        pages: Surface | None = None,
    ) -> None:
        self._web, self._routes, self._plain, self._pages = web, routes, plain, pages
        self.services: Services | None = None
        self._hashing = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._web(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        services, surface = self.services, self._surface(scope)
        deadlines.begin()
        request, writer = _way_out(services, surface, scope, send)
        if wrong := wrongly_addressed(scope):
            # and what follows on a connection of somebody so unclear is not read
            misled = Problem.of_code("BAD_REQUEST", wrong, {"Connection": "close"})
            return await misled.to_response()(scope, receive, writer)
        if surface is None or not scope["path"].startswith(surface.prefix):
            # health and documentation are on no surface; an unknown path is the same empty 404
            page: ASGIApp = self._web if self._routes.framework_answers(scope) else Problem(404).to_response()
            work: Awaitable[None] = _until(DEADLINE, page(scope, receive, writer), writer)
        elif services is None or request is None:
            work = surface.refuse(problems.unavailable(), None)(scope, receive, writer)
        else:
            work = self._answer_on(surface, services, request, scope, receive, writer)
        try:
            await work
        except body.ClientGone:
            return
        except Exception as error:
            writer = await self._refuse(error, surface, request, scope, receive, writer)
        if services is None or request is None or surface is None:
            return
        services.operator_hints.answered(request)
        if request.refused_with is not None and surface.remembers_attempts:
            self._note(services, request, request.refused_with, scope, writer.status)

    def _surface(self, scope: Scope) -> Surface | None:
        """Where a request belongs; health and documentation are on no surface, and what nobody knows is a page's."""
        if of_the_contract(scope["path"]):
            return CONTRACT
        return None if self._pages is None or self._routes.framework_answers(scope) else self._pages

    async def _refuse(
        self,
        error: Exception,
        surface: Surface | None,
        request: RequestContext | None,
        scope: Scope,
        receive: Receive,
        writer: ResponseWriter,
    ) -> ResponseWriter:
        """Answer an error, unless an answer is on its way; whoever asks too often waits a moment for it."""
        if writer.started:
            problems.log_unexpected(error)
            return writer
        services, writer = self.services, writer.instead()
        answer = (problems.response_to if surface is None else surface.refuse)(error, request)
        if services is not None:
            if isinstance(error, UntrustedTarget):
                services.operator_hints.target_refused(error.target)
            if isinstance(error, TooManyAttempts | HashingBusy) and not await services.held_back.hold():
                answer.headers["connection"] = "close"
        await answer(scope, receive, writer)
        return writer

    def _note(self, services: Services, request: RequestContext, code: str, scope: Scope, status: int | None) -> None:
        """Of a refused command, remember that it was tried; the answer is out, so nobody can tell by the time."""
        route = self._routes.route(scope)
        attempt = attempt_of(request, code, status, command=None if route is None else route.name)
        if attempt is not None:
            services.attempt_buffer.note(attempt)

    async def _answer_on(
        self,
        surface: Surface,
        services: Services,
        request: RequestContext,
        scope: Scope,
        receive: Receive,
        writer: ResponseWriter,
    ) -> None:
        require_no_key_in(scope["query_string"])
        # asked by the browser, not the person, and costs nothing: counted, every sign-in from there would count twice
        if answer := surface.answers_before(request, services.origins):
            return await answer(scope, receive, writer)
        if request.path in surface.hashing and request.method == "POST" and self._queue_is_full(services):
            raise HashingBusy
        plain = self._plain.get((request.method, scope["path"]))
        route = self._routes.route(scope) if plain is None else None
        asks_who = plain is not None or (route is not None and route.asks_who)
        counting = self._counting(surface, services, request, scope, asks_who=asks_who)
        if plain is not None:
            return await plain(services, request, scope, writer, counting)
        if route is not None and route.on_the_loop and request.method == "GET" and body.none_is_sent(request.headers):
            async with asyncio.timeout(DEADLINE):
                try:
                    presented = await route.find(services, request) if route.asks_who else None
                finally:
                    # who asks too often is told that, whatever they show
                    await counting
                if presented is not None:
                    await count_the_dead(services, request, presented)
                response = await _answered(surface, route, services, request, scope, Body(), presented)
            return await response(scope, receive, writer)
        routed = self._answer_routed(surface, route, services, request, scope, receive, writer, counting)
        await _until(DEADLINE, routed, writer)

    def _counting(
        self, surface: Surface, services: Services, request: RequestContext, scope: Scope, *, asks_who: bool
    ) -> Awaitable[None]:
        """The counting of a request, which has begun."""
        if not surface.counted or not services.limits.on:
            return UNCOUNTED
        routed = scope["path"] in self._routes.paths
        whose = counted_for(services, request, asks_who=asks_who)
        return services.limits.count_request(whose, surface.counted_as(request), routed=routed)

    async def _answer_routed(
        self,
        surface: Surface,
        route: ContractRoute | None,
        services: Services,
        request: RequestContext,
        scope: Scope,
        receive: Receive,
        writer: ResponseWriter,
        counting: Awaitable[None],
    ) -> None:
        await counting
        if route is None:
            raise Problem(404)
        sent = await surface.read_body(receive, request)
        surface.require_trusted(request, sent, scope["query_string"], services.origins)
        if request.path not in surface.hashing or request.method != "POST":
            presented = None
            if request.method == READING and route.asks_who:
                presented = await route.find(services, request)
                await count_the_dead(services, request, presented)
            response = await _answered(surface, route, services, request, scope, sent, presented)
            return await response(scope, receive, writer)
        # asked again: while its body came, others may have taken the last place
        if self._queue_is_full(services):
            raise HashingBusy
        services.loop_load.here()
        self._hashing += 1
        try:
            response = await _answered(surface, route, services, request, scope, sent)
        finally:
            self._hashing -= 1
        await response(scope, receive, writer)

    def _queue_is_full(self, services: Services) -> bool:
        """Whether as many requests wait for a password to be hashed as may. Those that still send theirs do not count:
        who sends it slowly would keep others out.
        """
        return services.passwords.full or self._hashing >= services.passwords.places


def _way_out(
    services: Services | None, surface: Surface | None, scope: Scope, send: Send
) -> tuple[RequestContext | None, ResponseWriter]:
    """Every answer of a surface goes out with the headers that it gives all of them, however it ends."""
    if surface is None:
        return None, ResponseWriter(send)
    if services is None or not scope["path"].startswith(surface.prefix):
        return None, ResponseWriter(send, headers=surface.headers_of_nobody)
    request = RequestContext.of(scope, services.clock(), services.addresses)
    return request, ResponseWriter(send, request, surface.headers(request, services.origins))


async def _answered(
    surface: Surface,
    route: ContractRoute,
    services: Services,
    request: RequestContext,
    scope: Scope,
    sent: Body,
    presented: PresentedCredentials | None = None,
) -> Response:
    """What a route answers, its refusals too: those of the gate itself are answered more slowly (`HeldBack`)."""
    try:
        return await route.answer(services, request, scope["query_string"], sent, presented)
    except Exception as error:
        return surface.refuse(error, request)


async def _until(deadline: float, work: Awaitable[None], writer: ResponseWriter) -> None:
    """Wait so many seconds for the answer to begin; a long one may take as long as its reader does.

    Raises TimeoutError, and leaves the work to finish alone: threads cannot be stopped.
    """
    task = asyncio.ensure_future(work)
    # at once: who waits here may itself be ended first
    task.add_done_callback(_ignore)
    done, _ = await asyncio.wait({task}, timeout=deadline)
    if not done and not writer.started:
        raise TimeoutError
    await task


def _ignore(late: asyncio.Future[None]) -> None:
    """Whatever came of it, whoever still waited has it, and asyncio need not tell of it."""
    late.cancelled() or late.exception()
