"""While people come and go, neither the sweep nor verify ever says that something is wrong which is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg

from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from domain.store.requirements import open_keyring
from projections import INLINE
from projections.maintenance.sweep import Sweep
from projections.maintenance.verify import verify
from tests.databases import Database
from tests.faults.coming_and_going import crowded
from tests.people import SECRET
from tests.server import served

SECONDS = float(os.environ.get("NO_FALSE_ALARM_SECONDS", "10"))
ROUNDS = 4
"""Of the sweep, between two verifications; the background process's own looks four times a second all the while."""


def test_nothing_is_reported_while_people_come_and_go(database: Database, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url}
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        mapper = SealingMapper(open_keyring(connection, SECRET))
    sweep, looks, verifications = Sweep(mapper), 0, 0
    with served(tmp_path / "log", settings) as server, crowded(server.url) as crowd:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
                for projection in [*INLINE, None] * ROUNDS:
                    assert sweep.look(connection, projection) == 0
                    looks += 1
            with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
                result = verify(connection, mapper, lambda *_: None)
            assert (result.clean, result.findings) == (True, [])
            verifications += 1
            assert database.rows("SELECT * FROM drift") == []
        with server.client() as client:
            assert client.get("/readyz").json()["history"] in {"ok", "behind"}
    assert crowd.wrong == []
    assert crowd.answers > 20
    assert min(looks, verifications) > 0
