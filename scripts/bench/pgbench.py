"""pgbench sending the very statement of our append: what the database can do when nobody is slow in front of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import cluster
import sign_ups
from eventsourcing.persistence import StoredEvent
from rounds import Sample

from domain.store import Store
from domain.store.connections import session_options
from domain.store.mapper import SealedEvent
from domain.store.recorder import PostgresRecorder
from domain.store.rows import Write
from domain.store.statement import Link, append
from tests.databases import Database


class ShowingRecorder(PostgresRecorder):
    """Keeps the statement it is asked to run and does not run it."""

    shown: tuple[str, list[Any]]

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: tuple[Any, ...] = (),
        links: Iterable[Link] = (),
        writes: Iterable[Write] = (),
        **_: Any,
    ) -> None:
        """Only shows."""
        events = [event.columns() for event in stored_events if isinstance(event, SealedEvent)]
        self.shown = append(links, command, events, writes)


class ShowingStore(Store):
    """The store with its recorder exchanged."""

    def construct_recorder(self) -> ShowingRecorder:
        """The library's hook: where bytes would be kept."""
        return ShowingRecorder(self.pool)


class Transaction:
    """Our statement as a pgbench script.

    What must be new each time (ids and hashes) is made by the server at the beginning of the statement; all
    other values are sent as parameters, as we send them.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._conninfo = database.application_url
        self._program = Path(database.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")) / "pgbench"
        self._script = folder / "sign_up.sql"
        with cluster.store(database, connections=1, kind=ShowingStore) as shows:
            one = sign_ups.sign_up(shows)
            one.append(shows)
            assert isinstance(shows.recorder, ShowingRecorder)
            text, values = shows.recorder.shown
        made = _Made(one)
        holes = [made.expression(value) or f":v{number}" for number, value in enumerate(values, 1)]
        self._variables = [
            f"-Dv{number}={_as_text(value)}" for number, value in enumerate(values, 1) if made.expression(value) is None
        ]
        text = re.sub(r"\$(\d+)", lambda hole: holes[int(hole[1]) - 1], text)
        self._script.write_text(f"WITH {made.clause()}, {text.removeprefix('WITH ')};\n")

    def rate(self, clients: int, seconds: float) -> Sample:
        """Transactions a second by so many clients in one thread of pgbench."""
        command = [str(self._program), "-n", "-Mprepared", f"-c{clients}", "-j1", f"-T{max(1, round(seconds))}"]
        ran = subprocess.run(
            [*command, *self._variables, "-f", str(self._script), self._conninfo],
            env={**os.environ, "PGOPTIONS": session_options()},
            capture_output=True,
            text=True,
        )
        found = re.search(r"^tps = ([\d.]+)", ran.stdout, re.MULTILINE)
        assert found is not None, ran.stderr[-2000:]
        assert ran.returncode == 0, ran.stderr[-2000:]
        return Sample(float(found[1]))


class _Made:
    """Which values of a sample the server makes anew, and how."""

    def __init__(self, one: sign_ups.SignUp) -> None:
        self._one = one
        self._ids: dict[UUID, str] = {}

    def expression(self, value: object) -> str | None:
        """SQL for a value that must be new each time; None for any other."""
        if isinstance(value, UUID):
            name = self._ids.setdefault(value, f"id_{len(self._ids)}")
            return f"(SELECT {name} FROM made)"  # noqa: S608  a name of our own
        if value is None:
            return "NULL"
        if isinstance(value, list) and any(isinstance(one, UUID) for one in value):
            return f"ARRAY[{', '.join(str(self.expression(one)) for one in value)}]"
        if value in (self._one.email_hash, self._one.token_hash, self._one.slug_hash):
            return f"sha256(uuid_send({self.expression(_id_behind(self._one, value))}))"
        return None

    def clause(self) -> str:
        """The clause that makes the ids, of the same version as ours, so that they meet the indexes alike."""
        return f"made AS MATERIALIZED (SELECT {', '.join(f'uuidv7() AS {name}' for name in self._ids.values())})"


def _id_behind(one: sign_ups.SignUp, value: object) -> UUID:
    if value == one.email_hash:
        return one.owner.subject_id
    return one.additions[1 if value == one.slug_hash else -1].stream_id


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return f"{{{','.join(_as_text(one).replace(chr(92), chr(92) * 2) for one in value)}}}"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, datetime) else str(value)
