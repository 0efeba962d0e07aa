"""Last active: when sessions, and API keys, were last used, one moment each; beside the log, since using one changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from .connections import Statements
from .session_settings import NOT_AWAITED

PORTION = 10_000
"""Rows forgotten by one statement: all of a week that nobody used would outlast its deadline, every time anew."""

# In one order of sessions, whoever writes: else two workers wait for each other.
_RECORD = f"""
WITH written AS (
    INSERT INTO last_active AS known (session_id, at)
    SELECT session_id, at FROM unnest($1::uuid[], $2::timestamptz[]) AS given (session_id, at)
     WHERE NOT EXISTS (SELECT FROM session_list s JOIN account_list a USING (user_id)
                        WHERE s.session_id = given.session_id AND a.ended_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM api_key_list k JOIN account_list a USING (user_id)
                        WHERE k.api_key_id = given.session_id AND a.ended_at IS NOT NULL)
     ORDER BY session_id
    ON CONFLICT (session_id) DO UPDATE SET at = excluded.at WHERE known.at < excluded.at
    RETURNING known.session_id
)
SELECT count(*), {NOT_AWAITED} FROM written
"""
# What somebody is writing is in use again; and who waits for nobody takes no part in a deadlock.
_FORGET = f"""
WITH unused AS (
    SELECT session_id FROM last_active WHERE at < $1 LIMIT $2::bigint FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM last_active USING unused WHERE last_active.session_id = unused.session_id RETURNING unused.session_id
)
SELECT count(*), {NOT_AWAITED} FROM forgotten
"""


class LastActive:
    """The table of them. A moment never goes back, so what is written twice, or late, does no harm."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def record(self, moments: Mapping[UUID, datetime]) -> None:
        """Move the moments of these sessions forward, all that are older or unknown, or none. Of who is erased nothing
        is kept.

        Raises StoreUnavailable.
        """
        if moments:
            self._statements.rows(_RECORD, list(moments), list(moments.values()))

    def forget(self, before: datetime) -> int:
        """Drop sessions that were not used since then; how many there were. Raises StoreUnavailable."""
        forgotten, dropped = 0, PORTION
        while dropped == PORTION:
            [[dropped, _]] = self._statements.rows(_FORGET, before, PORTION)
            forgotten += dropped
        return forgotten
