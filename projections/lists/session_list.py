"""session_list: the devices people are signed in on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.commands.lookups import AT_ONCE
from domain.events.catalogue import SESSION
from domain.session import (
    EndReason,
    OrganizationChosen,
    Seen,
    Session,
    SessionEnded,
    SessionEvent,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
)
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList, Whole

TABLE = Table(
    "session_list",
    "session_id",
    {
        "user_id": "uuid",
        "token_hash": "bytea",
        "way": "text",
        "epoch": "integer",
        "organization_id": "uuid",
        "organization_chosen_at": "timestamptz",
        "ip_address": "text",
        "user_agent": "text",
        "moved_at": "timestamptz",
        "moved_ip_address": "text",
        "moved_user_agent": "text",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "authenticated_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
        "end_reason": "text",
    },
)


PERSONAL = ("ip_address", "user_agent", "moved_ip_address", "moved_user_agent")
"""The columns that are empty once the person is erased."""


def project(event: SessionEvent, command: CommandRecord) -> Row:
    """What an event means for the device's row. Where from stands on the command that started it, or moved it."""
    at = command.at
    match event:
        case SessionStarted() as started:
            return put(
                user_id=started.user_id,
                token_hash=started.token_hash,
                way=started.way,
                epoch=started.epoch,
                ip_address=command.ip_address,
                user_agent=command.user_agent,
                created_at=at,
                updated_at=at,
                authenticated_at=at,
                expires_at=started.expires_at,
            )
        case SessionRenewed(expires_at=expires_at):
            return change(expires_at=expires_at, updated_at=at)
        case SessionReauthenticated():
            return change(authenticated_at=at, updated_at=at)
        case SessionMoved():
            seen = {"moved_ip_address": command.ip_address, "moved_user_agent": command.user_agent}
            # what is unknown this time is still where it was known to be
            return change(moved_at=at, updated_at=at, **{name: value for name, value in seen.items() if value})
        case SessionKept(epoch=epoch):
            return change(epoch=epoch, updated_at=at)
        case OrganizationChosen(organization_id=organization_id):
            return change(organization_id=organization_id, organization_chosen_at=at, updated_at=at)
        case SessionEnded(reason=reason):
            return change(ended_at=at, end_reason=reason)
        case _:
            assert_never(event)


def restore(row: Mapping[str, Any]) -> Session:
    """The session's state, which is all in its row."""
    return Session(
        user_id=row["user_id"],
        epoch=row["epoch"],
        expires_at=row["expires_at"],
        organization_id=row["organization_id"],
        ended=row["ended_at"] is not None,
    )


PROJECTION = Projection(SESSION.name, TABLE, project, where_from=(SessionStarted, SessionMoved), restore=restore)


class SessionRow(NamedTuple):
    """A live session as its person sees it: all but when it was last used, which changes all the time."""

    session_id: UUID
    user_id: UUID
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    authenticated_at: datetime
    seen_at: datetime
    ip_address: str | None
    user_agent: str | None
    active_organization_id: UUID | None
    way: str


class ListedSession(NamedTuple):
    """A session on the list of its person, of the one with this number among those asked for, and when it was used."""

    number: int
    row: SessionRow
    active_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class LiveSession:
    """A session that was not ended and whose account still counts its epoch, with its person and active membership.

    Whether it has run out is for the asker's clock to say. Where from is where it was last seen, since `seen_at`. Every
    column of the answer to `/get-session` is here, and nothing that changes at every use, so that an answer can be kept
    by the row it was made from: equality is identity.
    """

    token_hash: bytes
    session_id: UUID
    user_id: UUID
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    authenticated_at: datetime
    seen_at: datetime
    ip_address: str | None
    user_agent: str | None
    active_organization_id: UUID | None
    active_membership_id: UUID | None
    active_role: str | None
    active_since: datetime | None
    email: str | None
    name: str | None
    image: str | None
    language: str | None
    email_verified: bool
    user_created_at: datetime
    user_updated_at: datetime

    @property
    def seen(self) -> Seen:
        """From where it was last seen."""
        return Seen(ip_address=self.ip_address, user_agent=self.user_agent, at=self.seen_at, started_at=self.created_at)


