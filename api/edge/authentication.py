"""Authentication: which session or API key a request shows, and keeping a session alive while it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.commands import session as sessions
from domain.commands.api_key import use_key
from domain.commands.lookups import Account
from domain.events.keys import token_hash
from domain.key_format import is_key
from domain.key_refusals import InvalidKey
from domain.refusals import Conflict, SubjectGone
from projections.lists.api_key_list import LiveKey
from projections.lists.session_list import LiveSession, was_replaced

from .bearer import bearer_token
from .key_shown import KeyShown, key_shown
from .known_device import Device
from .problems import Problem
from .request_context import RequestContext
from .services import Services

READING = "GET"


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a request shows to be let in: the secrets, the first that is of a live session, and that session.

    An API key is shown instead of a session: then nothing of a session is looked at.

    `others` are further live ones, of a neighbour on the same host or of a cookie domain that was changed; `run_out`
    are those whose time is up, which nobody has noted yet.
    """

    session: LiveSession | None = None
    token: str = field(default="", repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[LiveSession, ...] = ()
    run_out: tuple[UUID, ...] = ()
    key: LiveKey | None = None


async def find_credentials(services: Services, request: RequestContext) -> PresentedCredentials:
    """The API key that is shown, if one is, else the session: one principal, however much somebody shows beside it.

    A bad key is refused, with a good cookie too: Problem, KeyDisabled, KeyExpired, InvalidKey.
    """
    shown = key_shown(request)
    return await find_session(services, request) if shown is None else await _find_key(services, request, shown)


async def _find_key(services: Services, request: RequestContext, shown: KeyShown) -> PresentedCredentials:
    if shown.too_short:
        raise Problem.of_code(InvalidKey.code, status=403)
    # a mistyped one costs the database nothing
    if not is_key(shown.secret):
        raise InvalidKey
    key = await services.keys.live_key(token_hash(shown.secret))
    if (key is None or not key.lives) and request.method == READING and services.limits.on:
        # anybody can make up what looks right: each would be a limit of its own
        await services.limits.count_request(request.where_from.ip_address, request.path, routed=True)
    if key is None:
        raise InvalidKey
    key.require_life(request.now)
    return PresentedCredentials(key=key)


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


def record_key_use(services: Services, request: RequestContext, key: LiveKey) -> None:
    """Record that a key is used, or from elsewhere; left to the next use where this one does not get in."""
    with suppress(Conflict, SubjectGone):
        use_key(
            services.context,
            api_key_id=key.api_key_id,
            user_id=key.user_id,
            now=request.now,
            where_from=request.where_from,
        )


def key_makes_news(request: RequestContext, key: LiveKey) -> bool:
    """Whether using a key now is worth recording."""
    where = request.where_from
    return key.seen.news(ip_address=where.ip_address, user_agent=where.user_agent, now=request.now)


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


def forget_device(services: Services, request: RequestContext, user_id: UUID) -> None:
    """The browser is known no longer to an account that is no more, and to others as before."""
    if (cookie := services.known_devices.forget(_devices(services, request), user_id)) is not None:
        request.set_cookies.append(cookie)


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


def counted_for(services: Services, request: RequestContext, *, asks_who: bool) -> str:
    """For whom a request is counted: the session of a read that asks who it is, if we signed its secret; else the
    address (wire.md §5).

    A backend that checks sessions of many people has one address; who guesses secrets cannot sign them.
    """
    if not asks_who or request.method != READING:
        return request.where_from.ip_address
    if (shown := key_shown(request)) is not None:
        return token_hash(shown.secret).hex() if is_key(shown.secret) else request.where_from.ip_address
    if (tokens := _tokens(services, request)) and request.signed:
        return token_hash(tokens[0]).hex()
    return request.where_from.ip_address


async def count_the_dead(services: Services, request: RequestContext, presented: PresentedCredentials) -> None:
    """Count a read by its address too, if it was counted by a session that is over: each would be a limit of its own,
    also in front of one that lives.

    Raises TooManyAttempts, StoreUnavailable.
    """
    by_the_dead = presented.tokens and presented.token != presented.tokens[0]
    if by_the_dead and request.signed and services.limits.on:
        await services.limits.count_request(request.where_from.ip_address, request.path, routed=True)


def _tokens(services: Services, request: RequestContext) -> Sequence[str]:
    if request.tokens is None:
        header = request.headers.get("authorization")
        token = bearer_token(header, services.cookies.secret)
        request.tokens = services.cookies.tokens(request.headers.get("cookie")) if token is None else [token]
        # a bare one is whatever somebody wrote
        request.signed = token is None or header is None or "." in header
    return request.tokens
