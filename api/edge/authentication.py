"""Admission: which session a request shows, who is let in with it, and keeping it alive while it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Depends

from domain.commands import session as sessions
from domain.commands.lookups import Account
from domain.commands.principal import PersonBySession
from domain.events.keys import token_hash
from domain.refusals import Conflict, SessionOver
from domain.roles import Roles, allow
from projections.lists.session_list import LiveSession, was_replaced

from .bearer import bearer_token
from .known_device import Device
from .problems import Problem
from .request_context import PICTURES, RequestContext
from .services import Services

READING = "GET"


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a request shows to be let in: the secrets, the first that is of a live session, and that session.

    `others` are further live ones, of a neighbour on the same host or of a cookie domain that was changed; `run_out`
    are those whose time is up, which nobody has noted yet.
    """

    session: LiveSession | None = None
    token: str = field(default="", repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[LiveSession, ...] = ()
    run_out: tuple[UUID, ...] = ()


async def find_session(services: Services, request: RequestContext) -> PresentedCredentials:
    """The first validly signed session that lives; a dead twin beside it locks nobody out (wire.md A21).

    A bearer token counts before all cookies. Only looks: neither refuses nor writes, because a schema error is answered
    before a missing session.
    """
    tokens = _tokens(services, request)
    if len(tokens) == 1:
        # as good as always, and on the hot path: without a task of its own
        found = [await services.sessions.live_session(token_hash(tokens[0]))]
    else:
        found = await asyncio.gather(*(services.sessions.live_session(token_hash(token)) for token in tokens))
    live, run_out = [], []
    for session, token in zip(found, tokens, strict=True):
        if session is None:
            continue
        if request.now < services.context.lifetimes.end(started_at=session.created_at, expires_at=session.expires_at):
            live.append((session, token))
        else:
            run_out.append(session.session_id)
    if not live:
        return PresentedCredentials(tokens=tuple(tokens), run_out=tuple(run_out))
    [(session, token), *others] = live
    return PresentedCredentials(session, token, tuple(tokens), tuple(other for other, _ in others), tuple(run_out))


def extends(services: Services, request: RequestContext, session: LiveSession) -> bool:
    """Whether using this session now extends it: its refresh window has passed and the browser keeps it (§8)."""
    renewed = services.context.lifetimes.renewed(
        started_at=session.created_at, expires_at=session.expires_at, now=request.now
    )
    return renewed is not None and not services.cookies.dont_remember(request.headers.get("cookie"))


def moved(request: RequestContext, session: LiveSession) -> bool:
    """Whether to record that the session is used from another address or browser."""
    ip_address, user_agent = request.where_from.ip_address, request.where_from.user_agent
    if ip_address == session.ip_address and user_agent == session.user_agent:
        return False
    reading = request.method == READING
    return session.seen.moved(ip_address=ip_address, user_agent=user_agent, reading=reading, now=request.now)


def record_use(
    services: Services, request: RequestContext, session: LiveSession, token: str, *, extending: bool
) -> None:
    """Record what using the session makes known; extended, the browser gets its cookie again.

    Where others record so much about it at the same moment that this one does not get in, it is left to the next use.
    Raises SessionOver if it ended meanwhile.
    """
    try:
        sessions.use_session(
            services.context,
            session_id=session.session_id,
            extending=extending,
            reading=request.method == READING,
            now=request.now,
            where_from=request.where_from,
        )
    except Conflict:
        return
    if extending:
        give_cookie(services, request, token, remembered=True, started_at=session.created_at)


def give_cookie(
    services: Services, request: RequestContext, token: str, *, remembered: bool, started_at: datetime
) -> None:
    """Hand a session out, instead of what this request gave before.

    As a cookie that stays if `remembered`, and as a token for clients without cookies.
    """
    lifetimes, now = services.context.lifetimes, request.now
    ends_at = lifetimes.end(started_at=started_at, expires_at=now + lifetimes.full)
    max_age = int((ends_at - now).total_seconds()) if remembered else None
    request.set_cookies[:] = services.cookies.issue(token, max_age, dont_remember=not remembered)
    request.auth_token = services.cookies.auth_token(token)


def clear_cookies(services: Services, request: RequestContext) -> None:
    """Take the session's cookies from the browser, and what this request gave it before."""
    request.set_cookies[:], request.auth_token = services.cookies.clear(), None


def sign_in_guess(services: Services, request: RequestContext, address: str) -> AbstractContextManager[Account | None]:
    """Around the check of a password somebody gives for the account with this canonical address, which is looked up.

    Raises TooManyAttempts.
    """
    return services.limits.sign_in_guess(address, _devices(services, request), request.now)


def password_guess(services: Services, request: RequestContext, session: LiveSession) -> AbstractContextManager[None]:
    """Around the check of a password that is given through a session. Raises TooManyAttempts."""
    return services.limits.password_guess(session, _devices(services, request), request.now)


def remember_device(services: Services, request: RequestContext, user_id: UUID) -> None:
    """From now on the browser is known to an account that has just been signed in to, beside what this request gave."""
    request.set_cookies.append(services.known_devices.remember(_devices(services, request), user_id, request.now))


def _devices(services: Services, request: RequestContext) -> tuple[Device, ...]:
    return services.known_devices.shown(request.headers.get("cookie"))


def clear_session(services: Services, request: RequestContext, presented: PresentedCredentials) -> None:
    """What comes of secrets that let nobody in: the end of what has run out is noted, and the cookies are taken away.

    Not if the session was replaced: a late answer to its cookie must not wipe the new one (wire.md A22).
    """
    request.take_back()
    for session_id in presented.run_out:
        sessions.expire(services.context, session_id=session_id, now=request.now)
    hashes = [token_hash(token) for token in presented.tokens]
    if hashes and not was_replaced(services.context.store.statements, hashes):
        clear_cookies(services, request)


@dataclass(frozen=True, slots=True)
class CurrentBySession:
    """A person who asks through a session that lives: what was read of both at the door, and what else they may do.

    What only a session has is asked of `session`: who asks by something else has none.
    """

    services: Services
    request: RequestContext
    session: LiveSession

    @property
    def principal(self) -> PersonBySession:
        """Who gives a command with this request."""
        return PersonBySession(
            user_id=self.session.user_id,
            session_id=self.session.session_id,
            at=self.request.now,
            where_from=self.request.where_from,
        )

    @property
    def user_id(self) -> UUID:
        """Whose account it is."""
        return self.session.user_id

    @property
    def email(self) -> str | None:
        """Their address; None once erased."""
        return self.session.email

    @property
    def email_verified(self) -> bool:
        """Whether it was proved to be theirs."""
        return self.session.email_verified

    @property
    def active_organization_id(self) -> UUID | None:
        """The organization that is meant where none is named."""
        return self.session.active_organization_id

    def may(self, roles: Roles, resource: str, action: str) -> bool:
        """Whether who has these roles may look at this: through a session, all that they allow."""
        return allow(roles, resource, action)

    def require_fresh(self) -> None:
        """What is sensitive needs the password proved a short while ago (wire.md A3). Raises SessionNotFresh."""
        lifetimes = self.services.context.lifetimes
        lifetimes.require_fresh(authenticated_at=self.session.authenticated_at, now=self.request.now)


CurrentPrincipal = CurrentBySession
"""Who a request is made by, let in: one variant for each of `domain.commands.principal.Person`."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, whoever it is."""

    services: Services
    request: RequestContext


@dataclass(frozen=True, slots=True)
class Caller(Client):
    """Who asks, with the session they show, before anybody has decided whether they may."""

    presented: PresentedCredentials

    @staticmethod
    def of(services: Services, request: RequestContext, presented: PresentedCredentials) -> Caller:
        """Who shows this; that the session was used is remembered, and whom the request concerns."""
        if presented.session is not None:
            services.last_active_buffer.seen(presented.session.session_id, request.now)
            request.concerns, request.session_id = presented.session.user_id, presented.session.session_id
        return Caller(services, request, presented)

    @property
    def remembered(self) -> bool:
        """Whether the browser keeps the session when it is closed."""
        return not self.services.cookies.dont_remember(self.request.headers.get("cookie"))

    def require_principal(self) -> CurrentPrincipal:
        """Who asks, their session extended if due; the first line of every handler that needs to know.

        401 without a session; 403 if it is not fresh and by the settings has to be (wire.md A3).
        """
        services, request, session = self.services, self.request, self.presented.session
        try:
            if session is None:
                raise SessionOver
            extending = extends(services, request, session)
            if extending or moved(request, session):
                record_use(services, request, session, self.presented.token, extending=extending)
        except SessionOver:
            clear_session(services, request, self.presented)
            raise Problem.of_code("UNAUTHORIZED") from None
        current = CurrentBySession(services, request, session)
        if request.path in services.settings.fresh_paths:
            current.require_fresh()
        return current

    async def require_principal_soon(self) -> CurrentPrincipal:
        """As `require_principal`, for a handler on the event loop: what has to be written down is so in a thread."""
        session = self.presented.session
        writes = bool(self.presented.tokens) if session is None else self._uses(session)
        return await to_thread.run_sync(self.require_principal) if writes else self.require_principal()

    def _uses(self, session: LiveSession) -> bool:
        return extends(self.services, self.request, session) or moved(self.request, session)

    def require_principal_or(self, problem: Problem) -> CurrentPrincipal:
        """As `require_principal`, refusing who shows nothing as a route alone does."""
        try:
            return self.require_principal()
        except Problem as refused:
            raise problem if refused.status == 401 else refused from None


def _given_by_the_route() -> None:
    """What the framework sees of a parameter that `ContractRoute` fills in: that it is none of the request's."""


CurrentClient = Annotated[Client, Depends(_given_by_the_route)]
"""The client of a route that looks at no session."""
CurrentCaller = Annotated[Caller, Depends(_given_by_the_route)]
"""The caller of a route."""


def counted_for(services: Services, request: RequestContext) -> str:
    """For whom a request is counted: the session of a read whose secret we signed, else the address (wire.md §5).

    A backend that checks sessions of many people has one address; who guesses secrets cannot sign them. Pictures are
    the same for everybody, and counted by address.
    """
    if request.path.startswith(PICTURES):
        return request.where_from.ip_address
    if request.method == READING and (tokens := _tokens(services, request)) and not _is_bare(request):
        return token_hash(tokens[0]).hex()
    return request.where_from.ip_address


def _tokens(services: Services, request: RequestContext) -> Sequence[str]:
    if request.tokens is None:
        token = bearer_token(request.headers.get("authorization"), services.cookies.secret)
        request.tokens = services.cookies.tokens(request.headers.get("cookie")) if token is None else [token]
    return request.tokens


def _is_bare(request: RequestContext) -> bool:
    """Whether a secret stands in the Authorization header without a signature."""
    return "." not in request.headers.get("authorization", ".")
