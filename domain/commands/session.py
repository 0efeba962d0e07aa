"""Commands about sessions: signing in, staying signed in, signing out, and ending others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.events.catalogue import SESSION
from domain.events.keys import token_hash
from domain.ids import new_id, new_token
from domain.refusals import Conflict, SessionOver, SubjectGone, WrongCredentials
from domain.session import EndReason, Session, Way
from domain.store import Addition, Loaded
from domain.store.conflicts import NoSuchStream, retry_on_conflict
from domain.store.envelope import WhereFrom
from domain.user import Revocation, User

from .context import Context
from .lookups import Person
from .organization import personal_organization
from .principal import PersonBySession, System, load_by_session, record_of
from .queries import the_account, the_session
from .verified_account import VerifiedAccount


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A device was signed in. The token is its secret: it goes to the device and is kept nowhere else."""

    person: Person
    token: str = field(repr=False)


def new_session(
    context: Context,
    *,
    user_id: UUID,
    epoch: int,
    way: Way,
    remembered: bool,
    organization_id: UUID | None,
    now: datetime,
) -> tuple[UUID, str, Addition]:
    """The id of a new session, its secret, and what starts it."""
    session_id, token = new_id(), new_token()
    lifetime = context.lifetimes.full if remembered else context.lifetimes.brief
    started = Session.start(
        user_id=user_id,
        token_hash=token_hash(token),
        way=way,
        epoch=epoch,
        expires_at=now + lifetime,
        organization_id=organization_id,
    )
    return session_id, token, Addition(session_id, 0, started)


@retry_on_conflict
def sign_in(
    context: Context, verified: VerifiedAccount, *, remembered: bool, now: datetime, where_from: WhereFrom
) -> SignedIn:
    """Sign a device in to a verified account, turned to the organization last chosen (wire.md A5).

    Who belongs to none gets the personal one in the same commit (A4). The account is not guarded: its epoch, read with
    the hash that was verified, decides whether the session lives. Where the number of sessions is limited, the oldest
    make room. Raises WrongCredentials if the account was deleted meanwhile, Conflict.
    """
    account, founding = verified.account, list[Addition]()
    person, organization_id = account.person, account.start_in
    if organization_id is None:
        # looked at again: another sign-in may have made one since
        organization_id = context.lookups.organization_to_start_in(person.user_id)
    if organization_id is None:
        organization_id, founding = personal_organization(
            context.keyring, person.user_id, name=person.name or "", email=person.email or ""
        )
    session_id, token, started = new_session(
        context,
        user_id=person.user_id,
        epoch=account.session_epoch,
        way=verified.way,
        remembered=remembered,
        organization_id=organization_id,
        now=now,
    )
    command = PersonBySession(user_id=person.user_id, session_id=session_id, at=now, where_from=where_from)
    try:
        context.store.append(record_of(command), account.subject, *founding, started)
    except SubjectGone:
        raise WrongCredentials from None
    make_room(context, person.user_id, now=now)
    return SignedIn(person=person, token=token)


def make_room(context: Context, user_id: UUID, *, now: datetime) -> None:
    """End the oldest sessions of a person beyond the limit, if there is one.

    Asked after a sign-in has committed: of several at once the last sees all. Who conflicts leaves it to whom it
    conflicted with, who looks again.
    """
    if (limit := context.sessions_per_user) is None:
        return
    with suppress(Conflict):
        while _end_surplus(context, user_id, keep=limit, now=now):
            pass


@retry_on_conflict
def _end_surplus(context: Context, user_id: UUID, *, keep: int, now: datetime) -> bool:
    """End the oldest sessions beyond so many, a hundred at most; whether there were any."""
    started_after = context.lifetimes.started_after(now)
    oldest = context.lookups.oldest_sessions(user_id, keep=keep, now=now, started_after=started_after)
    loaded = [context.store.load(SESSION, session_id) for session_id in oldest]
    ends = [session.with_events(session.state.end(reason=EndReason.CROWDED_OUT)) for session in loaded]
    return context.store.append(record_of(System(at=now)), None, *ends)


