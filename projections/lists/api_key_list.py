"""api_key_list: the keys by which programs act as people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.api_key import (
    ApiKey,
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyEvent,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
    KeySeen,
    require_open,
)
from domain.commands.lookups import KeyTexts
from domain.events.catalogue import API_KEY
from domain.refusals import Refusal
from domain.scopes import Scopes
from domain.store import Reading
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList

from .session_list import MEMBERSHIP

TABLE = Table(
    "api_key_list",
    "api_key_id",
    {
        "user_id": "uuid",
        "epoch": "integer",
        "key_hash": "bytea",
        "start": "text",
        "prefix": "text",
        "name": "text",
        "metadata": "text",
        "scopes": "text",
        "organization_id": "uuid",
        "enabled": "boolean",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "expires_at": "timestamptz",
        "rotated_at": "timestamptz",
        "used_at": "timestamptz",
        "used_ip_address": "text",
        "used_user_agent": "text",
        "ended_at": "timestamptz",
        "end_reason": "text",
    },
)
"""`scopes` are joined by blanks, null if the key may do all that its owner may."""

PERSONAL = ("start", "prefix", "name", "metadata", "used_ip_address", "used_user_agent")
"""The columns that are empty once the person is erased."""


def project(event: ApiKeyEvent, command: CommandRecord) -> Row:
    """What an event means for the key's row. From where it is used stands on the command that told of it."""
    at = command.at
    match event:
        case ApiKeyMade() as made:
            return put(
                user_id=made.user_id,
                epoch=made.epoch,
                key_hash=made.key_hash,
                start=made.start,
                prefix=made.prefix,
                name=made.name,
                metadata=made.metadata,
                scopes=None if made.scopes is None else " ".join(made.scopes),
                organization_id=made.organization_id,
                created_at=at,
                updated_at=at,
                expires_at=made.expires_at,
            )
        case ApiKeyRenamed(name=name):
            return change(name=name, updated_at=at)
        case ApiKeyMetadataChanged(metadata=metadata):
            return change(metadata=metadata, updated_at=at)
        case ApiKeyEnabled():
            return change(enabled=True, updated_at=at)
        case ApiKeyDisabled():
            return change(enabled=False, updated_at=at)
        case ApiKeyLifetimeChanged(expires_at=expires_at):
            return change(expires_at=expires_at, updated_at=at)
        case ApiKeyRotated(expires_at=expires_at):
            return change(expires_at=expires_at, rotated_at=at, updated_at=at)
        case ApiKeyUsed():
            return change(used_at=at, used_ip_address=command.ip_address, used_user_agent=command.user_agent)
        case ApiKeyEnded(reason=reason):
            return change(ended_at=at, end_reason=reason)
        case _:
            assert_never(event)


def restore(row: Mapping[str, Any]) -> ApiKey:
    """The key's state, which is all in its row."""
    return ApiKey(
        user_id=row["user_id"],
        epoch=row["epoch"],
        scopes=scopes_of(row["scopes"]),
        organization_id=row["organization_id"],
        expires_at=row["expires_at"],
        enabled=row["enabled"],
        rotated=row["rotated_at"] is not None,
        ended=row["ended_at"] is not None,
    )


def scopes_of(text: str | None) -> Scopes | None:
    """The scopes of a row."""
    return None if text is None else tuple(text.split(" "))


PROJECTION = Projection(API_KEY.name, TABLE, project, where_from=(ApiKeyUsed,), restore=restore)


class ApiKeyRow(NamedTuple):
    """A key as its owner sees it: of its secret only how it begins. `used_at` is when it was last used."""

    api_key_id: UUID
    user_id: UUID
    start: str | None
    prefix: str | None
    name: str | None
    metadata: str | None
    scopes: str | None
    organization_id: UUID | None
    enabled: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    used_ip_address: str | None
    used_user_agent: str | None


@dataclass(frozen=True, slots=True, eq=False)
class LiveKey:
    """A key of an open account, with its owner; `lives` if it was not ended and the account still counts its epoch.

    Whether it is enabled and has run out is for the asker to say, who tells which. `active_organization_id` is the only
    organization it is for, while its owner belongs to it. Nothing here changes at every use, as in
    `session_list.LiveSession`; where from is where it was last known to be used.
    """

    key_hash: bytes
    api_key_id: UUID
    user_id: UUID
    lives: bool
    enabled: bool
    scopes: str | None
    organization_id: UUID | None
    active_organization_id: UUID | None
    active_membership_id: UUID | None
    active_role: str | None
    active_since: datetime | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    seen_at: datetime | None
    ip_address: str | None
    user_agent: str | None
    email: str | None
    name: str | None
    image: str | None
    language: str | None
    email_verified: bool
    user_created_at: datetime
    user_updated_at: datetime

    @property
    def seen(self) -> KeySeen:
        """From where it was last known to be used."""
        return KeySeen(ip_address=self.ip_address, user_agent=self.user_agent, at=self.seen_at)

    def require_life(self, now: datetime) -> None:
        """It lets in. Raises InvalidKey, KeyDisabled, KeyExpired, in this order; each names its owner."""
        try:
            require_open(lives=self.lives, enabled=self.enabled, expires_at=self.expires_at, now=now)
        except Refusal as refused:
            refused.user_id = self.user_id
            raise


