"""What the tests of the JavaScript client are given: it, installed once, and a server for each module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.api.conftest import HandClock, settings_for
from tests.clients.javascript import HERE, PROGRAM, Application, JavaScript, installed
from tests.clients.team import Teammate
from tests.clients.tools import installed_tools
from tests.databases import Database
from tests.server import Server, application, served

SINGLE_PAGE_APP = "http://localhost:5173"


@pytest.fixture(scope="module")
def server(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the module; a page of the single-page application may use it."""
    urls = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    settings = {**urls, "TRUSTED_ORIGINS": SINGLE_PAGE_APP}
    with served(tmp_path_factory.mktemp("server") / "log", settings) as server:
        yield server


@pytest.fixture(scope="module")
def document(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server says of itself, as a file."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    with server.client() as client:
        file.write_bytes(client.get("/openapi.json").raise_for_status().content)
    return file


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of the environment that generates clients and requests."""
    return installed_tools(spare=tmp_path_factory.mktemp("tools"))


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


@pytest.fixture(scope="module")
def desk(javascript: JavaScript) -> Iterator[Callable[[str], Application]]:
    """A program for each name, started when first asked for; who comes to it opens another browser."""
    with ExitStack() as stack:
        yield cache(lambda _: stack.enter_context(javascript.application()))


@pytest.fixture
def ada(desk: Callable[[str], Application]) -> Teammate:
    """Ada, who has just opened an account."""
    return Teammate(desk("Ada"), "Ada")


@pytest.fixture
def bo(desk: Callable[[str], Application]) -> Teammate:
    """Bo, who has as well."""
    return Teammate(desk("Bo"), "Bo")


@pytest.fixture
def cy(desk: Callable[[str], Application]) -> Teammate:
    """Cy, who has as well."""
    return Teammate(desk("Cy"), "Cy")


@pytest.fixture
def acme(ada: Teammate) -> str:
    """An organization that Ada founded, and is turned to; its id."""
    return ada.founds("Acme")


@pytest.fixture
def by_the_day(database: Database, program: Path) -> Iterator[tuple[HandClock, Teammate, Teammate]]:
    """A clock at noon, and Ada and Bo on a server that lives by it."""
    clock = HandClock()
    with ExitStack() as stack:
        url = stack.enter_context(application(settings_for(database), clock))
        ada, bo = (stack.enter_context(JavaScript(program, url).application()) for _ in range(2))
        yield clock, Teammate(ada, "Ada"), Teammate(bo, "Bo")
