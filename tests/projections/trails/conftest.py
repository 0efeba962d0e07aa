"""What the tests of the trails are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.lived import context_over
from tests.projections.trails.life import Life


@pytest.fixture
def life(database: Database) -> Iterator[Life]:
    """Nobody has done anything yet; it is noon."""
    with context_over(database) as context:
        yield Life(context, database)
