"""Commands about API keys: a person makes, changes and ends theirs, by a session and never by a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.api_key import ApiKey, ApiKeyDisabled, ApiKeyEvent, ApiKeyMade, KeyEnd
from domain.events.keys import token_hash
from domain.ids import new_id, new_key_secret
from domain.key_format import LONGEST_PREFIX, start_of, written
from domain.key_refusals import (
    KeyLifeTooLong,
    KeyLifeTooShort,
    KeyNameLength,
    KeyNotFound,
    KeyPrefixLength,
    KeyRotated,
    NotInKeysOrganization,
)
from domain.scopes import Scopes
from domain.store import Addition, Loaded
from domain.store.conflicts import retry_on_conflict
from domain.store.envelope import WhereFrom

from .acting_member import acting_as
from .context import Context
from .lookups import KeyTexts
from .principal import LoadedBySession, PersonByKey, PersonBySession, Somebody, load_by_session, record_of
from .queries import key_with, membership_of, the_account, the_key, the_organization

_LONGEST_NAME = 32
"""UTF-16 code units, as clients count (wire-keys B2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeKey:
    """A key was made. The secret goes to its owner and is kept nowhere."""

    api_key_id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyWanted:
    """What a key shall be; `lifetime` None for ever, unless the settings have something else in mind.

    `metadata` is JSON text. `scopes` and `organization_id` as in `domain.api_key.ApiKeyMade`.
    """

    name: str | None = None
    prefix: str | None = None
    metadata: str | None = None
    lifetime: timedelta | None = None
    scopes: Scopes | None = None
    organization_id: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyChanges:
    """What of a key shall be different; what is not named stays. `lifetime` counts from now, None for ever."""

    name: str | None = None
    enabled: bool | None = None
    metadata: tuple[str | None] | None = None
    lifetime: tuple[timedelta | None] | None = None


@retry_on_conflict
def make_key(context: Context, principal: PersonBySession, wanted: KeyWanted) -> MadeKey:
    """Make a key for a program.

    Raises KeyLifeTooShort, KeyLifeTooLong, KeyPrefixLength, KeyNameLength, NotInKeysOrganization, SessionOver,
    SubjectGone, Conflict.
    """
    lifetime = wanted.lifetime or context.rules.key_lifetime
    _require_lifetime(context, wanted.lifetime)
    if wanted.prefix is not None and not 1 <= len(wanted.prefix) <= LONGEST_PREFIX:
        raise KeyPrefixLength
    if wanted.name is not None:
        _require_name(wanted.name)
    expires_at = None if lifetime is None else principal.at + lifetime
    loaded, guards = _for_organization(context, principal, wanted.organization_id)
    made, begun = _new_key(loaded, wanted, expires_at=expires_at)
    context.store.append(record_of(principal), loaded.subject, begun, guards=[*loaded.guards, *guards])
    return made


@retry_on_conflict
def change_key(context: Context, principal: PersonBySession, api_key_id: UUID, changes: KeyChanges) -> bool:
    """Change a key of one's own; whether anything is different now.

    Raises KeyNotFound, KeyNameLength, KeyLifeTooShort, KeyLifeTooLong, KeyRotated, SessionOver, SubjectGone, Conflict.
    """
    loaded, key, texts = _own_key(context, principal, api_key_id)
    if changes.name is not None:
        _require_name(changes.name)
    state, events = key.state, list[ApiKeyEvent]()
    if changes.name is not None:
        events += state.rename(changes.name, before=texts.name)
    if changes.enabled is not None:
        events += state.enable() if changes.enabled else state.disable()
    if changes.lifetime is not None:
        if state.rotated:
            raise KeyRotated
        [wanted] = changes.lifetime
        _require_lifetime(context, wanted)
        # where the settings know of an end, none is no way around it
        lifetime = wanted or context.rules.key_lifetime
        events += state.limit(None if lifetime is None else principal.at + lifetime)
    if changes.metadata is not None:
        [metadata] = changes.metadata
        events += state.annotate(metadata, before=texts.metadata)
    changed = key.with_events(events, loaded.subject)
    return context.store.append(record_of(principal), loaded.subject, changed, guards=loaded.guards)


@retry_on_conflict
def delete_key(context: Context, principal: PersonBySession, api_key_id: UUID) -> None:
    """Let a key of one's own open nothing any more. Raises KeyNotFound, SessionOver, SubjectGone, Conflict."""
    loaded, key, _ = _own_key(context, principal, api_key_id)
    ended = key.with_events(key.state.end(reason=KeyEnd.DELETED))
    context.store.append(record_of(principal), loaded.subject, ended, guards=loaded.guards)


@retry_on_conflict
def rotate_key(
    context: Context, principal: PersonBySession, api_key_id: UUID, *, old_good_for: timedelta = timedelta(0)
) -> MadeKey:
    """Make a key of one's own anew, which may do the same for as long as the one before was made for, or as is allowed.

    That one is good for a while longer, so that programs can be told of the new one; no longer than it was anyway.
    Of two who do so at once one is refused. Raises KeyNotFound, KeyRotated, SessionOver, SubjectGone, Conflict.
    """
    loaded, key, texts = _own_key(context, principal, api_key_id)
    rotated = key.state.rotate(until=principal.at + old_good_for)
    wanted = KeyWanted(
        name=texts.name,
        prefix=texts.prefix,
        metadata=texts.metadata,
        scopes=key.state.scopes,
        organization_id=key.state.organization_id,
    )
    # one that was prolonged is good for longer, from when it was made, than any may be
    lifetime = texts.lifetime or context.rules.key_lifetime
    expires_at = None if lifetime is None else principal.at + min(lifetime, context.rules.key_longest)
    made, begun = _new_key(loaded, wanted, expires_at=expires_at, instead_of=api_key_id, enabled=key.state.enabled)
    context.store.append(record_of(principal), loaded.subject, begun, key.with_events(rotated), guards=loaded.guards)
    return made


@retry_on_conflict
def revoke_keys(context: Context, principal: PersonBySession) -> None:
    """End every key of the person by one event, also one that is being made.

    Raises SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    revoked = loaded.user.with_events(loaded.user.state.revoke_keys())
    context.store.append(record_of(principal), loaded.subject, revoked, guards=loaded.guards)


@retry_on_conflict
def report_key(context: Context, secret: str, *, now: datetime, where_from: WhereFrom) -> bool:
    """Somebody found a key where it does not belong: it ends. Whether it was one that lived. Raises Conflict."""
    wanted = key_with(token_hash(secret))
    key, user = context.store.find(wanted, the_account(wanted.column("user_id")))
    if key is None or user is None or user.state.closed or key.state.epoch != user.state.key_epoch:
        return False
    ended = key.with_events(key.state.end(reason=KeyEnd.REPORTED))
    record = record_of(Somebody(at=now, where_from=where_from))
    return context.store.append(record, user.subject, ended, guards=[user])


@retry_on_conflict
def use_key(context: Context, *, api_key_id: UUID, user_id: UUID, now: datetime, where_from: WhereFrom) -> bool:
    """What using a key makes known: that it is used, or from elsewhere. Whether there was anything.

    Raises SubjectGone, Conflict.
    """
    key, user = context.store.find(the_key(api_key_id), the_account(user_id))
    seen = context.lookups.key_seen(api_key_id)
    if key is None or user is None or seen is None or key.state.ended:
        return False
    used = key.state.use(seen=seen, ip_address=where_from.ip_address, user_agent=where_from.user_agent, now=now)
    if not used:
        return False
    record = record_of(PersonByKey(user_id=user_id, api_key_id=api_key_id, at=now, where_from=where_from))
    return context.store.append(record, user.subject, key.with_events(used))


def _for_organization(
    context: Context, principal: PersonBySession, organization_id: UUID | None
) -> tuple[LoadedBySession, list[Loaded[Any]]]:
    """Who makes a key, and what must still stand: that they belong to its only organization, if it has one."""
    if organization_id is None:
        return load_by_session(context, principal)[0], []
    beside = the_organization(organization_id), membership_of(principal.user_id, organization_id)
    loaded, [organization, membership] = load_by_session(context, principal, *beside)
    own = acting_as(loaded, organization, membership)
    if own is None:
        raise NotInKeysOrganization
    return loaded, [own.organization, own.membership]


def _new_key(
    loaded: LoadedBySession,
    wanted: KeyWanted,
    *,
    expires_at: datetime | None,
    instead_of: UUID | None = None,
    enabled: bool = True,
) -> tuple[MadeKey, Addition]:
    api_key_id, secret = new_id(), written(wanted.prefix or "", new_key_secret())
    made = ApiKeyMade(
        user_id=loaded.user.stream_id,
        epoch=loaded.user.state.key_epoch,
        key_hash=token_hash(secret),
        start=start_of(secret),
        prefix=wanted.prefix,
        name=wanted.name,
        metadata=wanted.metadata,
        scopes=wanted.scopes,
        organization_id=wanted.organization_id,
        expires_at=expires_at,
        instead_of=instead_of,
    )
    events = [made] if enabled else [made, ApiKeyDisabled()]
    return MadeKey(api_key_id=api_key_id, secret=secret), Addition(api_key_id, 0, events, loaded.subject)


def _own_key(
    context: Context, principal: PersonBySession, api_key_id: UUID
) -> tuple[LoadedBySession, Loaded[ApiKey], KeyTexts]:
    loaded, [key] = load_by_session(context, principal, the_key(api_key_id))
    if key is None or key.state.user_id != loaded.user.stream_id:
        raise KeyNotFound
    texts = context.lookups.key_texts(api_key_id)
    if texts is None or key.state.ended or key.state.epoch != loaded.user.state.key_epoch:
        raise KeyNotFound
    return loaded, key, texts


def _require_name(name: str) -> None:
    if not 1 <= len(name.encode("utf-16-le", "surrogatepass")) // 2 <= _LONGEST_NAME:
        raise KeyNameLength


def _require_lifetime(context: Context, lifetime: timedelta | None) -> None:
    if lifetime is None:
        return
    if lifetime < context.rules.key_shortest:
        raise KeyLifeTooShort
    if lifetime > context.rules.key_longest:
        raise KeyLifeTooLong
