"""A year of sign-ups and sessions in a fresh database, as if it had lived through them.

Who does what when is made up. Events are decided by the aggregates, bytes and rows made by the store's mapper and the
projections, as in an append; only the writing is COPY, and the sequencer's work is done with it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from domain.clock import now
from domain.commands.organization import personal_organization
from domain.events.catalogue import AGGREGATE_BY_EVENT, SESSION
from domain.events.keys import Keyring, token_hash
from domain.ids import new_id, new_token
from domain.passwords import Argon2Parameters, Passwords
from domain.session import EndReason, Lifetimes, Seen, Session, SessionEvent, Way
from domain.store import Addition, Subject
from domain.store.connections import Values, connection_arguments
from domain.store.credentials import first_credentials
from domain.store.envelope import CommandRecord, Recorded, WhereFrom
from domain.store.mapper import SealingMapper
from domain.store.rows import PASSWORDS, SUBJECT_KEYS, Kind, Write, merge, put, write_of
from domain.store.statement import COMMAND_COLUMNS, EVENT_COLUMNS
from domain.user import User
from projections import INLINE

Tell = Callable[[int], None]
Rows = defaultdict[tuple[str, ...], list[Sequence[Any]]]
"""By the names of their table and columns."""

PASSWORD = "the same for everybody"  # noqa: S105  of people who do not exist

_HOUR, _DAY = 3_600_000, 86_400_000  # milliseconds, as all times of a plan
_SPAN = 365 * _DAY  # how long the history is; it ends now
_SIGN_UP, _SIGN_IN = 5, 2  # events
_EVENTS_A_PERSON, _DAYS_USED = 50, 3.5  # means; of days, per session
_BATCH = 20_000  # events between two turns of COPY
_LIVE = Lifetimes()
_PROJECTIONS = {
    event: one for one in INLINE for event, aggregate in AGGREGATE_BY_EVENT.items() if aggregate.name == one.aggregate
}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "commands": COMMAND_COLUMNS,
    "events": EVENT_COLUMNS,
    "log": {"position": "bigint", "stream_id": "uuid", "version": "integer", "recorded_at": "timestamptz"},
    **{table.name: table.types for table in (SUBJECT_KEYS, PASSWORDS, *(one.table for one in INLINE))},
}
_COMMANDS, _EVENTS, _LOG = ((name, *_TYPES[name]) for name in ("commands", "events", "log"))

_NAMES = ("Ada", "Bo", "Cy", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lou", "Max", "Nia", "Oz", "Pia")
_SYSTEMS = ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7")
_CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_FIREFOX = "Mozilla/5.0 ({0}; rv:{1}.0) Gecko/20100101 Firefox/{1}.0"
_USER_AGENTS = [browser.format(on, of) for browser in (_CHROME, _FIREFOX) for on in _SYSTEMS for of in range(132, 141)]
_NETWORKS = ("192.0.2.{}", "198.51.100.{}", "203.0.113.{}", "2001:0db8:0000:{:04x}:0000:0000:0000:0000")
_ADDRESSES = [network.format(number) for network in _NETWORKS for number in range(1, 255)]


@dataclass(frozen=True)
class Loaded:
    """How many events of each name a history holds, and some of whom and what one can ask about.

    `session` is the newest that was not used again, in a history of some size still alive; `token` is its secret,
    `person` and `email` are whose it is, `organization` is theirs. Everybody's password is `PASSWORD`.
    """

    counts: Mapping[str, int]
    person: UUID
    email: str = field(repr=False)
    organization: UUID
    session: UUID
    token: str = field(repr=False)
    heavy_person: UUID | None


def load(
    owner_url: str, keyring: Keyring, events: int, *, seed: int = 1, heavy_person: int = 0, progress: Tell | None = None
) -> Loaded:
    """Fill a migrated, empty database with exactly so many events, all or none, and vacuum it.

    `heavy_person` of them are one person's. `progress` is told how many more there are. Same seed, same history,
    counted back from now; only ids, keys and tokens differ. A second history raises psycopg's UniqueViolation.
    """
    chances = Random(seed)  # noqa: S311  a made-up history, no secret
    people = max(1, (events - heavy_person) // _EVENTS_A_PERSON)
    uses = list(_uses(chances, range(people), events - heavy_person, ended=0.5))
    if heavy_person:
        uses += _uses(chances, range(people, people + 1), heavy_person, ended=0.98)
    acts = sorted((at, number, place) for number, use in enumerate(uses) for place, at in enumerate(use.moments))
    with psycopg.connect(owner_url, **connection_arguments("bench")) as connection:
        connection.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        with connection.transaction(), ThreadPoolExecutor(1) as thread:
            writer = LogWriter(connection, thread, SealingMapper(keyring), chances, progress or (lambda _: None))
            past = Past(writer, keyring, chances, range(people))
            for at, number, place in acts:
                past.happen(at, number, uses[number], place)
            writer.send().result()
            connection.execute("SELECT setval(pg_get_serial_sequence('queue', 'arrival'), %s)", (events,))
        connection.execute(SQL("VACUUM (ANALYZE) {}").format(SQL(", ").join(map(Identifier, _TYPES))))
    assert past.example is not None
    person, device, token = past.example
    heavy = past.people[people].user_id if heavy_person else None
    return Loaded(writer.counts, person.user_id, person.email, person.organization_id, device.session_id, token, heavy)


class Use(NamedTuple):
    """A planned session: whose (a number), when it is used (milliseconds of the history), whether to sign out last."""

    person: int
    moments: list[int]
    ended: bool


def _uses(chances: Random, people: range, events: int, ended: float) -> Iterator[Use]:
    """Sessions of people who come over the year, exactly so many events; about that share of the sessions is ended."""
    left = events - len(people) * _SIGN_UP
    assert left >= 0, "too few events for so many people"
    arrivals = [0, *sorted(chances.randrange(1, _SPAN) for _ in people[1:])]
    for person, arrival in zip(people[1:], arrivals[1:], strict=True):
        yield (use := _use(chances, person, arrival, left, ended))
        left -= len(use.moments) - 1
    while left >= _SIGN_IN:
        start = chances.randrange(1, _SPAN)
        person = people[chances.randrange(bisect_right(arrivals, start))]
        yield (use := _use(chances, person, start, left - _SIGN_IN, ended))
        left -= len(use.moments) - 1 + _SIGN_IN
    # who came first takes the odd event, having had the time for it
    yield Use(people[0], [0, _DAY + _HOUR][: 1 + left], False)


def _use(chances: Random, person: int, start: int, most: int, ended: float) -> Use:
    """A session that is renewed daily for a while, or as long as the history goes on; used at `most` so often again."""
    moments = [start]
    for _ in range(int(chances.expovariate(1 / _DAYS_USED))):
        moments.append(moments[-1] + _DAY + chances.randrange(16 * _HOUR))
    if signs_out := chances.random() < ended:
        moments.append(moments[-1] + chances.randrange(_HOUR // 60, 12 * _HOUR))
    kept = [moment for moment in moments if moment < _SPAN][: 1 + most]
    return Use(person, kept, signs_out and len(kept) == len(moments))


class LogWriter:
    """Appends by COPY, a batch at a time in a thread, so that the next one is made while this one is written."""

    def __init__(
        self, connection: Connection[Values], thread: Executor, mapper: SealingMapper, chances: Random, progress: Tell
    ) -> None:
        self._connection, self._thread, self._progress = connection, thread, progress
        self._mapper, self._chances = mapper, chances
        self._rows: Rows = defaultdict(list)
        self._copied: Future[None] | None = None
        self._recorded_at = datetime.min.replace(tzinfo=UTC)
        self._position = 0
        self.counts: Counter[str] = Counter()

    def append(self, command: CommandRecord, actor: Subject, additions: Iterable[Addition]) -> Iterator[Write]:
        """Command and events with their places in the log, as the sequencer would give them; what it means for rows."""
        self._rows[_COMMANDS].append(self._mapper.command_columns(command, actor))
        self._recorded_at = max(self._recorded_at, command.at + timedelta(milliseconds=self._chances.randrange(3, 25)))
        for one in additions:
            stream_id, subject = one.stream_id, one.subject
            for version, event in enumerate(one.events, one.version + 1):
                recorded = Recorded(
                    originator_id=stream_id, originator_version=version, event=event, command=command, subject=subject
                )
                stored = self._mapper.to_stored_event(recorded)
                self._rows[_EVENTS].append(stored.columns())
                self._rows[_LOG].append((self._position, stream_id, version, self._recorded_at))
                self._position += 1
                self.counts[stored.topic] += 1
                yield write_of(_PROJECTIONS[type(event)], recorded)

    def enter(self, writes: Iterable[Write]) -> None:
        """Rows, once nothing more will be said about them: COPY cannot change them."""
        for write in merge(writes):
            assert write.row.kind is Kind.PUT, "a row that was written cannot be changed"
            place = (write.table.name, write.table.key, *write.row.values)
            self._rows[place].append((write.key, *write.row.values.values()))
        if len(self._rows[_EVENTS]) >= _BATCH:
            self.send()

    def send(self) -> Future[None]:
        """Begin to write what there is, once that before is written. Raises as the database did then."""
        if self._copied is not None:
            self._copied.result()
        self._progress(len(self._rows[_EVENTS]))
        self._copied, self._rows = self._thread.submit(self._copy, self._rows), defaultdict(list)
        return self._copied

    def _copy(self, batch: Rows) -> None:
        for (table, *columns), rows in batch.items():
            names = SQL(", ").join(map(Identifier, columns))
            statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(table), names)
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types([_TYPES[table][column] for column in columns])
                for row in rows:
                    copy.write_row(row)


class Person(NamedTuple):
    """Somebody who has an account, and from where they use it."""

    user_id: UUID
    subject: Subject
    email: str
    organization_id: UUID
    devices: Sequence[WhereFrom]


@dataclass(slots=True)
class Device:
    """A session in use, and what its row and those begun with it will be."""

    person: Person
    session_id: UUID
    where_from: WhereFrom
    writes: list[Write]
    version: int = 0
    state: Any = None


class Past:
    """Lets planned sessions happen; `people` are kept by their numbers, `example` is what `Loaded` speaks of."""

    def __init__(self, writer: LogWriter, keyring: Keyring, chances: Random, ordinary: range) -> None:
        self.people: dict[int, Person] = {}
        self.example: tuple[Person, Device, str] | None = None
        self._writer, self._keyring, self._chances, self._ordinary = writer, keyring, chances, ordinary
        self._began = now() - timedelta(milliseconds=_SPAN)
        self._in_use: dict[int, Device] = {}
        self._password_hash = Passwords(Argon2Parameters(), threads=1, waiting=0).hash(PASSWORD)

    def happen(self, at: int, number: int, use: Use, place: int) -> None:
        """One moment of the session that has this number."""
        moment, last = self._began + timedelta(milliseconds=at), place == len(use.moments) - 1
        if place == 0:
            self._in_use[number] = self._start(use.person, moment, returns=not last)
        else:
            device = self._in_use[number]
            signs_out, state = last and use.ended, device.state
            events = state.end(reason=EndReason.SIGNED_OUT) if signs_out else _used(state, moment)
            assert events, "planned too early"
            self._append(device, moment, [Addition(device.session_id, device.version, events)])
        if last:
            self._writer.enter(self._in_use.pop(number).writes)

    def _start(self, number: int, at: datetime, *, returns: bool) -> Device:
        """Sign somebody in, or up if they are new, with the events of the commands in their order."""
        begun, writes = ([], []) if number in self.people else self._sign_up(number)
        person, token, remembered = self.people[number], new_token(), returns or self._chances.random() < 0.5
        device = Device(person, new_id(), self._chances.choice(person.devices), writes)
        started = Session.start(
            user_id=person.user_id,
            token_hash=token_hash(token),
            way=Way.PASSWORD,
            epoch=0,
            expires_at=at + (_LIVE.full if remembered else _LIVE.brief),
            organization_id=person.organization_id,
        )
        self._append(device, at, [*begun, Addition(device.session_id, 0, started)])
        if number in self._ordinary and (self.example is None or (remembered and not returns)):
            self.example = person, device, token
        return device

    def _sign_up(self, number: int) -> tuple[list[Addition], list[Write]]:
        user_id, name = new_id(), f"{self._chances.choice(_NAMES)} {self._chances.choice(_NAMES)}"
        email = f"{name.replace(' ', '.')}.{number}@example.com".lower()
        owner = Subject(user_id, self._keyring.new_subject_key(user_id))
        organization_id, founding = personal_organization(self._keyring, user_id, name=name, email=email)
        key = founding[0].subject
        assert key is not None, "an organization has a key of its own"
        signed_up = User.sign_up(email=email, name=name, image=None, email_hash=self._keyring.email_hash(email))
        agents = self._chances.sample(_USER_AGENTS, self._chances.randint(1, 3))
        devices = [WhereFrom(self._chances.choice(_ADDRESSES), agent) for agent in agents]
        self.people[number] = Person(user_id, owner, email, organization_id, devices)
        return [Addition(user_id, 0, signed_up, owner), *founding], [
            Write(SUBJECT_KEYS, user_id, put(person_id=user_id, wrapped=owner.wrapped)),
            Write(SUBJECT_KEYS, organization_id, put(person_id=user_id, wrapped=key.wrapped)),
            first_credentials(user_id, password_version=1, password_hash=self._password_hash),
        ]

    def _append(self, device: Device, at: datetime, additions: Sequence[Addition]) -> None:
        person, session_id = device.person, device.session_id
        command = CommandRecord.by_user(person.user_id, session_id=session_id, at=at, where_from=device.where_from)
        device.writes += self._writer.append(command, person.subject, additions)
        for event in additions[-1].events:
            device.state = SESSION.evolve(device.state, event)
            device.version += 1


def _used(session: Session, now: datetime) -> list[SessionEvent]:
    """It is used from where it always was; when it started matters only where sessions have a longest life."""
    seen = Seen(ip_address=None, user_agent=None, at=now, started_at=now)
    return session.use(seen=seen, moved=False, extending=True, lifetimes=_LIVE, now=now)
