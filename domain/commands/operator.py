"""Commands of the operator about somebody's account, given at the command line and told in the person's journal."""

from __future__ import annotations

from uuid import UUID

from domain.email_address import canonical
from domain.events.keys import token_hash
from domain.password_strength import Familiar
from domain.refusals import AccountNotFound, EmailTaken, MalformedEmail, NoPassword, SameEmail, SubjectGone
from domain.session import EndReason
from domain.store import Loaded
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.credentials import changed_credentials
from domain.user import Revocation, User

from .context import Context, hashed_once
from .lookups import Account
from .mailed_link import withdrawn
from .principal import Operator, record_of
from .queries import the_account, the_session


@hashed_once
@retry_on_conflict
def set_password(context: Context, principal: Operator, *, user_id: UUID, password: str) -> None:
    """Replace somebody's password, whatever it was: every session of theirs ends, also one begun this very moment.

    Raises AccountNotFound, NoPassword, PasswordTooShort, PasswordTooLong, PasswordCompromised, HashingBusy, Conflict.
    """
    user, account = _open_account(context, user_id)
    if account.password_hash is None:
        raise NoPassword
    person = account.person
    context.passwords.require_worthy(password, Familiar(email=person.email, name=person.name))
    changed = user.state.change_password(revoking=True, ending_keys=True)
    version, password_hash = user.state_after(changed).password_version, context.passwords.hash(password)
    context.store.append(
        record_of(principal),
        None,
        user.with_events(changed),
        writes=[changed_credentials(user_id, password_version=version, password_hash=password_hash)],
    )


@retry_on_conflict
def change_email(context: Context, principal: Operator, *, user_id: UUID, email: str) -> int:
    """Have somebody's account have another address at once, which counts as proved; every session of theirs ends.

    Every link of the account that is open is withdrawn, offers to undo a change of address too: whoever they went to
    may be a thief. How many those were. Each change and each undoing is one more event of the account, so one of this
    moment conflicts, with what it offers. What is only asked for this moment is bound to the address or the session
    epoch of before (`domain.mailed_link`), and void with them.

    Raises MalformedEmail, AccountNotFound, SameEmail, EmailTaken (also if its holder may have it back), Conflict.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    user, _ = _open_account(context, user_id)
    email_hash, subject = context.keyring.email_hash(address), user.subject
    if email_hash == user.state.email_hash:
        raise SameEmail
    if context.lookups.email_claimed(email_hash, besides=user_id, now=principal.at):
        raise EmailTaken
    # after the account: what is offered by who changes it meanwhile need not be among them
    links = withdrawn(context, context.lookups.open_links_of(user_id, now=principal.at))
    changed = user.state.change_email(address, email_hash=email_hash)
    # who had the account may have made keys
    revoked = [*user.state_after(changed).revoke_sessions(Revocation.EVERYWHERE), *user.state.revoke_keys()]
    try:
        context.store.append(record_of(principal), subject, user.with_events([*changed, *revoked]), *links)
    except SubjectGone:
        raise AccountNotFound from None
    return len(links)


@retry_on_conflict
def unlock(context: Context, principal: Operator, *, user_id: UUID) -> None:
    """Note that the wrong passwords given for an account count no more. Raises AccountNotFound, Conflict."""
    user, _ = _open_account(context, user_id)
    context.store.append(record_of(principal), None, user.with_events(user.state.unlock()))


@retry_on_conflict
def end_session(context: Context, principal: Operator, *, user_id: UUID, session_id: UUID) -> bool:
    """End one session of a person; whether there was such a live one of theirs. Raises AccountNotFound, Conflict."""
    _open_account(context, user_id)
    live = context.lookups.live_session(user_id, session_id=session_id, token_hash=token_hash(""))
    if live is None:
        return False
    [session] = context.store.find(the_session(live))
    assert session is not None, "rows of sessions stay"
    ended = session.state.end(reason=EndReason.REVOKED)
    return context.store.append(record_of(principal), None, session.with_events(ended))


@retry_on_conflict
def end_sessions(context: Context, principal: Operator, *, user_id: UUID) -> None:
    """End every session of a person: one event, however many there are. Raises AccountNotFound, Conflict."""
    user, _ = _open_account(context, user_id)
    revoked = user.state.revoke_sessions(Revocation.EVERYWHERE)
    context.store.append(record_of(principal), None, user.with_events(revoked))


def _open_account(context: Context, user_id: UUID) -> tuple[Loaded[User], Account]:
    """An account as it stands in the log, and as it is listed. Raises AccountNotFound, StreamMovedOn."""
    [user] = context.store.find(the_account(user_id))
    account = context.lookups.account(user_id)
    if user is None or account is None:
        raise AccountNotFound
    if account.password_hash is not None and account.password_version != user.state.password_version:
        raise StreamMovedOn
    return user, account
