"""The gate: every request passes here first, in the order of wire.md §2, and every answer leaves from here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.passwords import HashingBusy
from domain.refusals import TooManyAttempts
from domain.store import deadlines

from . import body, cross_origin, problems
from .addressed import wrongly_addressed
from .attempts import attempt_of
from .authentication import PresentedCredentials, counted_for, find_session
from .contract_route import ContractRoute
from .origins import forbidden_origin
from .problems import Problem
from .redirects import UntrustedTarget, require_trusted_targets
from .request_context import BASE_PATH, RequestContext
from .response_writer import ResponseWriter
from .route_index import RouteIndex
from .services import Services

DEADLINE = 9.5
"""Seconds after which a request is answered with 503, so that none outlives ten."""

_HASHING = frozenset({"/sign-in/email", "/sign-up/email", "/change-password", "/verify-password"})
"""Calls that have a password hashed. They are refused here while nobody can be: before their body is read."""

PlainRoute = Callable[[Services, RequestContext, Scope, ResponseWriter, Awaitable[None]], Awaitable[bool]]
"""Whether it answered; what it leaves, the route of the contract answers.

The last argument is the counting of the request, to be awaited before anything is written or answered.
"""


class Gate:
    """An ASGI application around the web framework.

    `routes` of the contract are answered without the framework, which answers health and documentation. `plain` are
    those that write their answers themselves, by method and path, and keep their deadlines themselves: the hottest.
    """

    def __init__(
        self,
        web: ASGIApp,
        *,
        routes: RouteIndex,
        plain: Mapping[tuple[str, str], PlainRoute],
    ) -> None:
        self._web, self._routes, self._plain = web, routes, plain
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
        services = self.services
        deadlines.begin()
        request, writer = _way_out(services, scope, send)
        if wrong := wrongly_addressed(scope):
            # and what follows on a connection of somebody so unclear is not read
            misled = Problem.of_code("BAD_REQUEST", wrong, {"Connection": "close"})
            return await misled.to_response()(scope, receive, writer)
        if not scope["path"].startswith(f"{BASE_PATH}/"):
            # health and documentation are not the contract's; an unknown path is the same empty 404
            page: ASGIApp = self._web if self._routes.framework_answers(scope) else Problem(404).to_response()
            work: Awaitable[None] = _until(DEADLINE, page(scope, receive, writer), writer)
        elif services is None or request is None:
            work = problems.unavailable().to_response()(scope, receive, writer)
        else:
            work = self._answer_contract(services, request, scope, receive, writer)
        try:
            await work
        except body.ClientGone:
            return
        except Exception as error:
            if writer.started:
                problems.log_unexpected(error)
            else:
                writer = writer.instead()
                answer = problems.response_to(error, request)
                if isinstance(error, UntrustedTarget) and services:
                    services.operator_hints.target_refused(error.target)
                if (
                    isinstance(error, TooManyAttempts | HashingBusy)
                    and services
                    and not await services.held_back.hold()
                ):
                    answer.headers["connection"] = "close"
                await answer(scope, receive, writer)
        if services is None or request is None:
            return
        services.operator_hints.answered(request)
        if request.refused_with is not None:
            self._note(services, request, request.refused_with, scope, writer.status)

    def _note(self, services: Services, request: RequestContext, code: str, scope: Scope, status: int | None) -> None:
        """Of a refused command, remember that it was tried; the answer is out, so nobody can tell by the time."""
        route = self._routes.route(scope)
        attempt = attempt_of(request, code, status, command=None if route is None else route.name)
        if attempt is not None:
            services.attempt_buffer.note(attempt)

    async def _answer_contract(
        self, services: Services, request: RequestContext, scope: Scope, receive: Receive, writer: ResponseWriter
    ) -> None:
        # asked by the browser, not the person, and costs nothing: counted, every sign-in from there would count twice
        if request.method == "OPTIONS" and (answer := cross_origin.preflight(request, services.origins)):
            return await answer(scope, receive, writer)
        if request.path in _HASHING and request.method == "POST" and self._queue_is_full(services):
            raise HashingBusy
        counting = services.limits.count_request(
            counted_for(services, request), request.path, routed=scope["path"] in self._routes.paths
        )
        plain = self._plain.get((request.method, scope["path"]))
        if plain is not None and await plain(services, request, scope, writer, counting):
            return
        route = self._routes.route(scope)
        if route is not None and route.on_the_loop and request.method == "GET" and body.none_is_sent(request.headers):
            async with asyncio.timeout(DEADLINE):
                return await self._read(services, request, scope, receive, writer, route, counting)
        await _until(DEADLINE, self._answer_routed(services, request, scope, receive, writer, route, counting), writer)

    async def _read(
        self,
        services: Services,
        request: RequestContext,
        scope: Scope,
        receive: Receive,
        writer: ResponseWriter,
        route: ContractRoute,
        counting: Awaitable[None],
    ) -> None:
        """A read that needs no thread; whose session it is is looked for while the request is counted."""
        presented = await find_session(services, request) if route.asks_who else None
        await counting
        response = await _answered(route, services, request, scope, body.Body(), presented)
        await response(scope, receive, writer)

    async def _answer_routed(
        self,
        services: Services,
        request: RequestContext,
        scope: Scope,
        receive: Receive,
        writer: ResponseWriter,
        route: ContractRoute | None,
        counting: Awaitable[None],
    ) -> None:
        await counting
        if route is None:
            raise Problem(404)
        content = await body.read(receive, request)
        if code := forbidden_origin(scope["method"], request.headers, services.origins):
            raise Problem.of_code(code)
        if scope["method"] != "GET":
            require_trusted_targets(content.content, scope["query_string"], services.origins)
        if request.path not in _HASHING:
            response = await _answered(route, services, request, scope, content)
            return await response(scope, receive, writer)
        # asked again: while its body came, others may have taken the last place
        if self._queue_is_full(services):
            raise HashingBusy
        services.loop_load.here()
        self._hashing += 1
        try:
            response = await _answered(route, services, request, scope, content)
        finally:
            self._hashing -= 1
        await response(scope, receive, writer)

    def _queue_is_full(self, services: Services) -> bool:
        """Whether as many requests wait for a password to be hashed as may. Those that still send theirs do not count:
        who sends it slowly would keep others out.
        """
        return services.passwords.full or self._hashing >= services.passwords.places


def _way_out(services: Services | None, scope: Scope, send: Send) -> tuple[RequestContext | None, ResponseWriter]:
    """What is the contract's goes out with the headers that the contract gives every answer, however it ends."""
    if not f"{scope['path']}/".startswith(f"{BASE_PATH}/"):
        return None, ResponseWriter(send)
    if services is None or scope["path"] == BASE_PATH:
        return None, ResponseWriter(send, headers=cross_origin.OF_NOBODY)
    request = RequestContext.of(scope, services.clock(), services.addresses)
    return request, ResponseWriter(send, request, cross_origin.headers_for(request, services.origins))


async def _answered(
    route: ContractRoute,
    services: Services,
    request: RequestContext,
    scope: Scope,
    content: body.Body,
    presented: PresentedCredentials | None = None,
) -> Response:
    """What a route answers, its refusals too: those of the gate itself are answered more slowly (`HeldBack`)."""
    try:
        return await route.answer(services, request, scope["query_string"], content, presented)
    except Exception as error:
        return problems.response_to(error, request)


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
