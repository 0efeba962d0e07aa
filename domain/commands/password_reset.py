"""Setting another password by a link that went to the account's address, or to the one it had before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.mailed_link import MailedLink, Purpose
from domain.password_strength import Familiar
from domain.refusals import EmailTaken, LinkExpired, LinkNotFound, SubjectGone
from domain.store import Addition, HeldKeys, Loaded, Subject
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.credentials import changed_credentials
from domain.store.envelope import WhereFrom
from domain.store.rows import Write
from domain.user import EmailRestored, User, UserEvent

from .context import Context, hashed_once
from .left_pending import LeftPending, left_pending
from .lookups import Person
from .mailed_link import address_named, opened, withdrawn_after
from .principal import PersonWithoutSession, record_of


@hashed_once
@retry_on_conflict
def reset_password(
    context: Context, *, link: str, password: str, ending_keys: bool = False, now: datetime, where_from: WhereFrom
) -> Person:
    """Set another password by a link, once: every session ends, also one that is begun with the old one this moment,
    and every API key if that is wanted.

    By the link that went to who had the account's address before, the account has that again, and the password must not
    have it in it. Invitations that are left pending, of since that change, or of whenever if the address is proved only
    now, are taken back in the same commit: somebody else may have sent them. Answers whose the account is, by the
    address it has then.

    Raises PasswordTooShort, PasswordTooLong, LinkNotFound (also if it expired), PasswordCompromised, HashingBusy,
    Conflict.
    """
    context.passwords.require_length(password)
    mailed, user, subject = opened(context, link)
    try:
        used = mailed.state.use(now=now)
        restored = _restored(context, mailed, user)
        account = context.lookups.account(user.stream_id)
        if account is None:
            raise LinkNotFound
        person = _with_the_address_of(restored, account.person)
        context.passwords.require_worthy(password, Familiar(email=person.email, name=person.name))
        reset = user.state_after(restored).reset_password(ending_keys=ending_keys)
        principal = PersonWithoutSession(user_id=user.stream_id, at=now, where_from=where_from)
        additions = [
            mailed.with_events(used),
            user.with_events([*restored, *reset]),
            # what came after the change that is undone was not the person's, and so are offers to undo it
            *(withdrawn_after(context, mailed.stream_id) if restored else []),
        ]
        write = changed_credentials(
            user.stream_id,
            password_version=user.state_after(reset).password_version,
            password_hash=context.passwords.hash(password),
        )
        pending = left_pending(context, mailed, user)
        if pending is None:
            context.store.append(record_of(principal), subject, *additions, writes=[write])
        else:
            _append_taking_back(context, principal, pending, subject, additions, write)
    except (EmailTaken, LinkExpired, SubjectGone):
        raise LinkNotFound from None
    return person


def _append_taking_back(
    context: Context,
    principal: PersonWithoutSession,
    pending: LeftPending,
    subject: Subject,
    additions: Sequence[Addition],
    write: Write,
) -> None:
    """Append it with the end of what is left pending, all that is committed before: whoever invites has the key of who
    does locked until then, and finds afterwards that their session is over.
    """
    pending.take_back_most(context, principal, subject)
    command = record_of(principal)

    def steps(held: HeldKeys) -> None:
        taken_back = pending.taken_back(context, held)
        context.store.append_under(held, command, subject, *additions, *taken_back, writes=[write])

    context.store.under_keys(command, lambda _: {pending.user_id}, steps)


def require_reset_link(context: Context, *, link: str, now: datetime) -> None:
    """Another password could be set by this link; it is not used. Raises LinkNotFound."""
    mailed, user, _ = opened(context, link)
    try:
        mailed.state.use(now=now)
    except LinkExpired:
        raise LinkNotFound from None
    _require_standing(mailed.state, user.state)


def _require_standing(mailed: MailedLink, user: User) -> None:
    """The account is as it was when the link was sent, as far as that matters. Raises LinkNotFound."""
    match mailed.purpose:
        case Purpose.PASSWORD_RESET:
            if mailed.password_version != user.password_version or mailed.email_hash != user.email_hash:
                raise LinkNotFound
        case Purpose.EMAIL_CHANGE_UNDO:
            pass
        case _:
            raise LinkNotFound


def _restored(context: Context, mailed: Loaded[MailedLink], user: Loaded[User]) -> list[UserEvent]:
    """The address of before, if it is for that that the link was sent. Raises LinkNotFound, StreamMovedOn."""
    _require_standing(mailed.state, user.state)
    if mailed.state.purpose is not Purpose.EMAIL_CHANGE_UNDO:
        return []
    address = address_named(context.store, (mailed.stream_id, mailed.version))
    if address is None:
        raise LinkNotFound
    if context.keyring.email_hash(address) != mailed.state.email_hash:
        raise StreamMovedOn
    return user.state.restore_email(address, email_hash=mailed.state.email_hash)


def _with_the_address_of(restored: list[UserEvent], person: Person) -> Person:
    """Who they are from now on: one that a thief had given the account is nothing that a password should not have."""
    address = next((one.email for one in restored if isinstance(one, EmailRestored)), person.email)
    return replace(person, email=address)
