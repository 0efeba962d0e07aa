"""What races for API keys are given: a server with two workers, how many rounds, and the log in the end to judge by."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random  # noqa: TID251  seeded: the same chances in every run

import psycopg
import pytest

from domain.commands.context import Context
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.verify import verify
from tests.databases import Database
from tests.faults.at_once import lines_to
from tests.faults.mailed_links.racing import IN_FLIGHT, MANY, Races
from tests.keeping import caught_up
from tests.server import Server, served


@pytest.fixture(scope="module")
def server(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`daybook serve` with two workers and a folder for its mail; in the end nothing unexpected is in its log."""
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "MAIL_FOLDER": tmp_path_factory.mktemp("mail"),
    }
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, settings) as server:
        yield server
    assert "unexpected" not in log.read_text()


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many: 8, and 200 where drills may take minutes."""
    return MANY if request.config.getoption("--long") else 8


@pytest.fixture
def races(
    server: Server, context: Context, module_database: Database, request: pytest.FixtureRequest
) -> Iterator[Races]:
    """Between the two workers; how they went is shown in the end. Then the log is whole, every table is as it says, and
    nobody waited for each other for ever.
    """
    with lines_to(server, IN_FLIGHT) as by_worker:
        races = Races(by_worker, Random(request.node.name))
        yield races
    print(f"{request.node.name}: {dict(races.told)}")
    caught_up(module_database)
    with psycopg.connect(module_database.owner_url, **connection_arguments("tests")) as connection:
        connection.execute("SET statement_timeout = 0")
        result = verify(connection, SealingMapper(context.keyring), lambda *_: None)
    assert (result.findings, [table.table for table in result.tables if table.differing]) == ([], [])
    assert module_database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
