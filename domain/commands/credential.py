"""Commands about what proves who a person is: checking a password, confirming it, changing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.passwords import require_length, require_not_too_long
from domain.refusals import NoPassword, WrongPassword
from domain.session import EndReason, Way
from domain.store import Loaded
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.credentials import changed_credentials
from domain.store.envelope import CommandRecord
from domain.user import User

from .context import Context, hashed_once
from .lookups import Account, Person
from .principal import load_principal
from .session import new_session


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedPassword:
    """A password was changed. `token` is the secret of the session that replaced the one asking, None if it goes on."""

    person: Person
    token: str | None = field(repr=False)


@hashed_once
@retry_on_conflict
def reauthenticate(context: Context, command: CommandRecord, *, password: str) -> None:
    """Make a session fresh by the person's password (wire.md A3); the account, and so its password, is guarded.

    Raises PasswordTooLong, WrongPassword, NoPassword, SessionOver, HashingBusy, Conflict.
    """
    require_not_too_long(password)
    principal, _ = load_principal(context, command)
    _verified(context, principal.user, password)
    reauthenticated = principal.session.state.reauthenticate(way=Way.PASSWORD)
    context.store.append(
        command, principal.subject, principal.session.with_events(reauthenticated), guards=principal.guards
    )


@hashed_once
@retry_on_conflict
def change_password(
    context: Context, command: CommandRecord, *, current: str, new: str, revoking: bool, organization_id: UUID | None
) -> ChangedPassword:
    """Replace the `current` password by a `new` one; of several at once with the same current one, one succeeds.

    `revoking` ends every session, also one that is begun with the old password this very moment, and replaces the one
    asking by a new one, turned to `organization_id`. Raises PasswordTooShort, PasswordTooLong, WrongPassword,
    NoPassword, SessionOver, HashingBusy, Conflict.
    """
    require_length(new)
    require_not_too_long(current)
    principal, _ = load_principal(context, command)
    session, user = principal.session, principal.user
    account = _verified(context, user, current)
    changed = user.state.change_password(revoking=revoking)
    additions, token = [user.with_events(changed)], None
    if revoking:
        _, token, started = new_session(
            context,
            user_id=user.stream_id,
            epoch=user.state_after(changed).session_epoch,
            way=Way.PASSWORD,
            remembered=True,
            organization_id=organization_id,
            now=command.at,
        )
        additions += [session.with_events(session.state.end(reason=EndReason.REPLACED)), started]
    version, password_hash = user.state_after(changed).password_version, context.passwords.hash(new)
    context.store.append(
        command,
        principal.subject,
        *additions,
        guards=principal.guards,
        writes=[changed_credentials(user.stream_id, password_version=version, password_hash=password_hash)],
    )
    return ChangedPassword(person=account.person, token=token)


def _verified(context: Context, user: Loaded[User], password: str) -> Account:
    """The account, if this is its password. Raises WrongPassword, NoPassword, HashingBusy."""
    account = context.lookups.account(user.stream_id)
    if account is None or account.password_hash is None:
        raise NoPassword
    if account.password_version != user.state.password_version:
        raise StreamMovedOn
    if not context.passwords.verify(account.password_hash, password):
        raise WrongPassword(user.stream_id)
    return account
