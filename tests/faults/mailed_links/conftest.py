"""What races for links that went out by mail are given: a server that sends mail, and how many rounds to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.faults.mailed_links.racing import MANY
from tests.server import Server, served


@pytest.fixture(scope="module")
def server(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """`daybook serve` with two workers and a folder for its mail; in the end nothing unexpected is in its log."""
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "MAIL_FOLDER": tmp_path_factory.mktemp("mail"),
        **getattr(request.module, "SETTINGS", {}),
    }
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, settings) as server:
        yield server
    assert "unexpected" not in log.read_text()


@pytest.fixture
def rounds(request: pytest.FixtureRequest, module_database: Database) -> Iterator[int]:
    """How many: 8, and 200 where drills may take minutes. In the end nobody has waited for each other for ever."""
    yield MANY if request.config.getoption("--long") else 8
    assert module_database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
