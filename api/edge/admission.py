"""Admission: which session a request shows, who is let in with it, and keeping it alive while it is used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.edge.daybook import Daybook, daybook_of
from domain.commands.session import renew_session
from domain.events.keys import token_hash
from domain.refusals import SessionOver
from projections.lists.session_list import LiveSession

from .problems import Problem
from .visit import Visit, visit_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What the cookies of a request amount to: a live session and its secret, or a validly signed dead one, or none.

    `others` are further live ones, of a neighbour on the same host or of a cookie domain that was changed.
    """

    session: LiveSession | None = None
    token: str = field(default="", repr=False)
    dead: bool = False
    others: tuple[LiveSession, ...] = ()


async def look(daybook: Daybook, visit: Visit) -> Shown:
    """The first validly signed session that lives; a dead twin beside it locks nobody out (wire.md A21).

    Only looks: neither refuses nor writes, because a schema error is answered before a missing session.
    """
    tokens = daybook.cookies.tokens(visit.headers.get("cookie"))
    if len(tokens) == 1:
        # as good as always, and on the hot path: without a task of its own
        found = [await daybook.sessions.live_session(token_hash(tokens[0]))]
    else:
        found = await asyncio.gather(*(daybook.sessions.live_session(token_hash(token)) for token in tokens))
    live = [
        (session, token)
        for session, token in zip(found, tokens, strict=True)
        if session is not None and visit.now < session.expires_at
    ]
    if not live:
        return Shown(dead=bool(tokens))
    [(session, token), *others] = live
    return Shown(session, token, others=tuple(other for other, _ in others))


def due(daybook: Daybook, visit: Visit, session: LiveSession) -> bool:
    """Whether using this session now extends it: its refresh window has passed and the browser keeps it (§8)."""
    return daybook.context.lifetimes.due(
        expires_at=session.expires_at, now=visit.now
    ) and not daybook.cookies.dont_remember(visit.headers.get("cookie"))


def renew(daybook: Daybook, visit: Visit, session: LiveSession, token: str) -> None:
    """Extend the session and give the browser its cookie again. Raises SessionOver if it ended meanwhile."""
    renew_session(
        daybook.context,
        session_id=session.session_id,
        now=visit.now,
        where_from=visit.where_from,
    )
    visit.set_cookies += daybook.cookies.issue(token, int(daybook.context.lifetimes.full.total_seconds()), False)


def clear_cookies(daybook: Daybook, visit: Visit) -> None:
    """Take the session's cookies from the browser."""
    visit.set_cookies += daybook.cookies.clear()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, before anybody has decided whether they may."""

    daybook: Daybook
    visit: Visit
    shown: Shown

    def admitted(self) -> LiveSession:
        """The caller's session, renewed if due; the first line of every handler that needs one. 401 without."""
        session = self.shown.session
        try:
            if session is None:
                raise SessionOver
            if due(self.daybook, self.visit, session):
                renew(self.daybook, self.visit, session, self.shown.token)
        except SessionOver:
            if session is not None or self.shown.dead:
                clear_cookies(self.daybook, self.visit)
            raise Problem.of_code("UNAUTHORIZED") from None
        return session


async def caller(request: Request) -> Caller:
    """The caller of a route, as a dependency."""
    daybook, visit = daybook_of(request), visit_of(request)
    shown = await look(daybook, visit)
    if shown.session is not None:
        visit.concerns, visit.session_id = shown.session.user_id, shown.session.session_id
    return Caller(daybook, visit, shown)


Calling = Annotated[Caller, Depends(caller)]
