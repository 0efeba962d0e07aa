"""Verify: every read table against the log, the log against itself, in one snapshot while the service runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import Connection, IsolationLevel

from domain.events.catalogue import AGGREGATE_BY_EVENT, NAME_BY_EVENT, USER, stored_names
from domain.events.subjects import key_owner
from domain.store.connections import Values
from domain.store.mapper import SealingMapper
from domain.store.rows import PASSWORDS, SUBJECT_KEYS, Projection
from domain.store.streams import FIRST, LAST, Stream, opened, stretch
from domain.user import User
from projections import INLINE
from projections.trails import journal

from . import journal_rows
from .expected import Difference, defaults_of, differences, everything, fingerprint, row_of, rows_between
from .finding import Finding, Violations
from .integrity import order
from .left_behind import left_behind
from .pictures import pictures
from .seals import Seals
from .undisturbed import undisturbed

_CHUNK = 5_000
"""Events compared at a time."""
NAMED = 100
"""Rows that differ are all counted; so many of a table are named."""


@dataclass(slots=True)
class Compared:
    """A read table and what its events say. The fingerprints are of the rows as they must be, and as they are."""

    table: str
    columns: tuple[str, ...]
    named: int = NAMED
    rows: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)
    must_be: bytes = b""
    is_there: bytes = b""

    def add(self, expected: Sequence[Any], actual: Sequence[Any]) -> None:
        """One more stretch of rows: fingerprints first, the rows themselves only where these differ."""
        self.rows += len(actual)
        one, other = fingerprint(expected), fingerprint(actual)
        self.must_be, self.is_there = sha256(self.must_be + one).digest(), sha256(self.is_there + other).digest()
        if one != other:
            for difference in differences(self.columns, expected, actual):
                self.differing += 1
                if len(self.differences) < self.named:
                    self.differences.append(difference)


@dataclass(slots=True)
class Verified:
    """What verifying found out: how many commitments `held`, and of how many, their `keys_gone`, nobody can say.

    The owner of the tables may have compared their structure beside it.
    """

    events: int = 0
    commands: int = 0
    held: int = 0
    keys_gone: int = 0
    tables: list[Compared] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    structure_compared: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings and not any(one.differing for one in self.tables)


Progress = Callable[[str, int, int | None], None]
"""Told what is being looked at, how much of it so far, and how much there is, if that is known."""


def verify(
    connection: Connection[Values], mapper: SealingMapper, progress: Progress, *, named: int = NAMED
) -> Verified:
    """Look at everything. `connection` is in autocommit and may wait; what it sees is one moment."""
    tables = [Compared(one.table.name, tuple(one.table.types), named) for one in INLINE]
    entries = Compared(journal.FOLLOWER.name, tuple(journal.COLUMNS), named)
    with undisturbed(), one_moment(connection, *(one.table for one in (*tables, entries))):
        result, seals = Verified(tables=[*tables, entries]), Seals(mapper)
        for rule, finding in order(connection):
            progress(rule, 0, None)
            if finding is not None:
                result.findings.append(finding)
        _streams(connection, mapper, result, seals, progress)
        for result.commands in seals.look_at_commands(connection):
            progress("commands", result.commands, None)
        result.held, result.keys_gone = seals.held, seals.keys_gone
        result.findings += seals.findings()
        progress("pictures", 0, None)
        result.findings += pictures(connection, mapper.keyring)
        result.findings += left_behind(connection)
        _journal(connection, entries, progress)
    return result


@contextmanager
def one_moment(connection: Connection[Values], *tables: str) -> Iterator[None]:
    """Events and rows of these tables as they are together, in one snapshot; no rebuild takes their place meanwhile.

    Before the first look, since rows of a table that took another's place after it would not be seen at all.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE")
            yield
    finally:
        if not connection.closed:
            connection.isolation_level = None


