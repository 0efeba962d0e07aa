"""Rebuild: a read table made anew from the log while the service runs, and put in place of the old one.

Killed at any moment, it leaves the service as it was, and goes on where it stopped when it is called again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg import Connection

from domain.store.connections import Values, connection_arguments
from domain.store.log import head
from domain.store.mapper import SealingMapper
from domain.store.sequencer import FULL_BATCH, sequence

from .filling import Filling, StillWriting, filling_of, tables
from .generation import Generation, Migrating, OtherRelease, finish, forget, make_ready, next_generation, saved, switch
from .undisturbed import undisturbed

_NEAR = 500
"""So many entries behind, the rest is taken in while writers wait."""
_TRIES, _RULE_TRIES = 50, 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between tries to switch: each holds up everybody for a moment, and a backup may be reading for minutes."""
_PATIENCE = 3.0
"""Seconds: the server may not have noticed yet that the one before was killed."""
_HELD = 1.0
"""Seconds that writers are held for at most; they wait for two."""
_BRIEFLY = (
    "SET LOCAL lock_timeout = '300ms'",
    "SET LOCAL statement_timeout = '1s'",
    # frozen in between, it must let go
    "SET LOCAL idle_in_transaction_session_timeout = '1s'",
)
# whoever may not see others' transactions finds nobody, and tries
_READ_FOR_LONG = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.relation = %s::regclass AND a.xact_start < clock_timestamp() - interval '300 ms')
"""
_ONE_REBUILD = "SELECT pg_try_advisory_lock(hashtextextended('daybook rebuild', 0))"


class StillReading(Exception):
    """A backup, a verify or a vacuum is at the table: to wait for it would hold up everybody who comes after."""


Progress = Callable[[str, int, int], None]
"""Told of a table, how many events it has consumed so far, and how many there are for it."""

_COME_BACK = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
    psycopg.errors.UniqueViolation,  # a slot whose freeing is committed, but not in the log yet
    StillWriting,
    StillReading,
    Migrating,
)


class RebuildRefused(Exception):
    """Why nothing was rebuilt, in one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """A table that was made anew: from how many events in how many seconds, and how many rows were wrong before.

    `events` counts those of this run, without what an earlier, interrupted one had done; `unreadable` the streams, or
    entries of the log, nothing could be made of in this run, and what was there was kept. `writers_waited` is how long
    nobody could write to the table, in seconds; of several tries the longest.
    """

    table: str
    events: int
    seconds: float
    rows: int
    differed: int
    unreadable: int
    writers_waited: float


def rebuild(
    owner_url: str,
    table: str,
    mapper: SealingMapper,
    *,
    anew: bool,
    progress: Progress,
) -> Rebuilt:
    """Make one table anew, as the role that owns it. Raises RebuildRefused, psycopg.Error."""
    began = time.monotonic()
    with undisturbed(), _connected(owner_url) as connection, _connected(owner_url) as other:
        filling = filling_of(table, mapper, other)
        if filling is None:
            raise RebuildRefused(f"There is no table {table}; there are {', '.join(tables())}.")
        _alone(connection)
        try:
            work = _Work(connection, other, filling, next_generation(connection, table, anew=anew), progress)
            work.fill()
            work.finish()
            differed = filling.differing(connection, work.generation)
            work.switch()
        except OtherRelease as reason:
            raise RebuildRefused(str(reason)) from reason
        except psycopg.errors.LockNotAvailable:
            raise RebuildRefused(
                f"Something has {table} locked for long, a backup perhaps: call again later."
            ) from None
        [[rows]] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return Rebuilt(
        table=table,
        events=work.consumed,
        seconds=time.monotonic() - began,
        rows=rows,
        differed=differed,
        unreadable=filling.unreadable,
        writers_waited=work.waited,
    )


def _alone(connection: Connection[Values]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while connection.execute(_ONE_REBUILD).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise RebuildRefused("Another rebuild is at work.")
        time.sleep(0.1)


class _Work:
    """One rebuild on its way."""

    def __init__(
        self,
        connection: Connection[Values],
        other: Connection[Values],
        filling: Filling,
        generation: Generation,
        progress: Progress,
    ) -> None:
        self._connection, self._other, self._filling = connection, other, filling
        self.generation, self._progress = generation, progress
        self._total, self.consumed, self.waited = filling.total(connection, generation), 0, 0.0

    def fill(self) -> None:
        """Everything there is."""
        while (events := self._filling.fill(self._connection, self.generation)) is not None:
            self._advance(events)

    def finish(self) -> None:
        """The rules and indexes, which hold once all has caught up. Raises RebuildRefused."""
        broken = 0
        while self.generation.unmade:
            try:
                self._catch_up()
                finish(self._connection, self.generation)
            except psycopg.errors.UniqueViolation as violation:
                broken += 1
                if broken == _RULE_TRIES:
                    rule = violation.diag.constraint_name
                    forget(self._connection, self.generation.table)
                    raise RebuildRefused(f"The events break the rule {rule}: run `daybook verify`.") from None
                self._again(_FIRST_PAUSE)

    def switch(self) -> None:
        """Put it in the place of the one in use. Raises RebuildRefused, OtherRelease."""
        pause, ready = _FIRST_PAUSE, False
        for _ in range(_TRIES):
            consumed = self.consumed
            try:
                if not ready:
                    make_ready(self._connection, self.generation.table)
                    ready = True
                self._catch_up()
                self._switch()
            except _COME_BACK:
                self.consumed = consumed
                self._again(pause)
                pause = min(1.5 * pause, _LONGEST_PAUSE)
            else:
                return
        raise RebuildRefused(f"{self.generation.table} is too busy to be switched; the next call goes on from here.")

    def _switch(self) -> None:
        if self._connection.execute(_READ_FOR_LONG, (self.generation.table,)).fetchone() == (True,):
            raise StillReading
        began = time.monotonic()
        try:
            with self._connection.transaction():
                for setting in _BRIEFLY:
                    self._connection.execute(setting)
                self._filling.hold(self._connection, self._other)
                while self._behind() > 0:
                    if time.monotonic() > began + _HELD:
                        raise StillWriting
                    self._advance(self._filling.catch_up(self._connection, self.generation))
                self._filling.settle(self._connection, self.generation)
                switch(self._connection, self.generation)
        finally:
            self.waited = max(self.waited, time.monotonic() - began)

    def _catch_up(self) -> None:
        """Until little is left, and then with that; what has waited for the log comes into it first."""
        while sequence(self._other) == FULL_BATCH:
            pass
        while self._behind() > _NEAR:
            self._advance(self._filling.catch_up(self._connection, self.generation))
        if self._behind() > 0:
            self._advance(self._filling.catch_up(self._connection, self.generation))

    def _again(self, pause: float) -> None:
        """What was undone is as it was written down; others get a moment."""
        time.sleep(pause)
        self.generation = saved(self._connection, self.generation)

    def _behind(self) -> int:
        return head(self._connection) - self.generation.position

    def _advance(self, events: int) -> None:
        self.consumed += events
        self._progress(self.generation.table, self.consumed, self._total)


@contextmanager
def _connected(url: str) -> Iterator[Connection[Values]]:
    with psycopg.connect(url, **connection_arguments("daybook-rebuild", url)) as connection:
        connection.execute("SET statement_timeout = 0")
        # its workers would take the core that the service has, and that this process has
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        # a killed one is noticed also while the server works on a long statement; not every system can
        with suppress(psycopg.errors.InvalidParameterValue):
            connection.execute("SET client_connection_check_interval = '500ms'")
        yield connection
