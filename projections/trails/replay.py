"""The story of a person, an organization or a session: their events in the order of the log, and what each made true.

A person's has what became of the organizations they ever belonged to by then.

A state is folded by the lists' own functions, so it is what the lists showed at that moment, and of an erased person as
little as they show now.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from uuid import UUID

from domain.events.catalogue import (
    AGGREGATE_BY_EVENT,
    API_KEY,
    INVITATION,
    MEMBERSHIP,
    NAME_BY_EVENT,
    ORGANIZATION,
    SESSION,
    USER,
)
from domain.events.codec import personal_fields
from domain.membership import MemberJoined
from domain.session import SessionStarted
from domain.store import Store, StreamVersion, Subject
from domain.store.connections import Statements
from domain.store.envelope import Recorded
from domain.store.log import BEFORE_THE_FIRST, LogEntry, beginnings, entries_at, head
from domain.store.mapper import SealedEvent
from domain.store.rows import Table, write_of
from projections import INLINE
from projections.maintenance.expected import defaults_of

from . import journal

ERASED = "erased"
"""What stands where the key of something personal was destroyed. Which fields of a box were given, nobody can tell."""
PATIENCE = 5.0
"""Seconds the journal is waited for."""
_LOOK_EVERY = 0.05
_BATCH = 200

_CLAIMS = frozenset({"slug_slot", "live_user_id", "personal_organization", "seat", "place"})
"""Columns that only hold a unique place; what they claim, other columns say."""

# what the journal set aside belongs to the story all the same, if its stream does
_JOURNALED = """
    (SELECT position FROM journal
      WHERE {column} = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4)
    UNION
    (SELECT position FROM set_aside s JOIN log l USING (position)
      WHERE s.follower = 'journal' AND position > $2 AND position <= $3
        AND EXISTS (SELECT FROM journal j WHERE j.stream_id = l.stream_id AND j.{column} = $1))
"""
_IN_ORDER = " ORDER BY position LIMIT $4"
# what an organization is called then stands in its own stream, whoever named it; and renewals are in no journal
_OF_STREAMS = """
    UNION (SELECT position FROM log WHERE stream_id = ANY($5::uuid[]) AND position > $2 AND position <= $3
            ORDER BY position LIMIT $4)
"""
_BESIDE = f"""
SELECT organization_id FROM journal
 WHERE person_id = $1 AND event = '{NAME_BY_EVENT[MemberJoined]}' AND position <= $2
 UNION
SELECT stream_id FROM journal WHERE person_id = $1 AND event = '{NAME_BY_EVENT[SessionStarted]}' AND position <= $2
"""
_LOGGED = "SELECT position FROM log WHERE stream_id = $1 AND position > $2 AND position <= $3 ORDER BY version LIMIT $4"
_REACHED = "SELECT position FROM followers WHERE name = $1"


class NoStory(LookupError):
    """Nothing in the log is about this id; the message says so in one sentence."""


class JournalBehind(Exception):
    """The journal does not yet say whom the newest events concern; the message says so in one sentence."""


class Section(NamedTuple):
    """Where a state holds the rows of one list: the only one, or all by their ids."""

    name: str
    many: bool


Shape = Mapping[str, Section]
"""The sections of a state, by the names of aggregates."""
_OF_A_PERSON = {
    USER.name: Section("account", many=False),
    SESSION.name: Section("sessions", many=True),
    ORGANIZATION.name: Section("organizations", many=True),
    MEMBERSHIP.name: Section("memberships", many=True),
    INVITATION.name: Section("invitations", many=True),
    API_KEY.name: Section("api_keys", many=True),
}
_OF_AN_ORGANIZATION = {
    ORGANIZATION.name: Section("organization", many=False),
    MEMBERSHIP.name: Section("memberships", many=True),
    INVITATION.name: Section("invitations", many=True),
}
_OF_A_SESSION = {SESSION.name: Section("session", many=False)}

_QUESTIONS: Mapping[str, tuple[str, Shape]] = {
    "user": (_JOURNALED.format(column="person_id") + _OF_STREAMS + _IN_ORDER, _OF_A_PERSON),
    "organization": (_JOURNALED.format(column="organization_id") + _IN_ORDER, _OF_AN_ORGANIZATION),
    "session": (_LOGGED, _OF_A_SESSION),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One event and what is true after it.

    `fields` are the event's own, None if it cannot be read. `state` holds rows by column, in sections; None stands for
    a row that has not begun, or of which nobody can tell because an event of its stream cannot be read.
    """

    entry: LogEntry
    ip_address: str | None
    user_agent: str | None
    fields: dict[str, Any] | None
    state: dict[str, Any]


