"""What races in organizations are given: two nodes, eight sides, and the log in the end to judge them by."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import psycopg
import pytest

from domain.commands.context import Context, Rules
from domain.store.connections import connection_arguments
from domain.store.sequencer import sequence
from tests.databases import Database
from tests.faults.organizations.facts import Organizations
from tests.faults.organizations.races import LIMIT, SIDES, Races
from tests.lived import context_over


@pytest.fixture
def book(database: Database) -> Iterator[Organizations]:
    """How the log will be judged when all is over; and nobody has waited for each other until the database saw it."""
    book = Organizations()
    yield book
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        while sequence(connection):
            pass
    book.apply(database)
    assert book.wrong == []
    assert database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


@pytest.fixture
def nodes(database: Database, book: Organizations) -> Iterator[list[Context]]:
    """Two, with connections of their own, gone before the log is closed."""
    with ExitStack() as held:
        yield [held.enter_context(context_over(database)) for _ in range(2)]


@pytest.fixture
def races(nodes: list[Context], request: pytest.FixtureRequest) -> Iterator[Races]:
    """Between the two nodes; what its sides were told is shown in the end."""
    with ThreadPoolExecutor(SIDES) as threads:
        races = Races(nodes, threads, request.node.name)
        yield races
    print(f"{request.node.name}: {dict(races.told)}")


@pytest.fixture
def limited(races: Races) -> Races:
    """The same where members and pending invitations are limited."""
    races.nodes = [replace(node, rules=Rules(member_limit=LIMIT, invitation_limit=LIMIT)) for node in races.nodes]
    return races
