"""Commands about what proves who a person is: checking a password, confirming it, changing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.mailed_link import Purpose
from domain.password_strength import Familiar
from domain.passwords import require_not_too_long
from domain.session import EndReason
from domain.store.conflicts import retry_on_conflict
from domain.store.credentials import changed_credentials

from .context import Context, hashed_once
from .lookups import Person
from .principal import PersonBySession, load_by_session, record_of
from .queries import link_for
from .session import new_session
from .verified_account import confirm_password


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedPassword:
    """A password was changed. `token` is the secret of the session that replaced the one asking, None if it goes on."""

    person: Person
    token: str | None = field(repr=False)


@hashed_once
@retry_on_conflict
def reauthenticate(context: Context, principal: PersonBySession, *, password: str) -> None:
    """Make a session fresh by the person's password (wire.md A3); the account, and so its password, is guarded.

    Raises PasswordTooLong, WrongPassword, NoPassword, SessionOver, HashingBusy, Conflict.
    """
    require_not_too_long(password)
    loaded, _ = load_by_session(context, principal)
    verified = confirm_password(context, loaded.user, password, now=principal.at)
    reauthenticated = loaded.session.state.reauthenticate(way=verified.way)
    context.store.append(
        record_of(principal), loaded.subject, loaded.session.with_events(reauthenticated), guards=loaded.guards
    )


@hashed_once
@retry_on_conflict
def change_password(
    context: Context,
    principal: PersonBySession,
    *,
    current: str,
    new: str,
    revoking: bool,
    ending_keys: bool = False,
    organization_id: UUID | None,
) -> ChangedPassword:
    """Replace the `current` password by a `new` one; of several at once with the same current one, one succeeds.

    `revoking` ends every session, also one that is begun with the old password this very moment, and replaces the one
    asking by a new one, turned to `organization_id`; `ending_keys` ends every API key.

    Raises PasswordTooShort, PasswordTooLong, PasswordCompromised,
    WrongPassword, NoPassword, SessionOver, HashingBusy, Conflict.

    A change of address that was asked for before is taken back: whoever knew the old password may have asked.
    """
    context.passwords.require_length(new)
    require_not_too_long(current)
    loaded, [changing] = load_by_session(context, principal, link_for(principal.user_id, Purpose.EMAIL_CHANGE))
    session, user = loaded.session, loaded.user
    verified = confirm_password(context, user, current, now=principal.at)
    person = verified.account.person
    active = None if organization_id is None else context.lookups.facts(organization_id)
    context.passwords.require_worthy(
        new, Familiar(email=person.email, name=person.name, organization=None if active is None else active.name)
    )
    changed = user.state.change_password(revoking=revoking, ending_keys=ending_keys)
    additions, token = [user.with_events(changed)], None
    if changing is not None:
        additions.append(changing.with_events(changing.state.withdraw()))
    if revoking:
        _, token, started = new_session(
            context,
            user_id=user.stream_id,
            epoch=user.state_after(changed).session_epoch,
            way=verified.way,
            remembered=True,
            organization_id=organization_id,
            now=principal.at,
        )
        additions += [session.with_events(session.state.end(reason=EndReason.REPLACED)), started]
    version, password_hash = user.state_after(changed).password_version, context.passwords.hash(new)
    context.store.append(
        record_of(principal),
        loaded.subject,
        *additions,
        guards=loaded.guards,
        writes=[changed_credentials(user.stream_id, password_version=version, password_hash=password_hash)],
    )
    return ChangedPassword(person=person, token=token)
