"""deliveries, as its follower writes it: a row of ids for each message that an event makes due.

The one list of which event means which message. A follower sees public bytes only and works in a transaction that must
not last, so it sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import Connection, RawCursor

from domain.events.catalogue import EVENT_BY_NAME, UPCASTS, UnknownEvent, stored_names
from domain.invitation import InvitationResent, InvitationSent
from domain.store.connections import Values
from domain.store.log import LogEntry
from projections.trails.follower import Follower

INVITATION = "invitation"
KIND_BY_EVENT: Mapping[type, str] = {InvitationSent: INVITATION, InvitationResent: INVITATION}
KINDS = tuple(dict.fromkeys(KIND_BY_EVENT.values()))
CHANNEL = "daybook_deliveries"
"""Notified with each batch in which something became due."""

_KIND_BY_NAME = {name: kind for event, kind in KIND_BY_EVENT.items() for name in stored_names(event)}
_ENTER = """
INSERT INTO deliveries (kind, stream_id, version) SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[])
    ON CONFLICT DO NOTHING
"""


def name_of(kind: str, stream_id: UUID, version: int) -> str:
    """What a delivery is called: the same for ever, unlike any other's, and no secret."""
    return f"{kind}.{stream_id.hex}.{version}"


def named(name: str) -> tuple[str, UUID, int]:
    """Kind, stream and version of the delivery that is called so. Raises ValueError."""
    kind, stream_id, version = name.split(".")
    return kind, UUID(stream_id), int(version)


def apply(connection: Connection[Values], entries: Sequence[LogEntry]) -> None:
    """Write down what these make due; what is already there stays as it is.

    Raises UnknownEvent for an event of a newer release: it may mean a message that this one knows nothing of.
    """
    due = list[tuple[str, UUID, int]]()
    for entry in entries:
        if entry.name not in EVENT_BY_NAME and entry.name not in UPCASTS:
            raise UnknownEvent(entry.name)
        if (kind := _KIND_BY_NAME.get(entry.name)) is not None:
            due.append((kind, entry.stream_id, entry.version))
    if due:
        with RawCursor(connection) as cursor:
            cursor.execute(_ENTER, [list(column) for column in zip(*due, strict=True)], prepare=True)
        connection.execute(f"NOTIFY {CHANNEL}")


FOLLOWER = Follower("deliveries", apply)
