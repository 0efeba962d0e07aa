"""The store: load a stream, append to any number of them. The only module that knows the eventsourcing library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.application import Application
from msgspec import DecodeError

from domain.events.catalogue import AGGREGATE_BY_EVENT, Aggregate, UnknownEvent
from domain.events.codec import personal_fields
from domain.events.keys import Keyring
from domain.events.subjects import key_owner
from domain.refusals import SubjectGone

from .conflicts import NoSuchStream, StreamMovedOn
from .connections import Pool, Statements
from .envelope import CommandRecord, Recorded, Subject
from .find import ColumnOf, StreamQuery, question, shape_of, states
from .key_locks import Blanked, HeldKeys, Reading, Whose, one_a_row
from .mapper import SealedEvent, SealingMapper
from .recorder import PostgresRecorder
from .requirements import KeyTrial
from .rows import SUBJECT_KEYS, Projection, Write, change, merge, put, write_of
from .statement import Link, Mode

S = TypeVar("S")
StreamVersion = tuple[UUID, int]
"""A stream, and a version in it."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Events for a stream that stands at `version` (0: a new one), and whose personal data they hold, if any."""

    stream_id: UUID
    version: int
    events: Sequence[Any]
    subject: Subject | None = None


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """An aggregate's state, and where its stream stood when it was read; `subject` if it has a key of its own."""

    aggregate: Aggregate[S]
    stream_id: UUID
    version: int
    state: S
    subject: Subject | None = None

    def with_events(self, events: Sequence[Any], subject: Subject | None = None) -> Addition:
        """These events after what was loaded, sealed with its own key if it has one."""
        return Addition(self.stream_id, self.version, events, subject or self.subject)

    def state_after(self, events: Sequence[Any]) -> S:
        """The state once these have happened too."""
        state = self.state
        for event in events:
            state = self.aggregate.evolve(state, event)
        return state


