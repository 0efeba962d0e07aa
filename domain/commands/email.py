"""Commands about the address of an account: proving it, and having another (wire.md §9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.email_address import canonical
from domain.ids import new_id
from domain.mailed_link import (
    UNDO_LIFETIME,
    VERIFICATION_LIFETIME,
    EmailChangeRequested,
    EmailChangeUndoOffered,
    MailedLink,
    Purpose,
)
from domain.refusals import EmailTaken, LinkNotFound, MalformedEmail, SameEmail, SubjectGone
from domain.session import Session
from domain.store import Addition, Loaded, Subject
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.envelope import Recorded, WhereFrom
from domain.user import User

from .context import Context
from .invitation import Admit, unbraked
from .lookups import Person
from .mailed_link import address_in, address_named, opened, sending, withdrawn_from
from .principal import PersonBySession, PersonWithoutSession, load_by_session, record_of
from .queries import link_for, the_session


@retry_on_conflict
def request_email_change(
    context: Context, principal: PersonBySession, *, email: str, callback_url: str, admit: Admit = unbraked
) -> None:
    """Have a link sent to another address, by which it becomes the account's; no message if it is somebody's already.

    That is found out when it would be sent: all that who asks can see, their journal and older links too, is the same.
    `admit` is whether the address may get one. Raises MalformedEmail, SessionNotFresh, SameEmail, what `admit` raises;
    SessionOver, SubjectGone, Conflict.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    email_hash, user_id = context.keyring.email_hash(address), principal.user_id
    loaded, [before] = load_by_session(context, principal, link_for(user_id, Purpose.EMAIL_CHANGE))
    loaded.require_fresh(context)
    if email_hash == loaded.user.state.email_hash:
        raise SameEmail
    admit(address)
    record = record_of(principal)
    requested = sending(
        context,
        record.command_id,
        before,
        loaded.subject,
        lambda link_hash: EmailChangeRequested(
            user_id=user_id,
            email=address,
            email_hash=email_hash,
            session_epoch=loaded.user.state.session_epoch,
            link_hash=link_hash,
            expires_at=principal.at + VERIFICATION_LIFETIME,
            callback_url=callback_url,
        ),
    )
    context.store.append(record, loaded.subject, requested, guards=loaded.guards)


def address_asked_for(context: Context, user_id: UUID, *, now: datetime) -> str | None:
    """The address that an account shall have once the link that went there is opened; None if none was asked for."""
    [mailed] = context.store.find(link_for(user_id, Purpose.EMAIL_CHANGE))
    if mailed is None or mailed.state.ended or (mailed.state.expires_at or now) <= now:
        return None
    return address_named(context.store, (mailed.stream_id, mailed.version))


@retry_on_conflict
def withdraw_email_change(context: Context, principal: PersonBySession) -> bool:
    """Take back that another address was asked for: the link opens nothing any more; whether there was one.

    Raises SessionOver, SubjectGone, Conflict.
    """
    loaded, [mailed] = load_by_session(context, principal, link_for(principal.user_id, Purpose.EMAIL_CHANGE))
    additions = [] if mailed is None else [mailed.with_events(mailed.state.withdraw())]
    return context.store.append(record_of(principal), loaded.subject, *additions, guards=loaded.guards)


@retry_on_conflict
def verify_email(context: Context, *, link: str, now: datetime, where_from: WhereFrom) -> Person | None:
    """Do what a link is for that proves an address: verify it, or have the account have it; who has another one now.

    A link that verified before does so again, since mail programs open links before people do. Raises LinkNotFound,
    LinkExpired, Conflict.
    """
    mailed, user, subject = opened(context, link)
    principal = PersonWithoutSession(user_id=user.stream_id, at=now, where_from=where_from)
    try:
        match mailed.state.purpose:
            case Purpose.EMAIL_VERIFICATION:
                _verify(context, principal, mailed, user, subject)
                return None
            case Purpose.EMAIL_CHANGE:
                return _change(context, principal, mailed, user, subject)
            case _:
                raise LinkNotFound
    except SubjectGone:
        raise LinkNotFound from None


def _verify(
    context: Context, principal: PersonWithoutSession, mailed: Loaded[MailedLink], user: Loaded[User], subject: Subject
) -> None:
    if mailed.state.email_hash != user.state.email_hash or user.state.email_contested:
        raise LinkNotFound
    done = mailed.state.ended and user.state.email_verified
    used, verified = ([], []) if done else (mailed.state.use(now=principal.at), user.state.verify_email())
    context.store.append(record_of(principal), subject, mailed.with_events(used), user.with_events(verified))