_SEEN_AT = {
    "seen_at": "coalesce(s.moved_at, s.created_at)",
    "ip_address": "coalesce(s.moved_ip_address, s.ip_address)",
    "user_agent": "coalesce(s.moved_user_agent, s.user_agent)",
}
_OF_A_SESSION = {
    "session_id": "s.session_id",
    "user_id": "s.user_id",
    "expires_at": "s.expires_at",
    "created_at": "s.created_at",
    "updated_at": "s.updated_at",
    "authenticated_at": "s.authenticated_at",
    **_SEEN_AT,
    "active_organization_id": "o.organization_id",
}
LIVING = "JOIN account_list a ON a.user_id = s.user_id AND a.session_epoch = s.epoch AND a.ended_at IS NULL"
"""What a session `s` needs for living, beside not having been ended and not having run out."""
_ACTIVE_ORGANIZATION = """
  LEFT JOIN member_list m ON m.organization_id = s.organization_id AND m.live_user_id = s.user_id
  LEFT JOIN organization_list o ON o.organization_id = m.organization_id AND o.ended_at IS NULL
"""
MEMBERSHIP = "CASE WHEN o.organization_id IS NOT NULL THEN {} END"
"""Something of a membership `m`, if the organization `o` is open."""
LIVE_SESSION = SelectList(
    LiveSession,
    **_OF_A_SESSION,
    token_hash="s.token_hash",
    active_membership_id=MEMBERSHIP.format("m.membership_id"),
    active_role=MEMBERSHIP.format("m.role"),
    active_since=MEMBERSHIP.format("m.joined_at"),
    email="a.email",
    name="a.name",
    image="a.image",
    language="a.language",
    email_verified="a.email_verified",
    user_created_at="a.created_at",
    user_updated_at="a.updated_at",
)
LIVE_SESSIONS = f"""
SELECT {LIVE_SESSION.sql}
  FROM session_list s {LIVING} {_ACTIVE_ORGANIZATION}
 WHERE s.token_hash = ANY($1) AND s.ended_at IS NULL
"""
"""The live sessions among some token hashes: committed state, asked for on every request."""
SESSION_ROW = SelectList(SessionRow, **_OF_A_SESSION, way="s.way")
LISTED_SESSION = SelectList(
    ListedSession, number="asked.number", row=Whole(SESSION_ROW, "found.shown"), active_at="found.active_at"
)
SESSIONS_OF_PEOPLE = f"""
SELECT {LISTED_SESSION.sql}
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::bigint[])
       WITH ORDINALITY AS asked (user_id, first, now, started_after, most, skipped, number)
 CROSS JOIN LATERAL (
    SELECT ROW({SESSION_ROW.sql}) AS shown, s.session_id, greatest(l.at, s.updated_at) AS active_at
      FROM session_list s {LIVING} {_ACTIVE_ORGANIZATION}
      LEFT JOIN last_active l ON l.session_id = s.session_id
     WHERE s.user_id = asked.user_id AND s.ended_at IS NULL AND s.expires_at > asked.now
       AND s.created_at > asked.started_after
     ORDER BY s.session_id = asked.first DESC, active_at DESC, s.session_id LIMIT asked.most OFFSET asked.skipped
 ) AS found
 ORDER BY asked.number, found.session_id = asked.first DESC, found.active_at DESC, found.session_id
"""
"""The live sessions of some people, each with one in front, then those last used: as many as asked for of each.

`$1` uuid[], people; `$2` uuid[], the sessions in front; `$3` and `$4` timestamptz[], the moments, and those after which
sessions began that may still live; `$5` and `$6` bigint[], how many, and how many to leave out before them. Of each the
number of who asked, the session as one value, and when it was last used, as far as that was written down.
"""


_SEEN = SelectList(
    Seen,
    at=_SEEN_AT["seen_at"],
    ip_address=_SEEN_AT["ip_address"],
    user_agent=_SEEN_AT["user_agent"],
    started_at="s.created_at",
)


@dataclass
class SessionLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def last_seen(self, session_id: UUID) -> Seen | None:
        row = self.read.row(f"SELECT {_SEEN.sql} FROM session_list s {LIVING} WHERE s.session_id = $1", session_id)
        return _SEEN.find(row)

    def authenticated_at(self, session_id: UUID) -> datetime | None:
        row = self.read.row("SELECT authenticated_at FROM session_list WHERE session_id = $1", session_id)
        return None if row is None else row[0]

    def live_session(self, user_id: UUID, *, session_id: UUID | None, token_hash: bytes) -> UUID | None:
        row = self.read.row(
            f"SELECT s.session_id FROM session_list s {LIVING}"
            " WHERE s.user_id = $1 AND (s.session_id = $2 OR s.token_hash = $3) AND s.ended_at IS NULL",
            user_id,
            session_id,
            token_hash,
        )
        return None if row is None else row[0]

    def oldest_sessions(
        self, user_id: UUID, *, keep: int, now: datetime, started_after: datetime | None, limit: int = AT_ONCE
    ) -> list[UUID]:
        rows = self.read.rows(
            "SELECT session_id FROM ("
            f"SELECT s.session_id, s.created_at FROM session_list s {LIVING}"
            " WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2"
            "   AND ($3::timestamptz IS NULL OR s.created_at > $3)"
            " ORDER BY s.created_at DESC, s.session_id DESC OFFSET $4) AS surplus"
            " ORDER BY created_at, session_id LIMIT $5",
            user_id,
            now,
            started_after,
            keep,
            limit,
        )
        return [row[0] for row in rows]


def was_replaced(read: Statements, token_hashes: Sequence[bytes]) -> bool:
    """Whether one of these secrets is of a session that another one took the place of."""
    row = read.row(
        "SELECT FROM session_list WHERE token_hash = ANY($1) AND end_reason = $2 LIMIT 1",
        list(token_hashes),
        EndReason.REPLACED,
    )
    return row is not None
