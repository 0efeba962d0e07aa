"""Commands of the operator about somebody's account, given at the command line and told in the person's journal."""

from __future__ import annotations

from uuid import UUID

from domain.events.keys import token_hash
from domain.password_strength import Familiar
from domain.refusals import AccountNotFound, NoPassword
from domain.session import EndReason
from domain.store import Loaded
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.credentials import changed_credentials
from domain.user import Revocation, User

from .context import Context, hashed_once
from .lookups import Account
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
    changed = user.state.change_password(revoking=True)
    version, password_hash = user.state_after(changed).password_version, context.passwords.hash(password)
    context.store.append(
        record_of(principal),
        None,
        user.with_events(changed),
        writes=[changed_credentials(user_id, password_version=version, password_hash=password_hash)],
    )


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
