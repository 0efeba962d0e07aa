"""A person's sessions as a worker asks for them, over a connection that waits."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from domain.store.connections import Statements
from projections.lists.session_list import LISTED_SESSION, SESSIONS_OF_PEOPLE, SessionRow


def sessions_of(
    read: Statements,
    user_id: UUID,
    *,
    first: UUID,
    now: datetime,
    started_after: datetime | None,
    limit: int | None,
    offset: int,
) -> list[SessionRow]:
    """The live sessions of a person, one in front, then those last used; all, or a page of them."""
    return [row for row, _ in last_used(read, user_id, first, now, started_after, limit, offset)]


def last_used(
    read: Statements,
    user_id: UUID,
    first: UUID,
    now: datetime,
    started_after: datetime | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[tuple[SessionRow, datetime]]:
    """The same, each with when it was last used."""
    since = started_after or datetime(1, 1, 1, tzinfo=UTC)
    most = 1_000_000 if limit is None else limit
    rows = read.rows(SESSIONS_OF_PEOPLE, [user_id], [first], [now], [since], [most], [offset], binary=True)
    return [(one.row, one.active_at) for one in LISTED_SESSION.read_all(rows)]
