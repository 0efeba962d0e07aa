"""Commands that have a link sent by mail, or a notice: who asks for one learns nothing of the account it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from domain.email_address import canonical
from domain.events.catalogue import MAILED_LINK
from domain.ids import new_id
from domain.mailed_link import (
    VERIFICATION_LIFETIME,
    EmailChangeRequested,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLink,
    MailedLinkEvent,
    PasswordResetRequested,
    Purpose,
    SignUpAttempted,
)
from domain.refusals import EmailAlreadyVerified, EmailMismatch, LinkNotFound, MalformedEmail
from domain.store import Addition, Loaded, Store, StreamVersion, Subject
from domain.store.conflicts import retry_on_conflict
from domain.store.envelope import Recorded, WhereFrom
from domain.user import User

from .context import Context
from .lookups import Account
from .principal import Somebody, record_of
from .queries import link_for, link_mailed, the_account


def sending(
    context: Context,
    command_id: UUID,
    before: Loaded[MailedLink] | None,
    subject: Subject,
    sent: Callable[[bytes], MailedLinkEvent],
) -> Addition:
    """What has a link sent that takes the place of the one `before`; `sent` says what for, by the link's hash.

    It must be appended by the command with this id.
    """
    stream_id, version = (new_id(), 0) if before is None else (before.stream_id, before.version)
    link = context.keyring.mailed_link(stream_id, version + 1, command_id)
    return Addition(stream_id, version, [sent(context.keyring.link_hash(link))], subject)


@retry_on_conflict
def request_password_reset(
    context: Context, *, email: str, callback_url: str, now: datetime, where_from: WhereFrom
) -> None:
    """Have a link sent to who has this address, by which they set another password; nothing if nobody has it.

    Raises MalformedEmail; SubjectGone, Conflict only of an account that there is.
    """
    account, email_hash = _with_address(context, email)
    if account is None or account.password_version is None:
        return
    user_id = account.person.user_id
    # of one moment, which the link's version guards: a reset by the one before would make this one void when it is sent
    before, user = context.store.find(link_for(user_id, Purpose.PASSWORD_RESET), the_account(user_id))
    if user is None:
        return
    version = user.state.password_version
    record = record_of(Somebody(at=now, where_from=where_from))
    requested = sending(
        context,
        record.command_id,
        before,
        account.subject,
        lambda link_hash: PasswordResetRequested(
            user_id=user_id,
            email_hash=email_hash,
            password_version=version,
            link_hash=link_hash,
            expires_at=now + context.rules.reset_lifetime,
            callback_url=callback_url,
        ),
    )
    context.store.append(record, account.subject, requested)


@retry_on_conflict
def request_verification(
    context: Context, *, email: str, callback_url: str, now: datetime, where_from: WhereFrom
) -> None:
    """Have a link sent to who has this address, that proves it to be theirs; nothing if nobody has it, or it is proved.

    If another account was to be opened with it, it is one to set a new password: that proves it, and lets nobody in who
    made up the one there is. Raises MalformedEmail; SubjectGone, Conflict only of an account that there is.
    """
    account, email_hash = _with_address(context, email)
    if account is None:
        return
    user_id = account.person.user_id
    before, user = context.store.find(link_for(user_id, Purpose.EMAIL_VERIFICATION), the_account(user_id))
    if user is None or user.state.email_verified:
        return
    if user.state.email_contested:
        # the page that thanks for a verification takes no password
        request_password_reset(context, email=email, callback_url="", now=now, where_from=where_from)
        return
    record = record_of(Somebody(at=now, where_from=where_from))
    requested = verification(
        context, record.command_id, before, account.subject, email_hash=email_hash, callback_url=callback_url, now=now
    )
    # what makes it contested moves the account
    context.store.append(record, account.subject, requested, guards=[user])


def verification(
    context: Context,
    command_id: UUID,
    before: Loaded[MailedLink] | None,
    subject: Subject,
    *,
    email_hash: bytes,
    callback_url: str,
    now: datetime,
) -> Addition:
    """What has a link sent that proves the address of the account with this key; of a new account, nothing `before`."""
    return sending(
        context,
        command_id,
        before,
        subject,
        lambda link_hash: EmailVerificationRequested(
            user_id=subject.subject_id,
            email_hash=email_hash,
            link_hash=link_hash,
            expires_at=now + VERIFICATION_LIFETIME,
            callback_url=callback_url,
        ),
    )


def require_verification_of(context: Context, user_id: UUID, *, email: str) -> None:
    """A signed-in person asks for it: it is their address, and not proved yet. Raises EmailMismatch, then
    EmailAlreadyVerified.
    """
    account = context.lookups.account(user_id)
    if account is None or account.person.email != canonical(email):
        raise EmailMismatch
    if account.person.email_verified:
        raise EmailAlreadyVerified


def opened(context: Context, link: str) -> tuple[Loaded[MailedLink], Loaded[User], Subject]:
    """The link that somebody brings, with its account and the account's key, as they stand at one moment.

    Raises LinkNotFound.
    """
    wanted = link_mailed(context.keyring.link_hash(link))
    mailed, user = context.store.find(wanted, the_account(wanted.column("user_id")))
    if mailed is None or user is None or user.subject is None or user.state.closed:
        raise LinkNotFound
    return mailed, user, user.subject


def address_named(store: Store, link: StreamVersion) -> str | None:
    """The address that this link shall make the account's, or give back; None if it does not, or the person is erased.

    Only the event says it: no list has an address that may be another person's.
    """
    return address_in(store.recorded([link]).get(link))


def address_in(sent: Recorded | None) -> str | None:
    """The same of a link whose event has been read."""
    event = None if sent is None else sent.event
    return event.email if isinstance(event, EmailChangeRequested | EmailChangeUndoOffered) else None


def address_offered_back(store: Store, offer_id: UUID) -> str | None:
    """The address that this offer to undo a change was made to; None once the person is erased."""
    return address_named(store, (offer_id, 1))


def withdrawn_after(context: Context, offer_id: UUID) -> list[Addition]:
    """What withdraws all offers to undo a change of address that an account made after this one.

    Another change that is made this moment is one more event of the account, and so conflicts.
    """
    return withdrawn(context, context.lookups.offers_to_undo_after(offer_id))


def withdrawn_from(context: Context, offer_id: UUID) -> list[Addition]:
    """The same of this one too."""
    return withdrawn(context, [offer_id, *context.lookups.offers_to_undo_after(offer_id)])


def withdrawn(context: Context, links: Iterable[UUID]) -> list[Addition]:
    """What withdraws those of these links that still open something."""
    loaded = [context.store.load(MAILED_LINK, one) for one in links]
    return [one.with_events(events) for one in loaded if (events := one.state.withdraw())]


@retry_on_conflict
def note_sign_up(context: Context, *, email: str, now: datetime, where_from: WhereFrom, telling: bool = True) -> None:
    """Note that somebody wanted to open an account with an address that there is one with; `telling` its holder.

    If the address is not proved, from then on either may be its holder: links to verify it are withdrawn, and only a
    new password proves it (wire.md A41). Raises MalformedEmail; SubjectGone, Conflict only of an account that there is.
    """
    account, email_hash = _with_address(context, email)
    if account is None:
        return
    user_id = account.person.user_id
    notice, verifying, user = context.store.find(
        link_for(user_id, Purpose.SIGN_UP_NOTICE), link_for(user_id, Purpose.EMAIL_VERIFICATION), the_account(user_id)
    )
    if user is None:
        return
    contested = user.state.contest_email()
    additions = [user.with_events(contested)] if contested else []
    if contested and verifying is not None:
        additions.append(verifying.with_events(verifying.state.withdraw()))
    if telling:
        stream_id, version = (new_id(), 0) if notice is None else (notice.stream_id, notice.version)
        attempted = SignUpAttempted(user_id=user_id, email_hash=email_hash)
        additions.append(Addition(stream_id, version, [attempted]))
    if additions:
        context.store.append(record_of(Somebody(at=now, where_from=where_from)), account.subject, *additions)


def _with_address(context: Context, email: str) -> tuple[Account | None, bytes]:
    """Whose account has it, if somebody's has, and its keyed hash."""
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    email_hash = context.keyring.email_hash(address)
    return context.lookups.account_by_email(email_hash), email_hash