class Store(Application[UUID]):
    """Aggregates by their events. What is appended and the rows that mirror it change in one commit or not at all."""

    name = "daybook"

    def __init__(self, pool: Pool, keyring: Keyring, inline: Iterable[Projection]) -> None:
        self.pool, self.keyring = pool, keyring
        self._inline: Mapping[str, Projection] = {projection.aggregate: projection for projection in inline}
        self.statements = Statements(pool)
        self._trial = KeyTrial(pool, keyring)
        super().__init__({"PERSISTENCE_MODULE": "eventsourcing.popo"})

    def construct_mapper(self) -> SealingMapper:
        """The library's hook: how events become bytes."""
        return SealingMapper(self.keyring)

    def construct_recorder(self) -> PostgresRecorder:
        """The library's hook: where bytes are kept."""
        return PostgresRecorder(self.pool)

    def load(self, aggregate: Aggregate[S], stream_id: UUID) -> Loaded[S]:
        """The state of one stream. Raises NoSuchStream, also if the id belongs to another kind of aggregate.

        Of the row that mirrors it: that is committed with every event, and decides as well as they do.
        """
        key = self._inline[aggregate.name].table.key
        [found] = self.find(StreamQuery(aggregate, {key: stream_id}))
        if found is None:
            raise NoSuchStream(aggregate.name)
        return found

    def find(self, *wanted: StreamQuery[Any], reading: Reading | None = None) -> list[Loaded[Any] | None]:
        """Several streams, those with keys of their own with these, all as they stand at one moment, in one query.

        None for a stream that is not there. `reading` is where it is asked, if not on a connection of its own.
        """
        projections = [self._inline[one.aggregate.name] for one in wanted]
        shape, values = shape_of(projections, wanted)
        fields = (reading or self.statements).row(question(shape), *values)
        assert fields is not None, "a row, whatever is found"
        return [
            None if row is None else self._loaded(one.aggregate, of, row)
            for one, of, row in zip(wanted, projections, states(projections, fields), strict=True)
        ]

    def _loaded(self, aggregate: Aggregate[S], projection: Projection, row: Mapping[str, Any]) -> Loaded[S]:
        stream_id, subject = row[projection.table.key], None
        if projection.key_owner is not None:
            subject = Subject(stream_id, row["wrapped"], lost=not row["key_there"])
            if not row["key_known"]:
                # older than the keys of its kind, it gets one with the first that is sealed for it
                subject = replace(self.new_subject(stream_id), person_id=projection.key_owner(row))
        return Loaded(aggregate, stream_id, row["version"], projection.restore(row), subject)

    def readable(self, places: Sequence[StreamVersion]) -> Iterator[tuple[SealedEvent, Recorded]]:
        """The events at these places, as stored and opened.

        One that cannot be read is left out: a damaged one must not hide the others.
        """
        recorder = self.recorder
        assert isinstance(recorder, PostgresRecorder)
        for stored in recorder.select_places(places):
            with suppress(UnknownEvent, DecodeError, InvalidTag):
                recorded = self.mapper.to_domain_event(stored)
                assert isinstance(recorded, Recorded)
                yield stored, recorded

    def recorded(self, places: Sequence[StreamVersion]) -> dict[StreamVersion, Recorded]:
        """The events at these places, as far as they can be read."""
        return {(one.stream_id, one.version): one for _, one in self.readable(places)}

    def new_subject(self, subject_id: UUID) -> Subject:
        """A subject with a fresh key, which the first append that seals for it will store."""
        return Subject(subject_id, self.keyring.new_subject_key(subject_id), new=True)

    def subject(self, subject_id: UUID) -> Subject:
        """A known subject with its key as it is stored now."""
        found = self.statements.row("SELECT wrapped FROM subject_keys WHERE subject_id = $1", subject_id)
        return Subject(subject_id, None, lost=True) if found is None else Subject(subject_id, found[0])

    def key_of(self, subject: Subject) -> AESGCM:
        """Their key, to seal what is written beside events. Raises SubjectGone, StoreUnavailable as `append` does."""
        self._trial.require_fit([subject])
        if subject.wrapped is None:
            raise SubjectGone
        return self.keyring.open(subject.subject_id, subject.wrapped)

    def append(
        self,
        command: CommandRecord,
        subject: Subject | None,
        *additions: Addition,
        guards: Iterable[Loaded[Any]] = (),
        writes: Iterable[Write] = (),
    ) -> bool:
        """Append all additions and change their rows, or nothing; whether there was anything to append.

        `subject` is whose key seals where the command came from. `guards` were only read for the decision and must not
        have moved. `writes` are rows beside the events, of `credentials`. Whose the keys are follows from the
        events (`domain.events.subjects`). Raises as `PostgresRecorder.insert_events`.
        """
        recorded = list(_recorded(command, additions))
        if not recorded:
            # that nothing is left to do is acknowledged too, and may be due to what no standby has yet
            assert isinstance(self.recorder, PostgresRecorder)
            self.recorder.prove_durable()
            return False
        self._put(command, subject, additions, recorded, guards, writes)
        return True

    def under_keys(self, command: CommandRecord, whose: Whose, steps: Callable[[HeldKeys], None]) -> None:
        """Lock the key rows of these subjects, then run `steps`, which read and append under them, all or nothing.

        `steps` may be run again after a lost connection, and do nothing that lasts but `append_under`, of this command.
        Raises as `append`, and SubjectGone if none of the subjects ever had a key.
        """
        assert isinstance(self.recorder, PostgresRecorder)
        self._trial.require_fit(())
        self.recorder.under_keys(command.command_id, whose, steps)

    def append_under(
        self,
        held: HeldKeys,
        command: CommandRecord,
        subject: Subject | None,
        *additions: Addition,
        guards: Iterable[Loaded[Any]] = (),
        writes: Iterable[Write] = (),
        blanked: Iterable[Blanked] = (),
        destroyed: Iterable[UUID] = (),
    ) -> None:
        """As `append`, once, in the transaction of the keys held; rows are blanked and keys destroyed with it."""
        recorded, blanked = list(_recorded(command, additions)), list(blanked)
        assert recorded, "what is taken away from the rows is an event"
        writes = [*writes, *held.destroyed(destroyed), *(one.write for one in blanked)]
        self._put(command, subject, additions, recorded, guards, writes, [one.link for one in blanked], held)

    def _put(
        self,
        command: CommandRecord,
        subject: Subject | None,
        additions: Sequence[Addition],
        recorded: Sequence[Recorded],
        guards: Iterable[Loaded[Any]],
        writes: Iterable[Write],
        links: Sequence[Link] = (),
        held: HeldKeys | None = None,
    ) -> None:
        _require_one_version_each(additions, guards := list(guards))
        subjects = {one.subject.subject_id: one.subject for one in recorded if one.subject is not None}
        if subject is not None:
            subjects[subject.subject_id] = subject
        self._trial.require_fit(subjects.values())
        if any(one.wrapped is None for one in subjects.values()):
            raise SubjectGone
        rows = [write_of(self._projection(one.event), one) for one in recorded]
        rows_read = list(self._row_links(additions, guards))
        owners = _key_owners(recorded)
        adopted = [one.stream_id for one in additions if one.stream_id in owners and _has_key(one)]
        mapper = self.mapper
        assert isinstance(mapper, SealingMapper)
        self.events.put(
            recorded,
            command=mapper.command_columns(command, subject),
            links=[*_key_links(subjects.values(), adopted), *(one_a_row([*rows_read, *links]) if links else rows_read)],
            writes=merge([*_new_keys(subjects.values(), owners), *_adopted(adopted, owners), *writes, *rows]),
            held=held,
        )

    def _row_links(self, additions: Iterable[Addition], guards: Iterable[Loaded[Any]]) -> Iterator[Link]:
        changed = {one.stream_id for one in additions if one.events}
        for one in additions:
            if one.events and one.version > 0:
                yield Link(self._projection(one.events[0]).table, one.stream_id, one.version, Mode.CHANGE)
        for guard in guards:
            if guard.stream_id not in changed:
                yield Link(self._inline[guard.aggregate.name].table, guard.stream_id, guard.version, Mode.READ)

    def _projection(self, event: Any) -> Projection:
        return self._inline[AGGREGATE_BY_EVENT[type(event)].name]


