"""kill -9 of everything, the database too, while people sign up: what they were told stays true."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.faults.half_done import accounts, half_done
from tests.faults.ledger import Ledger, sessions_of_others, signing_up
from tests.faults.processes import end, kill
from tests.server import Server

BACK_WITHIN, WORST = 5.0, 15.0
"""Seconds for most starts after a kill, and for each; a busy backend once blocked one for 53. On a slow machine two and
six times what the first start took, which had more to do.
"""
KILL_AFTER = [0.1 + 0.37 * n % 0.5 for n in range(20)]
"""Seconds of sign-ups before each kill: from 0.1 to 0.6, in no step with anything the server does."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data", "WORKERS": 1})
    yield server
    end(server, tmp_path / "data" / "postgres")


def test_what_was_acknowledged_survives_twenty_kills(server: Server, tmp_path: Path) -> None:
    ledger, took = Ledger(), list[float]()
    first = server.start()
    for delay in KILL_AFTER:
        with signing_up(server, ledger):
            time.sleep(delay)
            kill(server)
        took.append(server.start())

    owner_url = EmbeddedPostgres(tmp_path / "data").conninfo("postgres")
    found = accounts(owner_url)
    assert ledger.wrong == []
    assert set(ledger.acknowledged) - found == set()
    assert found - set(ledger.acknowledged) <= set(ledger.unanswered)
    assert half_done(owner_url) == {}
    assert sessions_of_others(server, ledger.acknowledged) == {}
    assert len(ledger.acknowledged) > len(KILL_AFTER), "there was hardly anything to lose"
    assert median(took) < max(BACK_WITHIN, 2 * first)
    assert max(took) < max(WORST, 6 * first)