@retry_on_conflict
def use_session(
    context: Context, *, session_id: UUID, extending: bool, reading: bool, now: datetime, where_from: WhereFrom
) -> bool:
    """What using a session makes known: that it goes on, once per refresh window, and that it moved elsewhere.

    Whether there was anything. Raises SessionOver, SubjectGone, Conflict.
    """
    session, user = _with_its_account(context, session_id)
    seen = context.lookups.last_seen(session_id)
    if seen is None:
        raise SessionOver
    moved = seen.moved(ip_address=where_from.ip_address, user_agent=where_from.user_agent, reading=reading, now=now)
    used = session.state.use(seen=seen, moved=moved, extending=extending, lifetimes=context.lifetimes, now=now)
    # a session that goes on does so from where it is known to be: to seal that each time is most of what it would cost
    where_from_now = where_from if moved else None
    principal = PersonBySession(user_id=user.stream_id, session_id=session_id, at=now, where_from=where_from_now)
    return context.store.append(record_of(principal), user.subject if moved else None, session.with_events(used))


@retry_on_conflict
def expire(context: Context, *, session_id: UUID, now: datetime) -> bool:
    """Note that a session has run out; whether that was news. Raises Conflict."""
    session, seen = context.store.load(SESSION, session_id), context.lookups.last_seen(session_id)
    if seen is None:
        return False
    expired = session.state.expire(started_at=seen.started_at, lifetimes=context.lifetimes, now=now)
    return context.store.append(record_of(System(at=now)), None, session.with_events(expired))


@retry_on_conflict
def sign_out(context: Context, *, session_id: UUID, now: datetime, where_from: WhereFrom) -> bool:
    """End a session; whether it still lived. Raises NoSuchStream, SubjectGone, Conflict."""
    session, user = _with_its_account(context, session_id)
    return context.store.append(
        record_of(PersonBySession(user_id=user.stream_id, session_id=session_id, at=now, where_from=where_from)),
        user.subject,
        session.with_events(session.state.end(reason=EndReason.SIGNED_OUT)),
    )


@retry_on_conflict
def revoke_session(context: Context, principal: PersonBySession, *, named: str) -> UUID | None:
    """End the session of the same person that is `named` by its handle or its token.

    Which it was; None if no live session of theirs has this name: those of others are left alone. Raises SessionOver,
    SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    user_id = loaded.user.stream_id
    session_id = context.lookups.live_session(user_id, session_id=_handle(named), token_hash=token_hash(named))
    if session_id is None:
        # that there is none is acknowledged too: what ended it must outlast the server
        context.store.append(record_of(principal), loaded.subject)
        return None
    own = session_id == loaded.session.stream_id
    session = loaded.session if own else context.store.load(SESSION, session_id)
    ended = session.state.end(reason=EndReason.REVOKED)
    context.store.append(record_of(principal), loaded.subject, session.with_events(ended), guards=loaded.guards)
    return session_id


@retry_on_conflict
def revoke_sessions(context: Context, principal: PersonBySession) -> None:
    """End every session of the person, the one that asks too: one event, however many there are.

    Raises SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    revoked = loaded.user.state.revoke_sessions(Revocation.EVERYWHERE)
    context.store.append(record_of(principal), loaded.subject, loaded.user.with_events(revoked), guards=loaded.guards)


@retry_on_conflict
def revoke_other_sessions(context: Context, principal: PersonBySession) -> None:
    """End every session of the person but the one that asks: two events, however many there are.

    Raises SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    revoked = loaded.user.state.revoke_sessions(Revocation.OTHERS)
    kept = loaded.session.state.keep(epoch=loaded.user.state_after(revoked).session_epoch)
    context.store.append(
        record_of(principal), loaded.subject, loaded.user.with_events(revoked), loaded.session.with_events(kept)
    )


def _with_its_account(context: Context, session_id: UUID) -> tuple[Loaded[Session], Loaded[User]]:
    """A session and whose it is, as both stand at one moment. Raises NoSuchStream."""
    wanted = the_session(session_id)
    session, user = context.store.find(wanted, the_account(wanted.column("user_id")))
    if session is None or user is None:
        raise NoSuchStream(SESSION.name)
    return session, user


def _handle(text: str) -> UUID | None:
    """A session id as the wire shows it, None if it is none."""
    try:
        return UUID(hex=text) if len(text) == 32 else None
    except ValueError:
        return None