_LIVING = "JOIN account_list a ON a.user_id = k.user_id AND a.key_epoch = k.epoch AND a.ended_at IS NULL"
LIVE_KEY = SelectList(
    LiveKey,
    key_hash="k.key_hash",
    api_key_id="k.api_key_id",
    user_id="k.user_id",
    lives="k.ended_at IS NULL AND k.epoch = a.key_epoch",
    enabled="k.enabled",
    scopes="k.scopes",
    organization_id="k.organization_id",
    active_organization_id="o.organization_id",
    active_membership_id=MEMBERSHIP.format("m.membership_id"),
    active_role=MEMBERSHIP.format("m.role"),
    active_since=MEMBERSHIP.format("m.joined_at"),
    created_at="k.created_at",
    updated_at="k.updated_at",
    expires_at="k.expires_at",
    seen_at="k.used_at",
    ip_address="k.used_ip_address",
    user_agent="k.used_user_agent",
    email="a.email",
    name="a.name",
    image="a.image",
    language="a.language",
    email_verified="a.email_verified",
    user_created_at="a.created_at",
    user_updated_at="a.updated_at",
)
LIVE_KEYS = f"""
SELECT {LIVE_KEY.sql}
  FROM unnest($1) AS asked (key_hash)
 CROSS JOIN LATERAL (SELECT * FROM api_key_list WHERE key_hash = asked.key_hash LIMIT 1) AS k
 CROSS JOIN LATERAL (SELECT * FROM account_list WHERE user_id = k.user_id AND ended_at IS NULL LIMIT 1) AS a
  LEFT JOIN LATERAL (
       SELECT * FROM member_list WHERE organization_id = k.organization_id AND live_user_id = k.user_id LIMIT 1
  ) AS m ON true
  LEFT JOIN LATERAL (
       SELECT * FROM organization_list WHERE organization_id = m.organization_id AND ended_at IS NULL LIMIT 1
  ) AS o ON true
"""
"""The keys among some hashes, of open accounts: committed state, asked for at every request that shows one.

Those that were ended too: whose they were is told that somebody still uses them. Each row is found by the one before,
whatever a planner thinks of tables that were empty when it was asked: it went through all accounts for each key.
"""
_ROW = SelectList(
    ApiKeyRow,
    api_key_id="k.api_key_id",
    user_id="k.user_id",
    start="k.start",
    prefix="k.prefix",
    name="k.name",
    metadata="k.metadata",
    scopes="k.scopes",
    organization_id="k.organization_id",
    enabled="k.enabled",
    created_at="k.created_at",
    updated_at="k.updated_at",
    expires_at="k.expires_at",
    used_at="greatest(l.at, k.used_at)",
    used_ip_address="k.used_ip_address",
    used_user_agent="k.used_user_agent",
)
_KEYS = f"""
SELECT {_ROW.sql} FROM api_key_list k {_LIVING} LEFT JOIN last_active l ON l.session_id = k.api_key_id
 WHERE k.user_id = $1 AND k.ended_at IS NULL
"""
SORTED_BY = {
    "createdAt": "k.created_at",
    "updatedAt": "k.updated_at",
    "name": "k.name",
    "expiresAt": "k.expires_at",
    "lastRequest": _ROW.sources["used_at"],
    "enabled": "k.enabled",
}
"""By what keys may be listed in order (wire.md K10)."""


class KeyPage(NamedTuple):
    """Some keys of a person, and how many there are."""

    keys: list[ApiKeyRow]
    total: int


def keys_of(
    read: Statements,
    user_id: UUID,
    *,
    sort_by: str = "",
    descending: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> KeyPage:
    """The keys of a person that were not ended, oldest first or as they are to be sorted (one of `SORTED_BY`).

    Nothing comes first, as before everything.
    """
    order = "ORDER BY k.created_at, k.api_key_id"
    if sort_by:
        direction = "DESC NULLS LAST" if descending else "ASC NULLS FIRST"
        order = f"ORDER BY {SORTED_BY[sort_by]} {direction}, k.api_key_id {direction}"
    found = read.rows(f"{_KEYS} {order} LIMIT $2 OFFSET $3", user_id, limit, offset)
    [[total]] = read.rows(
        f"SELECT count(*) FROM api_key_list k {_LIVING} WHERE k.user_id = $1 AND k.ended_at IS NULL", user_id
    )
    return KeyPage(_ROW.read_all(found), total)


def key_of(read: Statements, user_id: UUID, api_key_id: UUID) -> ApiKeyRow | None:
    """A key of this person that was not ended."""
    return _ROW.find(read.row(f"{_KEYS} AND k.api_key_id = $2", user_id, api_key_id))


_TEXTS = SelectList(
    KeyTexts,
    name="name",
    prefix="prefix",
    metadata="metadata",
    lifetime="expires_at - created_at",
)
_SEEN = SelectList(KeySeen, ip_address="used_ip_address", user_agent="used_user_agent", at="used_at")


@dataclass
class ApiKeyLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def key_texts(self, api_key_id: UUID) -> KeyTexts | None:
        row = self.read.row(f"SELECT {_TEXTS.sql} FROM api_key_list WHERE api_key_id = $1", api_key_id)
        return None if row is None else _TEXTS.read(row)

    def key_seen(self, api_key_id: UUID) -> KeySeen | None:
        row = self.read.row(f"SELECT {_SEEN.sql} FROM api_key_list WHERE api_key_id = $1", api_key_id)
        return None if row is None else _SEEN.read(row)

    def keys_ever_of(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        rows = reading.rows("SELECT api_key_id FROM api_key_list WHERE user_id = $1", user_id)
        return [api_key_id for [api_key_id] in rows]
