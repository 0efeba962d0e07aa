"""All accounts, as an operator looks through them: the newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import SelectList

from .session_list import LIVING


class ListedAccount(NamedTuple):
    """An account, and how many live sessions it has. What was typed is None once erased; `ended_at` while open."""

    user_id: UUID
    email: str | None
    name: str | None
    email_verified: bool
    created_at: datetime
    password_changed_at: datetime | None
    ended_at: datetime | None
    sessions: int


class OwnMembership(NamedTuple):
    """An organization somebody belongs to, and as what."""

    organization_id: UUID
    name: str | None
    role: str


_ACCOUNT = SelectList(
    ListedAccount,
    user_id="a.user_id",
    email="a.email",
    name="a.name",
    email_verified="a.email_verified",
    created_at="a.created_at",
    password_changed_at="a.password_changed_at",
    ended_at="a.ended_at",
    sessions=(
        "(SELECT count(*) FROM session_list s WHERE s.user_id = a.user_id AND s.epoch = a.session_epoch"
        " AND a.ended_at IS NULL AND s.ended_at IS NULL AND s.expires_at > $1 AND s.created_at > $2)"
    ),
)
_MEMBERSHIP = SelectList(OwnMembership, organization_id="o.organization_id", name="o.name", role="m.role")


def accounts(
    read: Statements, *, limit: int, after: UUID | None, now: datetime, started_after: datetime | None
) -> list[ListedAccount]:
    """So many accounts behind this one: ids begin with the time of sign-up, so the newest come first.

    Sessions that did not start after `started_after` have lived for as long as any may.
    """
    rows = read.rows(
        f"SELECT {_ACCOUNT.sql} FROM account_list a WHERE $3::uuid IS NULL OR a.user_id < $3"
        " ORDER BY a.user_id DESC LIMIT $4",
        *_moments(now, started_after),
        after,
        limit,
    )
    return _ACCOUNT.read_all(rows)


def account(read: Statements, user_id: UUID, *, now: datetime, started_after: datetime | None) -> ListedAccount | None:
    """One of them, also one that was closed."""
    row = read.row(
        f"SELECT {_ACCOUNT.sql} FROM account_list a WHERE a.user_id = $3", *_moments(now, started_after), user_id
    )
    return _ACCOUNT.find(row)


def memberships(read: Statements, user_id: UUID) -> list[OwnMembership]:
    """The open organizations a person belongs to, in the order of joining."""
    rows = read.rows(
        f"SELECT {_MEMBERSHIP.sql} FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.live_user_id = $1 AND o.ended_at IS NULL ORDER BY m.joined_at, m.membership_id",
        user_id,
    )
    return _MEMBERSHIP.read_all(rows)


class Undoable(NamedTuple):
    """A change of address that can still be undone: of which account, and until when by the last of the offers."""

    user_id: UUID
    until: datetime


_UNDOABLE = SelectList(Undoable, user_id="l.user_id", until="max(l.expires_at)")
_OFFERS = f"""
SELECT {_UNDOABLE.sql} FROM mailed_link_list l JOIN account_list a USING (user_id)
 WHERE l.slot IS NULL AND l.ended_at IS NULL AND l.expires_at > $1 AND a.ended_at IS NULL AND {{whose}}
 GROUP BY l.user_id LIMIT 1
"""


def reserved(read: Statements, email_hash: bytes, *, now: datetime) -> Undoable | None:
    """Whose account may have this address back, if nobody has it."""
    return _UNDOABLE.find(read.row(_OFFERS.format(whose="l.email_hash = $2"), now, email_hash))


def undoable(read: Statements, user_id: UUID, *, now: datetime) -> datetime | None:
    """Until when somebody may have an account's address changed back."""
    found = _UNDOABLE.find(read.row(_OFFERS.format(whose="l.user_id = $2"), now, user_id))
    return None if found is None else found.until


class LiveDevice(NamedTuple):
    """A live session of a person, and when it was last used as far as that was written down."""

    session_id: UUID
    created_at: datetime
    active_at: datetime
    expires_at: datetime
    ip_address: str | None
    user_agent: str | None


_DEVICE = SelectList(
    LiveDevice,
    session_id="s.session_id",
    created_at="s.created_at",
    active_at="greatest(l.at, s.updated_at)",
    expires_at="s.expires_at",
    ip_address="coalesce(s.moved_ip_address, s.ip_address)",
    user_agent="coalesce(s.moved_user_agent, s.user_agent)",
)


def devices(read: Statements, user_id: UUID, *, now: datetime, started_after: datetime | None) -> list[LiveDevice]:
    """The live sessions of a person, last used first."""
    rows = read.rows(
        f"SELECT {_DEVICE.sql} FROM session_list s {LIVING} LEFT JOIN last_active l ON l.session_id = s.session_id"
        " WHERE s.user_id = $3 AND s.ended_at IS NULL AND s.expires_at > $1 AND s.created_at > $2"
        " ORDER BY greatest(l.at, s.updated_at) DESC, s.session_id",
        *_moments(now, started_after),
        user_id,
    )
    return _DEVICE.read_all(rows)


def _moments(now: datetime, started_after: datetime | None) -> tuple[datetime, datetime]:
    return now, datetime.min.replace(tzinfo=now.tzinfo) if started_after is None else started_after
