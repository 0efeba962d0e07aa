"""People for the tests of organizations. Who is not asked for does not sign up."""

from __future__ import annotations

import pytest

from tests.api.conftest import HandClock
from tests.api.routes.fellows import Person, new_slug


@pytest.fixture
def ada(url: str, clock: HandClock) -> Person:
    return Person(url, "Ada")


@pytest.fixture
def bo(url: str, clock: HandClock) -> Person:
    return Person(url, "Bo")


@pytest.fixture
def cy(url: str, clock: HandClock) -> Person:
    return Person(url, "Cy")


@pytest.fixture
def acme(ada: Person) -> str:
    """An organization that Ada founded, and is turned to."""
    return ada.founds(new_slug())
