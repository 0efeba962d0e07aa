"""Farewells: where the last message to somebody goes whose key is gone, until it is sent, or need not be any more.

The one address that outlives its person's erasure: sealed under the data key, in a row that dies with the delivery, and
after three days whatever became of that.
"""

from __future__ import annotations

from uuid import UUID

from domain.store.connections import Statements
from domain.store.session_settings import NOT_AWAITED

KEPT = "interval '3 days'"
"""For as long as a message is tried, in SQL."""
ENDED_WITH = """
WITH ended AS ({update} RETURNING stream_id, version), gone AS (
    DELETE FROM farewells f USING ended WHERE f.stream_id = ended.stream_id AND f.version = ended.version
)
SELECT true FROM ended
"""
"""A statement that ends deliveries, and what goes with them."""
# Locked rows are passed over: somebody is at them.
_FORGET = f"""
DELETE FROM farewells WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM farewells WHERE written_at < statement_timestamp() - {KEPT} LIMIT 10000 FOR UPDATE SKIP LOCKED
))
RETURNING {NOT_AWAITED}
"""


def sealed_address(read: Statements, stream_id: UUID, version: int) -> bytes | None:
    """Where the message of this event goes, sealed (`Keyring.open_address`); None once it is not kept any more."""
    row = read.row(
        f"SELECT sealed FROM farewells WHERE stream_id = $1 AND version = $2"
        f" AND written_at >= statement_timestamp() - {KEPT}",
        stream_id,
        version,
    )
    return None if row is None else row[0]


def forget(statements: Statements) -> int:
    """Delete what was not sent for three days; how much. Raises StoreUnavailable."""
    forgotten = found = len(statements.rows(_FORGET))
    while found == 10_000:
        found = len(statements.rows(_FORGET))
        forgotten += found
    return forgotten
