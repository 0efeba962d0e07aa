"""`daybook verify` as a process: what it says, what it heals, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any

import psycopg
import pytest

from domain.store.connections import connection_arguments
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import Lives, context_over
from tests.people import SECRET
from tests.server import ROOT

TABLES = [
    "account_list",
    "organization_list",
    "member_list",
    "invitation_list",
    "session_list",
    "mailed_link_list",
    "api_key_list",
    "journal",
]


@pytest.fixture(scope="module")
def lives(module_database: Database) -> Iterator[Lives]:
    """Some hundred events of two dozen people."""
    with context_over(module_database) as context:
        lives = Lives(context, Random(3))
        lives.live(100)
        caught_up(module_database)
        yield lives


def started(database: Database, *arguments: str, **settings: str | None) -> subprocess.Popen[str]:
    given = {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url, "SECRET": SECRET}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {f"DAYBOOK_{name}": value for name, value in {**given, **settings}.items() if value is not None}
    command = [sys.executable, "-m", "api.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=pipe, stderr=pipe, text=True)


def run(database: Database, *arguments: str, **settings: str | None) -> tuple[int, str, str]:
    process = started(database, *arguments, **settings)
    said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


@contextmanager
def holding_back_rebuilds(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """As another rebuild would."""
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as other:
        other.execute("SET idle_in_transaction_session_timeout = 0")
        other.execute("SELECT pg_advisory_lock(hashtextextended('daybook rebuild', 0))")
        yield other


def rows(database: Database, table: str) -> list[Any]:
    return sorted(database.rows(f"SELECT * FROM {table}"), key=lambda row: str(row[0]))


def test_what_is_whole_is_said_to_be_and_the_application_may_look(lives: Lives, module_database: Database) -> None:
    code, said, complained = run(module_database, "verify", OWNER_DATABASE_URL=None)
    assert (code, complained) == (0, "")
    lines = said.splitlines()
    assert [line.partition(":")[0] for line in lines[: len(TABLES)]] == TABLES
    people = module_database.value("SELECT count(*) FROM account_list")
    fingerprint = lines[0].rpartition(" ")[2]
    assert lines[0] == f"account_list: {people} rows, as their events say; {fingerprint}"
    assert len(bytes.fromhex(fingerprint)) == 32
    events, commands = (module_database.value(f"SELECT count(*) FROM {book}") for book in ("events", "commands"))
    assert lines[len(TABLES)] == f"{events} events, {commands} commands"
    assert lines[-1] == "All is well."


def test_what_is_wrong_is_named_without_a_value_of_anybodys(lives: Lives, module_database: Database) -> None:
    [(user_id, email)] = module_database.rows("SELECT user_id, email FROM account_list ORDER BY user_id LIMIT 1")
    module_database.rows("UPDATE account_list SET email = 'x' || email WHERE user_id = %s", user_id)
    code, said, _ = run(module_database, "verify")
    assert code == 1
    assert f"\n  {user_id}: email\n" in said
    assert said.splitlines()[-1] == "Not all is well."
    assert email not in said

    code, said, _ = run(module_database, "verify", "--json")
    found = json.loads(said)
    assert (code, found["clean"], found["findings"]) == (1, False, [])
    [table] = [one for one in found["tables"] if one["differing"]]
    assert (table["table"], table["differing"]) == ("account_list", 1)
    assert table["differences"] == [{"key": str(user_id), "difference": "differs", "columns": ["email"]}]
    assert table["mustBe"] != table["isThere"]
    assert email not in said
    module_database.rows("UPDATE account_list SET email = %s WHERE user_id = %s", email, user_id)


def test_rows_are_healed_all_of_them(lives: Lives, module_database: Database) -> None:
    before = {table: rows(module_database, table) for table in TABLES}
    module_database.rows("UPDATE member_list SET role = 'admin'")
    module_database.rows("DELETE FROM session_list WHERE ended_at IS NOT NULL")
    module_database.rows("UPDATE journal SET actor_id = NULL")
    module_database.rows("INSERT INTO drift (table_name, key, difference) VALUES ('member_list', 'k', 'role')")
    assert len(before["journal"]) > 100
    code, said, complained = run(module_database, "verify", "--repair")
    assert (code, complained) == (0, "")
    assert f"journal: {len(before['journal'])} rows were made anew" in said.splitlines()
    assert f"  and {len(before['journal']) - 20} more" in said.splitlines()
    assert said.splitlines()[-1] == "All is well."
    assert {table: rows(module_database, table) for table in TABLES} == before
    assert module_database.rows("SELECT FROM drift") == []


def test_the_books_are_not_healed_nor_what_they_say_wrongly(lives: Lives, module_database: Database) -> None:
    [(user_id, email)] = module_database.rows("SELECT user_id, email FROM account_list ORDER BY user_id DESC LIMIT 1")
    module_database.rows("SET session_replication_role = replica")
    module_database.rows("UPDATE events SET sealed = sealed || '\\x00' WHERE stream_id = %s AND version = 1", user_id)
    module_database.rows("UPDATE account_list SET name = 'spoilt' WHERE name = 'Person 0'")
    code, said, _ = run(module_database, "verify", "--repair", "--json")
    found = json.loads(said)
    assert (code, found["clean"], found["repaired"]) == (1, False, {"account_list": 1})
    assert {one["rule"]: (one["times"], one["first"]) for one in found["findings"]} == {
        "what was stored matches its commitment": (1, f"{user_id} 1"),
        "what was stored can be read": (1, str(user_id)),
    }
    none = [0] * (len(TABLES) - 1)
    assert [one["differing"] for one in found["before"]["tables"]] == [1, *none]
    assert [one["differing"] for one in found["tables"]] == [0, *none]
    # what cannot be read any more is still there to be signed in with
    assert module_database.rows("SELECT email FROM account_list WHERE user_id = %s", user_id) == [(email,)]
    module_database.rows(
        "UPDATE events SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE stream_id = %s AND version = 1", user_id
    )
    module_database.rows("SET session_replication_role = origin")
    assert run(module_database, "verify")[0] == 0


def test_whoever_may_not_heal_is_told_so(lives: Lives, module_database: Database) -> None:
    module_database.rows("UPDATE member_list SET role = 'admin'")
    code, said, complained = run(module_database, "verify", "--repair", OWNER_DATABASE_URL=None)
    sentence = (
        "Only the role that owns the tables, and may create schemas in the database, may do this:"
        " set DAYBOOK_OWNER_DATABASE_URL to its address.\n"
    )
    assert (code, said, complained) == (1, "", sentence)
    assert run(module_database, "verify", "--repair", "--json")[0] == 0


def test_another_secret_is_refused(lives: Lives, module_database: Database) -> None:
    code, said, complained = run(module_database, "verify", SECRET="another secret, of 32 characters and more")
    assert (code, said) == (1, "")
    assert complained == "DAYBOOK_SECRET is not the one this database was set up with.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["verify"], "Interrupted.\n"),
        (["rebuild", "--all"], "Interrupted: the next call goes on from here.\n"),
    ],
)
def test_one_that_is_interrupted_says_so(
    lives: Lives, module_database: Database, arguments: list[str], sentence: str
) -> None:
    with holding_back_rebuilds(module_database) as other, other.transaction():
        other.execute("LOCK TABLE account_list IN ACCESS EXCLUSIVE MODE")
        process = started(module_database, *arguments)
        looking = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        looking += " AND (application_name = 'daybook-rebuild' OR wait_event_type = 'Lock')"
        while module_database.value(looking) == 0:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=20)
    assert (process.returncode, said, complained) == (130, "", sentence)


def test_tables_are_made_anew_by_name_and_the_former_ones_dropped(lives: Lives, module_database: Database) -> None:
    before = {table: rows(module_database, table) for table in TABLES}
    code, said, complained = run(module_database, "rebuild", "member_list", "journal")
    assert (code, complained) == (0, "")
    members, entries = said.splitlines()
    events = module_database.value("SELECT count(*) FROM log")
    assert members.startswith(f"member_list: {len(before['member_list'])} rows from ")
    assert ", 0 had differed; writers waited " in members
    assert entries.startswith(f"journal: {len(before['journal'])} rows from {events} events (")

    module_database.rows("UPDATE member_list SET role = 'admin'")
    code, said, _ = run(module_database, "rebuild", "member_list", "--json")
    [rebuilt] = json.loads(said)["rebuilt"]
    assert (code, rebuilt["table"], rebuilt["differed"]) == (0, "member_list", len(before["member_list"]))
    assert {table: rows(module_database, table) for table in TABLES} == before

    code, said, _ = run(module_database, "rebuild", "--all", "--drop-before")
    assert (code, said) == (0, "dropped the former member_list\ndropped the former journal\n")
    code, said, _ = run(module_database, "rebuild", "--all", "--drop-before", "--json")
    assert (code, json.loads(said)) == (0, {"dropped": []})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], f"Which table? {', '.join(TABLES)}"),
        (["journal", "--all"], "Name tables or give --all, not both."),
        (["journal", "log"], "There is no table log; there are account_list, "),
    ],
)
def test_which_tables_must_be_clear(module_database: Database, arguments: list[str], sentence: str) -> None:
    code, said, complained = run(module_database, "rebuild", *arguments)
    assert (code, said) == (1, "")
    assert complained.startswith(sentence)


def test_whoever_may_not_rebuild_is_told_so(module_database: Database) -> None:
    code, said, complained = run(module_database, "rebuild", "member_list", OWNER_DATABASE_URL=None)
    assert (code, said) == (1, "")
    assert complained.startswith("Only the role that owns the tables, ")


def test_while_another_one_rebuilds_it_is_refused(module_database: Database) -> None:
    with holding_back_rebuilds(module_database):
        code, said, complained = run(module_database, "rebuild", "member_list", "--json")
    assert (code, json.loads(said)) == (1, {"rebuilt": [], "refused": "Another rebuild is at work."})
    assert complained == "Another rebuild is at work.\n"
