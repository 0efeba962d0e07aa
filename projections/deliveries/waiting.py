"""What waits to be sent: for the operator who asks why, and has it tried now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import SelectList

from .due import name_of
from .ended import in_parts


class Waiting(NamedTuple):
    """A message that waits: how often it was tried, since when it is due and when it is tried next, and why it failed
    the last time; None before that, also while it is tried for the first time.
    """

    kind: str
    stream_id: UUID
    version: int
    attempts: int
    first_due_at: datetime
    due_at: datetime
    reason: str | None

    @property
    def name(self) -> str:
        """By which it is had tried now."""
        return name_of(self.kind, self.stream_id, self.version)


_ROW = SelectList(Waiting, **{name: name for name in Waiting._fields})
_WAITING = f"""
SELECT {_ROW.sql} FROM deliveries WHERE state = 'waiting' ORDER BY due_at, kind, stream_id, version LIMIT $1
"""
# Attempts and age stay: it is the same wait. Whose lease somebody holds is being tried, or is due within the minute.
_TRY_NOW = """
UPDATE deliveries SET due_at = CASE WHEN lease IS NULL THEN least(due_at, clock_timestamp()) ELSE due_at END
 WHERE state = 'waiting' AND kind = $1 AND stream_id = $2 AND version = $3 RETURNING true
"""
_TRY_SOME_NOW = """
UPDATE deliveries SET due_at = clock_timestamp() WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM deliveries WHERE state = 'waiting' AND due_at > statement_timestamp() AND lease IS NULL
     LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING true
"""


def waiting(read: Statements, *, limit: int) -> Sequence[Waiting]:
    """What waits, the one first that is tried next. Raises StoreUnavailable."""
    return _ROW.read_all(read.rows(_WAITING, limit))


def try_now(statements: Statements, kind: str, stream_id: UUID, version: int) -> bool:
    """Have it tried without waiting longer; whether it was one that waits. Raises StoreUnavailable."""
    return bool(statements.rows(_TRY_NOW, kind, stream_id, version))


def try_all_now(statements: Statements) -> int:
    """Have all of those tried that wait for later; how many those were. Raises StoreUnavailable."""
    return in_parts(statements, _TRY_SOME_NOW)
