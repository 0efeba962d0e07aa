"""A process of eight writers that hold their transactions open at random and roll some back; argument: a JSON object.

Each keeps streams of its own and writes down what was acknowledged, and what may or may not have been committed when
its connection died.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor

from domain.events.catalogue import SESSION
from domain.events.keys import Keyring
from domain.ids import new_id
from domain.session import SessionRenewed
from domain.store.connections import Values, connection_arguments
from domain.store.envelope import Recorded
from domain.store.mapper import SealingMapper
from domain.store.statement import append
from tests.domain.store.entries import WEEK, by_the_system, started
from tests.people import NOON

THREADS = 8
LONGEST_HOLD = 0.1
"""Seconds."""

Places = list[tuple[UUID, int]]


class Writer:
    """One of them: appends to its streams in transactions of one to six events until it has done its share."""

    def __init__(self, conninfo: str, chances: Random, events: int) -> None:
        self._conninfo, self._chances, self._events = conninfo, chances, events
        self._mapper = SealingMapper(Keyring({1: bytes(32)}))
        self._versions: dict[UUID, int] = {}
        self.acknowledged: Places = []
        self.unknown: Places = []

    def write(self) -> None:
        """Until the share is done; after a lost connection it looks what became of its last transaction."""
        while len(self.acknowledged) < self._events:
            try:
                with psycopg.connect(self._conninfo, **connection_arguments("writers")) as connection:
                    self._look_back(connection)
                    while len(self.acknowledged) < self._events:
                        self._one(connection)
            except psycopg.OperationalError:
                time.sleep(0.05)

    def _one(self, connection: Connection[Values]) -> None:
        places = self._places()
        rolled_back = self._chances.random() < 0.15
        self.unknown = [] if rolled_back else places
        with connection.transaction(force_rollback=rolled_back):
            self._append(connection, places)
            time.sleep(self._chances.random() * LONGEST_HOLD)
        self._settle(self.unknown)

    def _look_back(self, connection: Connection[Values]) -> None:
        """One transaction happened whole or not at all."""
        if self.unknown:
            stream_id, version = self.unknown[0]
            sql = "SELECT FROM events WHERE stream_id = %s AND version = %s"
            happened = connection.execute(sql, (stream_id, version)).fetchone() is not None
            self._settle(self.unknown if happened else [])

    def _settle(self, places: Places) -> None:
        self.acknowledged += places
        self._versions.update(places)
        self.unknown = []

    def _places(self) -> Places:
        old = self._chances.sample(list(self._versions), min(len(self._versions), self._chances.randint(0, 3)))
        new = [new_id() for _ in range(self._chances.randint(0 if old else 1, 3))]
        return [(stream_id, self._versions.get(stream_id, 0) + 1) for stream_id in [*old, *new]]

    def _append(self, connection: Connection[Values], places: Places) -> None:
        command = by_the_system()
        events = [self._mapper.to_stored_event(self._recorded(command, *place)).columns() for place in places]
        sql, values = append([], self._mapper.command_columns(command, None), events, [])
        with RawCursor(connection) as cursor:
            cursor.execute(sql, values, prepare=True)

    def _recorded(self, command: Any, stream_id: UUID, version: int) -> Recorded:
        event = started() if version == 1 else SessionRenewed(expires_at=NOON + WEEK)
        assert type(event) in SESSION.event_classes
        return Recorded(originator_id=stream_id, originator_version=version, event=event, command=command, subject=None)


def main() -> None:
    """Write as much as asked, and leave the acknowledged places in a file."""
    asked = json.loads(sys.argv[1])
    share = asked["events"] // THREADS
    writers = [Writer(asked["conninfo"], Random(asked["seed"] * 100 + n), share) for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(one.write) for one in writers]:
            done.result()
    places = [(stream_id.hex, version) for one in writers for stream_id, version in one.acknowledged]
    Path(asked["ledger"]).write_text(json.dumps(places))


if __name__ == "__main__":
    main()