def _require_one_version_each(additions: Iterable[Addition], guards: Iterable[Loaded[Any]]) -> None:
    """What was read at one version and changed at another was decided on two different pasts. Raises StreamMovedOn."""
    changed = {one.stream_id: one.version for one in additions if one.events}
    if any(changed.get(guard.stream_id, guard.version) != guard.version for guard in guards):
        raise StreamMovedOn
    for one in additions:
        kinds = {AGGREGATE_BY_EVENT[type(event)].name for event in one.events}
        assert len(kinds) <= 1, f"a stream is of one kind, not of {kinds}"


def _recorded(command: CommandRecord, additions: Iterable[Addition]) -> Iterator[Recorded]:
    for one in additions:
        for version, event in enumerate(one.events, one.version + 1):
            yield Recorded(
                originator_id=one.stream_id,
                originator_version=version,
                event=event,
                command=command,
                subject=one.subject if personal_fields(type(event)) else None,
            )


def _key_owners(recorded: Iterable[Recorded]) -> dict[UUID, UUID | None]:
    """Whose the keys of streams are, of which these events say so."""
    said = ((one.stream_id, key_owner(one.stream_id, one.event)) for one in recorded)
    return {stream_id: owner.person_id for stream_id, owner in said if owner is not None}


def _has_key(addition: Addition) -> bool:
    return addition.subject is not None and not addition.subject.new and addition.version > 0


def _key_links(subjects: Iterable[Subject], adopted: Iterable[UUID]) -> Iterator[Link]:
    """Whoever is sealed for, and whoever's data changes hands, must still have a key at the moment of writing."""
    changing = set(adopted)
    for subject in subjects:
        if not subject.new and subject.subject_id not in changing:
            yield Link(SUBJECT_KEYS, subject.subject_id, 0, Mode.READ)
    for subject_id in changing:
        # not first shared and then changed: two that do so wait for each other for ever
        yield Link(SUBJECT_KEYS, subject_id, 0, Mode.CHANGE)


def _new_keys(subjects: Iterable[Subject], owners: Mapping[UUID, UUID | None]) -> Iterator[Write]:
    for subject in subjects:
        if subject.new:
            person_id = owners.get(subject.subject_id, subject.person_id)
            yield Write(SUBJECT_KEYS, subject.subject_id, put(person_id=person_id, wrapped=subject.wrapped))


def _adopted(adopted: Iterable[UUID], owners: Mapping[UUID, UUID | None]) -> Iterator[Write]:
    for subject_id in adopted:
        yield Write(SUBJECT_KEYS, subject_id, change(person_id=owners[subject_id]))


__all__ = ["Addition", "Blanked", "ColumnOf", "HeldKeys", "Loaded", "Reading", "Store", "StreamQuery", "Subject"]
