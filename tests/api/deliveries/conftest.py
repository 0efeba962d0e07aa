"""What the tests of sending are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.inviting import Acme, acme_in


@pytest.fixture
def acme(database: Database) -> Iterator[Acme]:
    """Ada's organization, into which nobody was invited yet."""
    with acme_in(database) as acme:
        yield acme
