"""deliveries, as its follower writes it: a row of ids for each message that an event makes due.

The one list of which event means which message. A follower sees public bytes only and works in a transaction that must
not last, so it sends nothing itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg import Connection, RawCursor

from domain.events.catalogue import EVENT_BY_NAME, UPCASTS, UnknownEvent, stored_names
from domain.invitation import InvitationResent, InvitationSent
from domain.store.connections import Values
from domain.store.log import LogEntry
from domain.user import PersonErased
from projections.trails.follower import Follower

INVITATION, ACCOUNT_DELETED = "invitation", "account-deleted"
KIND_BY_EVENT: Mapping[type, str] = {
    InvitationSent: INVITATION,
    InvitationResent: INVITATION,
    PersonErased: ACCOUNT_DELETED,
}
KINDS = tuple(dict.fromkeys(KIND_BY_EVENT.values()))
CHANNEL = "daybook_deliveries"
"""Notified with each batch in which something became due."""

_KIND_BY_NAME = {name: kind for event, kind in KIND_BY_EVENT.items() for name in stored_names(event)}
NAMES = tuple(_KIND_BY_NAME)
"""What those events are called in the log."""
KEPT = "interval '7 days'"
"""For how long it can be seen of a message that it was sent, in SQL."""
# What is older may have been sent and forgotten: it is passed, where a follower was put back to an older place.
_ENTER = f"""
WITH due AS (
    SELECT *, recorded_at <= statement_timestamp() - {KEPT} AS passed
      FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::timestamptz[]) AS d (kind, stream_id, version, recorded_at)
), entered AS (
    INSERT INTO deliveries (kind, stream_id, version) SELECT kind, stream_id, version FROM due WHERE NOT passed
        ON CONFLICT DO NOTHING
)
SELECT count(*) FROM due WHERE passed
"""


_logger = logging.getLogger("daybook")


def name_of(kind: str, stream_id: UUID, version: int) -> str:
    """What a delivery is called: the same for ever, unlike any other's, and no secret."""
    return f"{kind}.{stream_id.hex}.{version}"


def named(name: str) -> tuple[str, UUID, int]:
    """Kind, stream and version of the delivery that is called so. Raises ValueError."""
    kind, stream_id, version = name.split(".")
    return kind, UUID(stream_id), int(version)


def apply(connection: Connection[Values], entries: Sequence[LogEntry]) -> None:
    """Write down what these make due; what is there stays as it is, and what may be forgotten already is passed.

    Raises UnknownEvent for an event of a newer release: it may mean a message that this one knows nothing of.
    """
    due = list[tuple[str, UUID, int, datetime]]()
    for entry in entries:
        if entry.name not in EVENT_BY_NAME and entry.name not in UPCASTS:
            raise UnknownEvent(entry.name)
        if (kind := _KIND_BY_NAME.get(entry.name)) is not None:
            due.append((kind, entry.stream_id, entry.version, entry.recorded_at))
    if due:
        with RawCursor(connection) as cursor:
            columns = [list(column) for column in zip(*due, strict=True)]
            [[passed]] = cursor.execute(_ENTER, columns, prepare=True).fetchall()
        if passed:
            _logger.warning("Messages of more than a week ago are not sent any more: %s.", passed)
        connection.execute(f"NOTIFY {CHANNEL}")


FOLLOWER = Follower("deliveries", apply, outside=True)
