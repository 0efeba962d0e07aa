"""What tests of commands are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.domain.commands.going import Town
from tests.lived import context_over


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    """A town where nobody lives yet, at noon."""
    with context_over(database) as context:
        yield Town(context, database)