def _streams(
    connection: Connection[Values], mapper: SealingMapper, result: Verified, seals: Seals, progress: Progress
) -> None:
    """All streams once, in the order of their ids, with the rows of all lists beside them."""
    tables = dict(zip((one.aggregate for one in INLINE), result.tables, strict=False))
    defaults = {one.aggregate: defaults_of(connection, one.table) for one in INLINE}
    passwords, keys = PasswordVersions(), KeyOwners()
    [[total]] = connection.execute("SELECT count(*) FROM events").fetchall()
    after = FIRST
    while after != LAST:
        part = stretch(connection, everything(), after, limit=_CHUNK)
        streams = opened(mapper, part.rows)
        for stream in streams:
            seals.look_at(stream)
        for projection in INLINE:
            of_its_kind = [one for one in streams if one.broken or kind_of(one) == projection.aggregate]
            expected, actual = beside(
                connection, projection, of_its_kind, after, part.through, defaults[projection.aggregate]
            )
            tables[projection.aggregate].add(expected, actual)
        passwords.look_at(connection, streams, after, part.through)
        keys.look_at(connection, streams, after, part.through)
        result.events, after = result.events + len(part.rows), part.through
        progress("events", result.events, total)
    result.findings += [*passwords.findings(), *keys.findings()]


def beside(
    connection: Connection[Values],
    projection: Projection,
    streams: Sequence[Stream],
    after: UUID,
    through: UUID,
    defaults: Mapping[str, Any],
) -> tuple[list[Any], list[Any]]:
    """The rows of a list above a key up to another: as they must be, and as they are. Broken streams say nothing."""
    broken = {one.stream_id for one in streams if one.broken}
    expected = [row_of(projection, one, defaults) for one in streams if not one.broken]
    actual = rows_between(connection, projection.table, after, through)
    return expected, [row for row in actual if row[0] not in broken] if broken else actual


def kind_of(stream: Stream) -> str:
    """Which aggregate a stream belongs to, by the name of its first event; "" if it is not known."""
    return _KINDS.get(stream.rows[0].name, "")


_KINDS = {name: AGGREGATE_BY_EVENT[event].name for event in NAME_BY_EVENT for name in stored_names(event)}


class PasswordVersions:
    """Whether the password hash that is kept is the one the account's events say is current."""

    def __init__(self) -> None:
        self._wrong = Violations("each password hash is of its account's version")

    def look_at(self, connection: Connection[Values], streams: Sequence[Stream], after: UUID, through: UUID) -> None:
        """Compare the accounts among these streams, which are all between two ids."""
        kept: dict[UUID, int] = dict(
            connection.execute(
                f"SELECT user_id, password_version FROM {PASSWORDS.name}"
                " WHERE user_id > %s AND user_id <= %s AND kind = 'password'",
                (after, through),
            ).fetchall()
        )
        current = {}
        for stream in streams:
            if kind_of(stream) == USER.name and not stream.broken:
                state: User | None = None
                for recorded in stream.events:
                    state = USER.evolve(state, recorded.event)
                current[stream.stream_id] = None if state is None or state.closed else state.password_version
            elif stream.broken:
                kept.pop(stream.stream_id, None)
        for user_id in kept.keys() | current.keys():
            if kept.get(user_id) != current.get(user_id):
                self._wrong.add(user_id)

    def findings(self) -> Iterator[Finding]:
        """What was found so far."""
        return self._wrong.findings()


class KeyOwners:
    """Whether each subject's key is of the person whose the events say it is: that is whom an erasure would reach."""

    def __init__(self) -> None:
        self._wrong = Violations("each key is whose the events say")

    def look_at(self, connection: Connection[Values], streams: Sequence[Stream], after: UUID, through: UUID) -> None:
        """Compare the subjects among these streams, which are all between two ids."""
        kept: dict[UUID, UUID | None] = dict(
            connection.execute(
                f"SELECT subject_id, person_id FROM {SUBJECT_KEYS.name} WHERE subject_id > %s AND subject_id <= %s",
                (after, through),
            ).fetchall()
        )
        owners: dict[UUID, UUID | None] = {}
        for stream in streams:
            if stream.broken:
                kept.pop(stream.stream_id, None)
            for recorded in stream.events:
                if (owner := key_owner(stream.stream_id, recorded.event)) is not None:
                    owners[stream.stream_id] = owner.person_id
        for subject_id, person_id in kept.items():
            if subject_id not in owners or owners[subject_id] != person_id:
                self._wrong.add(subject_id)

    def findings(self) -> Iterator[Finding]:
        """What was found so far."""
        return self._wrong.findings()


def _journal(connection: Connection[Values], compared: Compared, progress: Progress) -> None:
    reached = journal_rows.reached(connection)
    for through, expected, actual in journal_rows.stretches(connection, reached):
        compared.add(expected, actual)
        progress("journal", through + 1, reached + 1)
