"""Admission: which session a request shows, who is let in with it, and keeping it alive while it is used."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.edge.daybook import Daybook, daybook_of
from domain.commands import session as sessions
from domain.events.keys import token_hash
from domain.refusals import Conflict, SessionOver
from domain.store.envelope import Command
from projections.lists.session_list import LiveSession, was_replaced

from .bearer import bearer_token
from .known_device import Device
from .problems import Problem
from .visit import Visit, visit_of

READING = "GET"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows to be let in: the secrets, the first that is of a live session, and that session.

    `others` are further live ones, of a neighbour on the same host or of a cookie domain that was changed; `run_out`
    are those whose time is up, which nobody has noted yet.
    """

    session: LiveSession | None = None
    token: str = field(default="", repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[LiveSession, ...] = ()
    run_out: tuple[UUID, ...] = ()


async def look(daybook: Daybook, visit: Visit) -> Shown:
    """The first validly signed session that lives; a dead twin beside it locks nobody out (wire.md A21).

    A bearer token counts before all cookies. Only looks: neither refuses nor writes, because a schema error is answered
    before a missing session.
    """
    tokens = _tokens(daybook, visit)
    if len(tokens) == 1:
        # as good as always, and on the hot path: without a task of its own
        found = [await daybook.sessions.live_session(token_hash(tokens[0]))]
    else:
        found = await asyncio.gather(*(daybook.sessions.live_session(token_hash(token)) for token in tokens))
    live, run_out = [], []
    for session, token in zip(found, tokens, strict=True):
        if session is None:
            continue
        if visit.now < daybook.context.lifetimes.end(started_at=session.created_at, expires_at=session.expires_at):
            live.append((session, token))
        else:
            run_out.append(session.session_id)
    if not live:
        return Shown(tokens=tuple(tokens), run_out=tuple(run_out))
    [(session, token), *others] = live
    return Shown(session, token, tuple(tokens), tuple(other for other, _ in others), tuple(run_out))


def extends(daybook: Daybook, visit: Visit, session: LiveSession) -> bool:
    """Whether using this session now extends it: its refresh window has passed and the browser keeps it (§8)."""
    renewed = daybook.context.lifetimes.renewed(
        started_at=session.created_at, expires_at=session.expires_at, now=visit.now
    )
    return renewed is not None and not daybook.cookies.dont_remember(visit.headers.get("cookie"))


def moved(visit: Visit, session: LiveSession) -> bool:
    """Whether to record that the session is used from another address or browser."""
    ip_address, user_agent = visit.where_from.ip_address, visit.where_from.user_agent
    if ip_address == session.ip_address and user_agent == session.user_agent:
        return False
    reading = visit.method == READING
    return session.seen.moved(ip_address=ip_address, user_agent=user_agent, reading=reading, now=visit.now)


def use(daybook: Daybook, visit: Visit, session: LiveSession, token: str, *, extending: bool) -> None:
    """Record what using the session makes known; extended, the browser gets its cookie again.

    Where others record so much about it at the same moment that this one does not get in, it is left to the next use.
    Raises SessionOver if it ended meanwhile.
    """
    try:
        sessions.use_session(
            daybook.context,
            session_id=session.session_id,
            extending=extending,
            reading=visit.method == READING,
            now=visit.now,
            where_from=visit.where_from,
        )
    except Conflict:
        return
    if extending:
        give_cookie(daybook, visit, token, remembered=True, started_at=session.created_at)


def give_cookie(daybook: Daybook, visit: Visit, token: str, *, remembered: bool, started_at: datetime) -> None:
    """Hand a session out, instead of what this visit gave before.

    As a cookie that stays if `remembered`, and as a token for clients without cookies.
    """
    lifetimes, now = daybook.context.lifetimes, visit.now
    ends_at = lifetimes.end(started_at=started_at, expires_at=now + lifetimes.full)
    max_age = int((ends_at - now).total_seconds()) if remembered else None
    visit.set_cookies[:] = daybook.cookies.issue(token, max_age, dont_remember=not remembered)
    visit.auth_token = daybook.cookies.auth_token(token)


def clear_cookies(daybook: Daybook, visit: Visit) -> None:
    """Take the session's cookies from the browser, and what this visit gave it before."""
    visit.set_cookies[:], visit.auth_token = daybook.cookies.clear(), None


def guessing(
    daybook: Daybook, visit: Visit, email: str, *, session: LiveSession | None = None
) -> AbstractContextManager[None]:
    """Around the check of a password somebody gives for the account with this address, through their session if any.

    Raises TooManyAttempts.
    """
    return daybook.limits.guessing(email, _devices(daybook, visit), visit.now, session=session)


def remember_device(daybook: Daybook, visit: Visit, user_id: UUID) -> None:
    """From now on the browser is known to an account that has just been signed in to, beside what this visit gave."""
    visit.set_cookies.append(daybook.known_devices.remember(_devices(daybook, visit), user_id, visit.now))


def _devices(daybook: Daybook, visit: Visit) -> tuple[Device, ...]:
    return daybook.known_devices.shown(visit.headers.get("cookie"))


def leave(daybook: Daybook, visit: Visit, shown: Shown) -> None:
    """What comes of secrets that let nobody in: the end of what has run out is noted, and the cookies are taken away.

    Not if the session was replaced: a late answer to its cookie must not wipe the new one (wire.md A22).
    """
    visit.take_back()
    for session_id in shown.run_out:
        sessions.expire(daybook.context, session_id=session_id, now=visit.now)
    hashes = [token_hash(token) for token in shown.tokens]
    if hashes and not was_replaced(daybook.context.store.statements, hashes):
        clear_cookies(daybook, visit)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, before anybody has decided whether they may."""

    daybook: Daybook
    visit: Visit
    shown: Shown

    def command(self, session: LiveSession) -> Command:
        """What the caller does with this request, through their session."""
        visit = self.visit
        return Command.by_user(
            session.user_id, session_id=session.session_id, at=visit.now, where_from=visit.where_from
        )

    @property
    def remembered(self) -> bool:
        """Whether the browser keeps the session when it is closed."""
        return not self.daybook.cookies.dont_remember(self.visit.headers.get("cookie"))

    def admitted(self) -> LiveSession:
        """The caller's session, extended if due; the first line of every handler that needs one.

        401 without; 403 if it is not fresh and by the settings has to be (wire.md A3).
        """
        daybook, visit, session = self.daybook, self.visit, self.shown.session
        try:
            if session is None:
                raise SessionOver
            extending = extends(daybook, visit, session)
            if extending or moved(visit, session):
                use(daybook, visit, session, self.shown.token, extending=extending)
        except SessionOver:
            leave(daybook, visit, self.shown)
            raise Problem.of_code("UNAUTHORIZED") from None
        if visit.path in daybook.settings.fresh_paths:
            self.require_fresh(session)
        return session

    def admitted_or(self, problem: Problem) -> LiveSession:
        """As `admitted`, refusing without a session as a route alone does."""
        try:
            return self.admitted()
        except Problem as refused:
            raise problem if refused.status == 401 else refused from None

    def require_fresh(self, session: LiveSession) -> None:
        """What is sensitive needs the password proved a short while ago (wire.md A3). Raises SessionNotFresh."""
        lifetimes = self.daybook.context.lifetimes
        lifetimes.require_fresh(authenticated_at=session.authenticated_at, now=self.visit.now)


async def caller(request: Request) -> Caller:
    """The caller of a route, as a dependency."""
    daybook, visit = daybook_of(request), visit_of(request)
    shown = await look(daybook, visit)
    if shown.session is not None:
        daybook.last_active_book.seen(shown.session.session_id, visit.now)
        visit.concerns, visit.session_id = shown.session.user_id, shown.session.session_id
    return Caller(daybook, visit, shown)


Calling = Annotated[Caller, Depends(caller)]


def _tokens(daybook: Daybook, visit: Visit) -> list[str]:
    token = bearer_token(visit.headers.get("authorization"), daybook.cookies.secret)
    return daybook.cookies.tokens(visit.headers.get("cookie")) if token is None else [token]
