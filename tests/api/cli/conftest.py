"""A data folder and the embedded database in it, ended in the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres


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