def story(
    store: Store,
    *,
    user_id: UUID | None = None,
    organization_id: UUID | None = None,
    session_id: UUID | None = None,
    position: int,
    patience: float = PATIENCE,
) -> Iterator[Step]:
    """What happened to one of these, and only up to a position of the log; read as it is asked for.

    Waits `patience` seconds for the journal. Raises NoStory or JournalBehind before the first step.
    """
    asked = {"user": user_id, "organization": organization_id, "session": session_id}
    [(kind, key)] = [(kind, key) for kind, key in asked.items() if key is not None]
    sql, shape = _QUESTIONS[kind]
    with store.pool.connection() as connection:
        until = min(position, head(connection))
        begun = beginnings(connection, [key]).get(key)
    if kind != "session":
        _await_journal(store.statements, until, patience)
    stranger = kind == "session" and begun is not None and AGGREGATE_BY_EVENT[type(begun)] is not SESSION
    beside = [[row[0] for row in store.statements.rows(_BESIDE, key, until)]] if kind == "user" else []
    if stranger or not store.statements.rows(sql, key, BEFORE_THE_FIRST, until, 1, *beside):
        raise NoStory(f"There is no {kind} {key.hex} in the log up to position {until}.")
    return _steps(store, _Fold(store, shape), sql, key, until, *beside)


def fields_of(event: Any) -> dict[str, Any]:
    """The fields of an event, without those that hold bytes: they are hashes, of secrets or of addresses."""
    found = {field.name: getattr(event, field.name) for field in fields(event)}
    return {name: value for name, value in found.items() if not isinstance(value, bytes)}


def _await_journal(read: Statements, until: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        [reached] = read.row(_REACHED, journal.FOLLOWER.name) or (BEFORE_THE_FIRST,)
        if reached >= until:
            return
        if time.monotonic() > deadline:
            raise JournalBehind(f"The journal is behind: at position {reached} of {until}. Is `daybook serve` running?")
        time.sleep(_LOOK_EVERY)


def _steps(store: Store, fold: _Fold, sql: str, key: UUID, until: int, *beside: object) -> Iterator[Step]:
    after = BEFORE_THE_FIRST
    while positions := [row[0] for row in store.statements.rows(sql, key, after, until, _BATCH, *beside)]:
        with store.pool.connection() as connection:
            entries = entries_at(connection, positions)
        opened = _opened(store, [(entry.stream_id, entry.version) for entry in entries])
        for entry in entries:
            recorded = opened.get((entry.stream_id, entry.version))
            yield Step(
                entry=entry,
                ip_address=None if recorded is None else recorded.command.ip_address,
                user_agent=None if recorded is None else recorded.command.user_agent,
                fields=None if recorded is None else fields_of(recorded.event),
                state=fold.after(entry, recorded),
            )
        after = positions[-1]


def _opened(store: Store, places: Sequence[StreamVersion]) -> dict[StreamVersion, Recorded]:
    """The events at these places that can be read, what was erased of them marked."""
    return {(one.stream_id, one.version): _marked(one, stored) for stored, one in store.readable(places)}


def _marked(recorded: Recorded, stored: SealedEvent) -> Recorded:
    event, command, cause = recorded.event, recorded.command, stored.cause
    if _erased(stored.sealed, stored.subject):
        event = _with_marks(event)
    if cause is not None and _erased(cause.encoded.sealed, cause.subject):
        command = _with_marks(command)
    return recorded._replace(event=event, command=command)


def _erased(sealed: bytes | None, subject: Subject | None) -> bool:
    return sealed is not None and (subject is None or subject.wrapped is None)


def _with_marks(one: Any) -> Any:
    return replace(one, **dict.fromkeys(personal_fields(type(one)), ERASED))


class _Fold:
    """The rows of the lists, as far as a story has come."""

    def __init__(self, store: Store, shape: Shape) -> None:
        self._shape = shape
        self._projections = {one.aggregate: one for one in INLINE if one.aggregate in shape}
        with store.pool.connection() as connection:
            self._defaults = {
                name: defaults_of(connection, projection.table) for name, projection in self._projections.items()
            }
        self._rows: dict[str, dict[UUID, dict[str, Any] | None]] = {name: {} for name in shape}
        self._versions: dict[UUID, int] = {}

    def after(self, entry: LogEntry, recorded: Recorded | None) -> dict[str, Any]:
        """The state after one more event; it is the caller's, who may keep it."""
        if recorded is None:
            for rows in self._rows.values():
                rows.update(dict.fromkeys(rows.keys() & {entry.stream_id}))
        else:
            self._apply(AGGREGATE_BY_EVENT[type(recorded.event)].name, recorded)
        return {
            section.name: dict(self._rows[name]) if section.many else next(iter(self._rows[name].values()), None)
            for name, section in self._shape.items()
        }

    def _apply(self, aggregate: str, recorded: Recorded) -> None:
        rows, stream_id = self._rows[aggregate], recorded.stream_id
        if recorded.version != self._versions.get(stream_id, 0) + 1:
            # one before it could not be read
            rows[stream_id] = None
            return
        self._versions[stream_id] = recorded.version
        projection, defaults = self._projections[aggregate], self._defaults[aggregate]
        shown = list(_shown(projection.table))
        row = rows.get(stream_id) or {name: defaults.get(name) for name in shown} | {projection.table.key: stream_id}
        said = write_of(projection, recorded).row.values
        rows[stream_id] = row | {name: said[name] for name in shown if name in said}


def _shown(table: Table) -> Iterable[str]:
    """The columns that say something to people. Bytes are hashes; the version of a row is its last event's."""
    return (name for name, kind in table.types.items() if kind != "bytea" and name not in {"version", *_CLAIMS})
