"""What the tests of the JavaScript client are given: it, installed once, and a server for each module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.javascript import HERE, PROGRAM, JavaScript, installed
from tests.databases import Database
from tests.server import Server, served

SINGLE_PAGE_APP = "http://localhost:5173"


@pytest.fixture(scope="module")
def server(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the module; a page of the single-page application may use it."""
    urls = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    settings = {**urls, "TRUSTED_ORIGINS": SINGLE_PAGE_APP}
    with served(tmp_path_factory.mktemp("server") / "log", settings) as server:
        yield server


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside the client and what it needs, outside the checkout."""
    node_modules = installed(spare=tmp_path_factory.mktemp("packages"))
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "node_modules").symlink_to(node_modules, target_is_directory=True)
    shutil.copy(HERE / PROGRAM, folder)
    return folder / PROGRAM


@pytest.fixture(scope="module")
def javascript(program: Path, server: Server) -> JavaScript:
    """The client on pages of the module's server."""
    return JavaScript(program, server.url)
