"""A data folder and the embedded database in it, and a server of one worker, ended in the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.databases import Database
from tests.server import Server, served


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: as root that lies in a folder that lets nobody else pass."""
    place = Path(tempfile.mkdtemp(prefix="embedded-"))
    place.chmod(0o755)
    yield place / "data"
    shutil.rmtree(place)


@pytest.fixture
def database(folder: Path) -> Iterator[EmbeddedPostgres]:
    database = EmbeddedPostgres(folder)
    yield database
    database.stop()


@pytest.fixture(scope="module")
def server(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log: Path = tmp_path_factory.mktemp("server") / "log"
    with served(log, {"DATABASE_URL": module_database.application_url, "WORKERS": 1}) as server:
        yield server
