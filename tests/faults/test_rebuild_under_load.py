"""Every table is made anew, and the rebuild is killed again and again, while people go on: none of them notices."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run

import psycopg

from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from tests.databases import Database
from tests.faults.coming_and_going import crowded
from tests.keeping import caught_up
from tests.lived import Lives, context_over
from tests.people import SECRET
from tests.server import Server, served

EVENTS = int(os.environ.get("REBUILD_EVENTS", "5000"))
"""Of the history that is there before anybody comes."""
TABLES = {
    "account_list",
    "session_list",
    "organization_list",
    "member_list",
    "invitation_list",
    "mailed_link_list",
    "api_key_list",
    "journal",
}
KILL_AFTER = (0.05, 0.4, 1.0)
"""Seconds after a rebuild has connected: while it begins, fills, and goes from one table to the next."""
NOBODY_WAITS = 2.0
"""Seconds after which a statement of the service that waits for a lock would fail."""


def load(database: Database, root: Path) -> None:
    """The benchmarks' year of sign-ups and sessions."""
    path = root / "scripts" / "bench" / "history.py"
    specification = importlib.util.spec_from_file_location("bench_history", path)
    assert specification is not None
    assert specification.loader is not None
    history = importlib.util.module_from_spec(specification)
    sys.modules["bench_history"] = history
    specification.loader.exec_module(history)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    history.load(database.owner_url, keyring, EVENTS)


def urls_of(database: Database) -> dict[str, object]:
    return {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url}


def daybook(server: Server, *arguments: str) -> subprocess.Popen[str]:
    """The command, with the settings of the server beside which it runs."""
    command = [sys.executable, "-m", "api.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=server.environment, stdout=pipe, stderr=pipe, text=True)


def kill_in_the_middle(server: Server, database: Database, delay: float) -> None:
    rebuild = daybook(server, "rebuild", "--all")
    try:
        connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'daybook-rebuild'"
        while database.value(f"{connections} AND datname = current_database()") == 0:
            assert rebuild.poll() is None, rebuild.communicate()
            time.sleep(0.01)
        time.sleep(delay)
        assert rebuild.poll() is None, "it was done before it could be killed"
    finally:
        rebuild.kill()
        rebuild.communicate()


def test_nobody_notices_that_every_table_is_made_anew(database: Database, root: Path, tmp_path: Path) -> None:
    load(database, root)
    with served(tmp_path / "log", urls_of(database) | {"WORKERS": 2}) as server:
        with crowded(server.url) as crowd:
            time.sleep(1)
            for delay in KILL_AFTER:
                kill_in_the_middle(server, database, delay)
            rebuild = daybook(server, "rebuild", "--all", "--json")
            said, complaint = rebuild.communicate()
            time.sleep(1)
        verify = daybook(server, "verify", "--json")
        verified, _ = verify.communicate()

    assert crowd.wrong == []
    assert crowd.answers > 200, "hardly anybody came"
    assert rebuild.returncode == 0, complaint
    rebuilt = {one["table"]: one for one in json.loads(said)["rebuilt"]}
    print(f"{crowd.answers} answers, the slowest after {crowd.slowest:.3f} s; {said}")
    assert rebuilt.keys() == TABLES
    assert {name: one["differed"] for name, one in rebuilt.items() if one["differed"]} == {}
    assert max(one["writersWaitedMs"] for one in rebuilt.values()) < 1000 * NOBODY_WAITS

    found = json.loads(verified)
    # the crowd was made with one password and its one hash, which nobody would come by
    assert [one["rule"] for one in found["findings"]] == ["no two people have one password hash"], verified
    assert {one["table"]: one["mustBe"] for one in found["tables"]} == {
        one["table"]: one["isThere"] for one in found["tables"]
    }
    emails = {email for [email] in database.rows("SELECT email FROM account_list")}
    assert set(crowd.signed_up) - emails == set()
    no_entries = "events WHERE name = 'SessionRenewed' OR (name = 'OrganizationChosen' AND version = 2)"
    events, logged, untold, entered = (
        database.value(f"SELECT count(*) FROM {table}") for table in ("events", "log", no_entries, "journal")
    )
    assert events == logged == entered + untold == found["events"]
    assert events > EVENTS + 5 * len(crowd.signed_up)


def test_one_that_is_frozen_while_writers_wait_for_it_lets_them_go(database: Database, tmp_path: Path) -> None:
    """Its transaction is ended by the database after a second; writers wait for two."""
    frozen = 0
    with context_over(database) as context:
        lives = Lives(context, Random(7))
        lives.live(30)
        caught_up(database)
        server = Server(tmp_path / "log", urls_of(database))
        for _ in range(10):
            rebuild = daybook(server, "rebuild", "session_list")
            try:
                freeze_while_it_holds(database, rebuild)
                began = time.monotonic()
                lives.somebody_signs_up()
                frozen += time.monotonic() - began > 0.3
            finally:
                rebuild.send_signal(signal.SIGCONT)
                rebuild.communicate()
            if frozen:
                break
    assert frozen, "it was never frozen in the right moment"


def freeze_while_it_holds(database: Database, rebuild: subprocess.Popen[str]) -> None:
    """Stop it once it has the lock; it may be done before the signal arrives."""
    held = (
        "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND granted AND relation = 'session_list'::regclass"
    )
    while database.value(held) == 0:
        if rebuild.poll() is not None:
            return
    rebuild.send_signal(signal.SIGSTOP)
