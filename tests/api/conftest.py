"""What the tests of the API are given: a server of its own for each module, and an address nobody has used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest
from pydantic import SecretStr

from api.settings import Settings
from tests.api.browser import Browser
from tests.databases import Database
from tests.people import NOON, SECRET
from tests.server import Server, application, served

_numbers = count(1)


class HandClock:
    """A clock that stands still until it is wound."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def wind(self, **by: float) -> datetime:
        """Forward by so many hours, milliseconds…; what it says then."""
        self.now += timedelta(**by)
        return self.now


def settings_for(database: Database, **others: object) -> Settings:
    """Settings of the application over this database, without limits."""
    given = {"database_url": database.application_url, "secret": SecretStr(SECRET), "rate_limit": "off", **others}
    return Settings.model_validate(given)


@pytest.fixture(scope="module")
def server(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """`daybook serve` with two workers, and with the module's own SETTINGS if it has any."""
    reached = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, {**reached, **getattr(request.module, "SETTINGS", {})}) as server:
        yield server


@pytest.fixture(scope="module")
def module_clock() -> HandClock:
    """The clock of the module's application."""
    return HandClock()


@pytest.fixture
def clock(module_clock: HandClock) -> HandClock:
    """The clock of the application, at noon."""
    module_clock.now = NOON
    return module_clock


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where the application answers that lives by the hand-wound clock."""
    with application(settings_for(module_database), module_clock) as url:
        yield url


@pytest.fixture
def browser(url: str, clock: HandClock) -> Browser:
    """A device nobody is signed in on, at noon."""
    return Browser(url)


@pytest.fixture
def email() -> str:
    """An address without an account."""
    return f"ada{next(_numbers)}@example.com"