def _change(
    context: Context, principal: PersonWithoutSession, mailed: Loaded[MailedLink], user: Loaded[User], subject: Subject
) -> Person:
    """The account has the new address from now on; who has the old one may have it back for a while.

    Each change is one more event of the account, so two of one moment conflict, and their offers with them.
    """
    used, email_hash = mailed.state.use(now=principal.at), mailed.state.email_hash
    place = mailed.stream_id, mailed.version
    asked = context.store.recorded([place]).get(place)
    asking = _asking(context, asked, user)
    if asking is None or mailed.state.session_epoch != user.state.session_epoch:
        raise LinkNotFound
    address = address_in(asked)
    account = context.lookups.account(user.stream_id)
    if address is None or account is None or account.person.email is None:
        raise LinkNotFound
    before = account.person.email
    if context.keyring.email_hash(before) != user.state.email_hash or context.keyring.email_hash(address) != email_hash:
        raise StreamMovedOn
    if context.lookups.email_claimed(email_hash, besides=user.stream_id, now=principal.at):
        raise LinkNotFound
    record, changed = record_of(principal), user.with_events(user.state.change_email(address, email_hash=email_hash))
    try:
        context.store.append(
            record,
            subject,
            mailed.with_events(used),
            changed,
            *_offers(
                context,
                record.command_id,
                user,
                subject,
                before=before,
                email_hash=email_hash,
                asked_since=asking.since,
                now=principal.at,
            ),
            guards=[asking.session],
        )
    except EmailTaken:
        # by somebody a moment ago
        raise LinkNotFound from None
    return replace(account.person, email=address, email_verified=True, updated_at=principal.at)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressLink:
    """A link that proves an address, before anything is done by it: whose account, which address, and which it has."""

    user_id: UUID
    address: str
    account_address: str

    @property
    def changes(self) -> bool:
        """Whether the account has another address once it is used."""
        return self.address != self.account_address


def address_link(context: Context, *, link: str, now: datetime) -> AddressLink:
    """What would be done by a link; nothing is. Raises LinkNotFound, LinkExpired."""
    mailed, user, _ = opened(context, link)
    account = context.lookups.account(user.stream_id)
    if account is None or account.person.email is None:
        raise LinkNotFound
    present = account.person.email
    match mailed.state.purpose:
        case Purpose.EMAIL_VERIFICATION:
            if mailed.state.email_hash != user.state.email_hash or user.state.email_contested:
                raise LinkNotFound
            if not (mailed.state.ended and user.state.email_verified):
                mailed.state.use(now=now)
            return AddressLink(user_id=user.stream_id, address=present, account_address=present)
        case Purpose.EMAIL_CHANGE:
            mailed.state.use(now=now)
            place = mailed.stream_id, mailed.version
            asked = context.store.recorded([place]).get(place)
            address = address_in(asked)
            if address is None or _asking(context, asked, user) is None:
                raise LinkNotFound
            return AddressLink(user_id=user.stream_id, address=address, account_address=present)
        case _:
            raise LinkNotFound


class _Asking(NamedTuple):
    """The session in which a change was asked for, and since when it is there."""

    session: Loaded[Session]
    since: datetime


def _asking(context: Context, asked: Recorded | None, user: Loaded[User]) -> _Asking | None:
    """The session, None if it was ended: who signs a device out takes back what was asked for there."""
    if asked is None or (session_id := asked.command.session_id) is None:
        return None
    [session] = context.store.find(the_session(session_id))
    seen = context.lookups.last_seen(session_id)
    if session is None or seen is None or session.state.ended or session.state.epoch != user.state.session_epoch:
        return None
    return _Asking(session, seen.started_at)


def _offers(
    context: Context,
    command_id: UUID,
    user: Loaded[User],
    subject: Subject,
    *,
    before: str,
    email_hash: bytes,
    asked_since: datetime,
    now: datetime,
) -> list[Addition]:
    """What becomes of offers to undo when the account has another address, with this hash, than `before`.

    Who could have it back has it by that: nothing that came after was theirs, so that offer and those of since are
    withdrawn and none is made. To anybody else's address, `before` gets one.
    """
    if (offered := context.lookups.offer_to_undo_to(user.stream_id, email_hash, now=now)) is not None:
        return withdrawn_from(context, offered)
    stream_id = new_id()
    undo = EmailChangeUndoOffered(
        user_id=user.stream_id,
        email=before,
        email_hash=user.state.email_hash,
        link_hash=context.keyring.link_hash(context.keyring.mailed_link(stream_id, 1, command_id)),
        expires_at=now + UNDO_LIFETIME,
        account_version=user.version + 1,
        asked_since=asked_since,
    )
    return [Addition(stream_id, 0, [undo], subject)]
