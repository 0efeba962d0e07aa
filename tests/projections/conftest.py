"""What tests of plans ask with."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from domain.store.connections import Values, connection_arguments
from tests.databases import Database


@pytest.fixture(scope="module")
def explaining(module_database: Database) -> Iterator[psycopg.Connection[Values]]:
    """As the application's role, with its settings; prepares only what it is told to."""
    with psycopg.connect(module_database.application_url, **connection_arguments("tests")) as connection:
        connection.prepare_threshold = None
        yield connection
