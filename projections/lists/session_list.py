"""session_list: the devices people are signed in on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.events.catalogue import SESSION
from domain.session import OrganizationChosen, SessionEnded, SessionRenewed, SessionStarted
from domain.store.connections import Statements
from domain.store.envelope import Recorded
from domain.store.rows import Projection, Row, Table, change, put

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
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "authenticated_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
        "end_reason": "text",
    },
)


def project(recorded: Recorded) -> Row | None:
    """What an event means for the device's row. Where from stands on the command that started it."""
    at = recorded.at
    match recorded.event:
        case SessionStarted() as started:
            return put(
                user_id=started.user_id,
                token_hash=started.token_hash,
                way=started.way,
                epoch=started.epoch,
                ip_address=recorded.command.ip_address,
                user_agent=recorded.command.user_agent,
                created_at=at,
                updated_at=at,
                authenticated_at=at,
                expires_at=started.expires_at,
            )
        case SessionRenewed(expires_at=expires_at):
            return change(expires_at=expires_at, updated_at=at)
        case OrganizationChosen(organization_id=organization_id):
            return change(organization_id=organization_id, organization_chosen_at=at, updated_at=at)
        case SessionEnded(reason=reason):
            return change(ended_at=at, end_reason=reason)
        case _:
            return None


PROJECTION = Projection(SESSION.name, TABLE, project, where_from=(SessionStarted,))


@dataclass(frozen=True, slots=True, eq=False)
class LiveSession:
    """A session that was not ended and whose account still counts its epoch, with its person and active organization.

    Whether it has run out is for the asker's clock to say. Every column of the answer to `/get-session` is here, and
    nothing that changes at every use, so that an answer can be kept by the row it was made from: the fields are the
    columns of `LIVE_SESSIONS`, in order, and equality is identity.
    """

    token_hash: bytes
    session_id: UUID
    user_id: UUID
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    authenticated_at: datetime
    ip_address: str | None
    user_agent: str | None
    active_organization_id: UUID | None
    email: str | None
    name: str | None
    image: str | None
    email_verified: bool
    user_created_at: datetime
    user_updated_at: datetime


LIVE_SESSIONS = """
SELECT s.token_hash, s.session_id, s.user_id, s.expires_at, s.created_at, s.updated_at, s.authenticated_at,
       s.ip_address, s.user_agent, o.organization_id,
       a.email, a.name, a.image, a.email_verified, a.created_at, a.updated_at
  FROM session_list s
  JOIN account_list a ON a.user_id = s.user_id AND a.session_epoch = s.epoch AND a.ended_at IS NULL
  LEFT JOIN member_list m ON m.organization_id = s.organization_id AND m.live_user_id = s.user_id
  LEFT JOIN organization_list o ON o.organization_id = m.organization_id AND o.ended_at IS NULL
 WHERE s.token_hash = ANY($1) AND s.ended_at IS NULL
"""
"""The live sessions among some token hashes: committed state, asked for on every request."""


def signed_in_from(read: Statements, user_id: UUID, ip_address: str) -> bool:
    """Whether a session of this account was ever started from this address; an unknown address is never known."""
    if not ip_address:
        return False
    row = read.row("SELECT FROM session_list WHERE user_id = $1 AND ip_address = $2 LIMIT 1", user_id, ip_address)
    return row is not None
