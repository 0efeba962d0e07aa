"""What tests of sessions under fire are given: a server of its own for each module, and a way to prepare sessions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.commands.context import Context
from tests.databases import Database
from tests.lived import context_over
from tests.server import Server, served


@pytest.fixture(scope="module")
def server(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """`daybook serve` with two workers and the module's own SETTINGS; in the end nothing unexpected is in its log."""
    reached = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, {**reached, **request.module.SETTINGS}) as server:
        yield server
    assert "unexpected" not in log.read_text()


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    """Commands over the server's database, in this process."""
    with context_over(module_database) as context:
        yield context
