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
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    PasswordResetRequested,
    SignUpAttempted,
)
from domain.session import SessionStarted
from domain.store.connections import Values
from domain.store.log import LogEntry
from domain.user import EmailRestored, PasswordChanged, PasswordReset, PersonErased, SignedUp
from projections.trails.follower import Follower

INVITATION, NEW_DEVICE, PASSWORD_CHANGED = "invitation", "new-device", "password-changed"
ACCOUNT_DELETED, EMAIL_CHANGE_UNDONE = "account-deleted", "email-change-undone"
KIND_OF_LINK: Mapping[type, str] = {
    PasswordResetRequested: "password-reset",
    EmailVerificationRequested: "email-verification",
    EmailChangeRequested: "email-change-confirmation",
    EmailChangeUndoOffered: "email-change-notice",
    AccountDeletionRequested: "account-deletion",
    SignUpAttempted: "sign-up-attempt",
}
"""What goes out with a mailed link, or instead of one."""
KIND_BY_EVENT: Mapping[type, str] = {
    InvitationSent: INVITATION,
    InvitationResent: INVITATION,
    # whether it was from a device that is new is seen when its message is made: that takes what is sealed
    SessionStarted: NEW_DEVICE,
    PasswordChanged: PASSWORD_CHANGED,
    PasswordReset: PASSWORD_CHANGED,
    EmailRestored: EMAIL_CHANGE_UNDONE,
    PersonErased: ACCOUNT_DELETED,
    # to who had the address before
    EmailChangeUndoLapsed: ACCOUNT_DELETED,
    **KIND_OF_LINK,
}
KINDS = tuple(dict.fromkeys(KIND_BY_EVENT.values()))
OF_THE_HOUR = (NEW_DEVICE,)
"""What nobody wants to hear days later: of these nothing is told where no node could send them."""
CHANNEL = "daybook_deliveries"
"""Notified with each batch in which something became due."""

KIND_BY_NAME = {name: kind for event, kind in KIND_BY_EVENT.items() for name in stored_names(event)}
"""By what those events are called in the log."""
SIGNING_UP = frozenset(stored_names(SignedUp))
KEPT = "interval '7 days'"
"""For how long it can be seen of a message that it was sent, in SQL."""
# A person's first session, of the command that made them, is no news to them. What is older than is kept may have been
# sent and forgotten: it is passed, where a follower was put back to an older place.
_ENTER = f"""
WITH due AS (
    SELECT *, recorded_at <= statement_timestamp() - {KEPT} AS passed
      FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::uuid[], $6::uuid[])
           AS d (kind, stream_id, version, recorded_at, command_id, whose)
     WHERE NOT EXISTS (SELECT FROM events opening
                        WHERE opening.stream_id = d.whose AND opening.version = 1 AND opening.command_id = d.command_id)
), entered AS (
    INSERT INTO deliveries (kind, stream_id, version) SELECT kind, stream_id, version FROM due WHERE NOT passed
        ON CONFLICT DO NOTHING RETURNING true
)
SELECT (SELECT count(*) FROM due WHERE passed), (SELECT count(*) FROM entered)
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
    due = list[tuple[str, UUID, int, datetime, UUID, UUID | None]]()
    for entry in entries:
        if entry.name not in EVENT_BY_NAME and entry.name not in UPCASTS:
            raise UnknownEvent(entry.name)
        if (kind := KIND_BY_NAME.get(entry.name)) is not None:
            whose = entry.event().user_id if kind == NEW_DEVICE else None
            due.append((kind, entry.stream_id, entry.version, entry.recorded_at, entry.command_id, whose))
    if due:
        with RawCursor(connection) as cursor:
            columns = [list(column) for column in zip(*due, strict=True)]
            [[passed, entered]] = cursor.execute(_ENTER, columns, prepare=True).fetchall()
        if passed:
            _logger.warning("Messages of more than a week ago are not sent any more: %s.", passed)
        if entered:
            connection.execute(f"NOTIFY {CHANNEL}")


FOLLOWER = Follower("deliveries", apply, outside=True)
