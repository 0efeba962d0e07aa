"""The gate: every request passes here first, in the order of wire.md §2, and every answer leaves from here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge.daybook import Daybook
from domain.passwords import HashingBusy
from domain.refusals import TooManyAttempts, WrongPassword
from domain.store import deadlines
from domain.store.attempts import Attempt

from . import body, cross_origin, problems
from .addressed import wrongly_addressed
from .directory import Directory
from .origins import forbidden_origin
from .problems import Problem
from .redirects import UntrustedTarget, require_trusted_targets
from .reply import Reply
from .visit import BASE_PATH, STATE, Visit

DEADLINE = 9.5
"""Seconds after which a request is answered with 503, so that none outlives ten."""

_REFUSED = {401, 403, 429}
_GUESSES = {WrongPassword.code}
"""Refusals that the contract answers with 400, but are attempts all the same."""
_HASHING = frozenset({"/sign-in/email", "/sign-up/email", "/change-password", "/verify-password"})
"""Calls that have a password hashed. They are refused here while nobody can be: before their body is read."""
_READING = {"GET", "HEAD", "OPTIONS"}

PlainRoute = Callable[[Daybook, Visit, Scope, Reply, Awaitable[None]], Awaitable[bool]]
"""Whether it answered; what it leaves, a route of the framework answers.

The last argument is the counting of the request, to be awaited before anything is written or answered.
"""


class Gate:
    """An ASGI application around the web framework.

    `directory` has the framework's routes, `paths` are those below the base path that somebody answers. `plain` are
    routes by method and path that are answered on the event loop, without the framework: the hot path. They keep their
    deadlines themselves.
    """

    def __init__(
        self,
        web: ASGIApp,
        *,
        directory: Directory,
        paths: Iterable[str],
        plain: Mapping[tuple[str, str], PlainRoute],
    ) -> None:
        self._web, self._directory, self._paths, self._plain = web, directory, frozenset(paths), plain
        self.daybook: Daybook | None = None
        self._hashing = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._web(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        daybook = self.daybook
        deadlines.begin()
        visit, reply = _way_out(daybook, scope, send)
        if wrong := wrongly_addressed(scope):
            # and what follows on a connection of somebody so unclear is not read
            misled = Problem.of_code("BAD_REQUEST", wrong, {"Connection": "close"})
            return await misled.answer()(scope, receive, reply)
        if not scope["path"].startswith(f"{BASE_PATH}/"):
            # health and documentation are not the contract's; an unknown path is the same empty 404
            page: ASGIApp = self._web if self._directory.leads(scope) else Problem(404).answer()
            work: Awaitable[None] = _until(DEADLINE, page(scope, receive, reply), reply)
        elif daybook is None or visit is None:
            work = problems.unavailable().answer()(scope, receive, reply)
        else:
            work = self._answer_visit(daybook, visit, scope, receive, reply)
        try:
            await work
        except body.ClientGone:
            return
        except Exception as error:
            if reply.started:
                problems.log_unexpected(error)
            else:
                reply = reply.instead()
                answer = problems.answer(error, visit)
                if isinstance(error, UntrustedTarget) and daybook:
                    daybook.operator_hints.target_refused(error.target)
                if isinstance(error, TooManyAttempts | HashingBusy) and daybook and not await daybook.held_back.hold():
                    answer.headers["connection"] = "close"
                await answer(scope, receive, reply)
        if daybook is None or visit is None:
            return
        daybook.operator_hints.answered(visit)
        if visit.refused_with is not None:
            self._note(daybook, visit, visit.refused_with, scope, reply.status)

    def _note(self, daybook: Daybook, visit: Visit, code: str, scope: Scope, status: int | None) -> None:
        """Of a refused command, remember that it was tried; the answer is out, so nobody can tell by the time."""
        refused = status in _REFUSED or code in _GUESSES
        if not refused or visit.method in _READING or (command := self._directory.name(scope)) is None:
            return
        daybook.attempt_book.note(
            Attempt(
                person_id=visit.concerns,
                session_id=visit.session_id,
                command=command,
                code=code,
                where_from=visit.where_from,
                at=visit.now,
            )
        )

    async def _answer_visit(self, daybook: Daybook, visit: Visit, scope: Scope, receive: Receive, reply: Reply) -> None:
        # asked by the browser, not the person, and costs nothing: counted, every sign-in from there would count twice
        if visit.method == "OPTIONS" and (answer := cross_origin.preflight(visit, daybook.origins)):
            return await answer(scope, receive, reply)
        if visit.path in _HASHING and visit.method == "POST" and self._queue_is_full(daybook):
            raise HashingBusy
        counting = daybook.limits.begin(visit.where_from.ip_address, visit.path, routed=visit.path in self._paths)
        plain = self._plain.get((visit.method, scope["path"]))
        if plain is None or not await plain(daybook, visit, scope, reply, counting):
            await _until(DEADLINE, self._answer_routed(daybook, visit, scope, receive, reply, counting), reply)

    async def _answer_routed(
        self,
        daybook: Daybook,
        visit: Visit,
        scope: Scope,
        receive: Receive,
        reply: Reply,
        counting: Awaitable[None],
    ) -> None:
        await counting
        if not self._directory.leads(scope):
            raise Problem(404)
        content = await body.read(receive, visit.headers, visit.path)
        if code := forbidden_origin(scope["method"], visit.headers, daybook.origins):
            raise Problem.of_code(code)
        if scope["method"] != "GET":
            require_trusted_targets(content.content, scope["query_string"], daybook.origins)
        inside = {**scope, "headers": content.headers(scope["headers"]), "state": {STATE: visit}}
        if visit.path not in _HASHING:
            return await self._web(inside, content.replayed(receive), reply)
        # asked again: while its body came, others may have taken the last place
        if self._queue_is_full(daybook):
            raise HashingBusy
        daybook.loop_load.here()
        self._hashing += 1
        try:
            await self._web(inside, content.replayed(receive), reply)
        finally:
            self._hashing -= 1

    def _queue_is_full(self, daybook: Daybook) -> bool:
        """Whether as many requests wait for a password to be hashed as may. Those that still send theirs do not count:
        who sends it slowly would keep others out.
        """
        return daybook.passwords.full or self._hashing >= daybook.passwords.places


def _way_out(daybook: Daybook | None, scope: Scope, send: Send) -> tuple[Visit | None, Reply]:
    """What is the contract's goes out with the headers that the contract gives every answer, however it ends."""
    if not f"{scope['path']}/".startswith(f"{BASE_PATH}/"):
        return None, Reply(send)
    if daybook is None or scope["path"] == BASE_PATH:
        return None, Reply(send, headers=cross_origin.OF_NOBODY)
    visit = Visit.of(scope, daybook.clock(), daybook.addresses)
    return visit, Reply(send, visit, cross_origin.headers_for(visit, daybook.origins))


async def _until(deadline: float, work: Awaitable[None], reply: Reply) -> None:
    """Wait so many seconds for the answer to begin; a long one may take as long as its reader does.

    Raises TimeoutError, and leaves the work to finish alone: threads cannot be stopped.
    """
    task = asyncio.ensure_future(work)
    # at once: who waits here may itself be ended first
    task.add_done_callback(_ignore)
    done, _ = await asyncio.wait({task}, timeout=deadline)
    if not done and not reply.started:
        raise TimeoutError
    await task


def _ignore(late: asyncio.Future[None]) -> None:
    """Whatever came of it, whoever still waited has it, and asyncio need not tell of it."""
    late.cancelled() or late.exception()
