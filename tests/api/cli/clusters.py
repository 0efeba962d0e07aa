"""What the tests of the embedded database ask of it, and do to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from api.cli.embedded import EmbeddedPostgres

ROOT = os.geteuid() == 0
STARTED_APART = """
import signal, sys, time
from pathlib import Path
from api.cli.embedded import EmbeddedPostgres
# tests that run in the background of a shell inherit that it is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
database = EmbeddedPostgres(Path(sys.argv[1]))
database.start()
print("started", flush=True)
time.sleep(600)
"""


def ask(database: EmbeddedPostgres, question: str) -> object:
    with psycopg.connect(database.conninfo("postgres"), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def tell(database: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(database.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))


def keep_busy(database: EmbeddedPostgres, work: str) -> threading.Thread:
    def run() -> None:
        with suppress(psycopg.Error):
            ask(database, work)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while ask(database, f"SELECT count(*) FROM pg_stat_activity WHERE query = '{work}' AND state = 'active'") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return thread


def start_apart(folder: Path) -> subprocess.Popen[str]:
    parent = subprocess.Popen([sys.executable, "-c", STARTED_APART, folder], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "started\n"
    return parent


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
