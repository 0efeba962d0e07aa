"""The embedded database: it starts where people put it, durable and private."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import psycopg
import pytest

from api.cli.embedded import LOG_LIMIT, EmbeddedPostgres
from tests.api.cli.clusters import ask, postmaster, tell


def test_it_starts_and_answers_and_stops(database: EmbeddedPostgres) -> None:
    assert not database.running()
    database.start()
    assert database.running()
    assert ask(database, "SELECT 1") == 1
    database.stop()
    assert not database.running()
    database.stop()
    with pytest.raises(psycopg.OperationalError):
        ask(database, "SELECT 1")


def test_a_path_of_120_characters_with_spaces_and_quotes_works(folder: Path) -> None:
    long = folder / "the log of Ada's house"
    long = long / ("x" * max(1, 120 - len(str(long))))
    database = EmbeddedPostgres(long)
    try:
        database.start()
        assert Path(str(ask(database, "SHOW data_directory"))) == long / "postgres"
        assert len(str(long)) >= 120
    finally:
        database.stop()


def test_the_next_start_is_quick_and_finds_what_was_written(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    tell(database, "CREATE TABLE people AS SELECT 'Ada' AS name")
    database.stop()
    again = EmbeddedPostgres(folder)
    began = time.monotonic()
    again.start()
    took = time.monotonic() - began
    try:
        assert ask(again, "SELECT name FROM people") == "Ada"
        assert took < 1.5
    finally:
        again.stop()


def test_a_start_while_it_runs_changes_nothing(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    before = postmaster(folder)
    database.start()
    assert postmaster(folder) == before


def test_settings_are_those_of_a_durable_private_database(database: EmbeddedPostgres) -> None:
    database.start()
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "log_parameter_max_length_on_error": "0",
        "data_directory_mode": "0700",
    }
    assert {name: ask(database, f"SHOW {name}") for name in expected} == expected
    assert (
        ask(database, "SELECT concat(datlocprovider, datlocale) FROM pg_database WHERE datname = 'postgres'")
        == "bC.UTF-8"
    )
    assert ask(database, "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'") is True
    assert int(str(ask(database, "SHOW server_version_num"))) >= 180000


def test_nobody_else_can_look_into_the_files(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    sockets = Path(str(ask(database, "SHOW unix_socket_directories")))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"data": 0o700, "postgres": 0o700, "postgres.log": 0o600, "lock": 0o600}
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    database.stop()
    assert not sockets.exists()


def test_names_in_a_refused_row_do_not_reach_the_log(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    with psycopg.connect(database.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE people (name text PRIMARY KEY, age int NOT NULL)")
        connection.execute("INSERT INTO people VALUES (%s, 36)", ["Ada Lovelace"])
        with pytest.raises(psycopg.errors.UniqueViolation, match="Ada Lovelace"):
            connection.execute("INSERT INTO people VALUES (%s, 36)", ["Ada Lovelace"])
        with pytest.raises(psycopg.errors.NotNullViolation, match="Bo Lovelace"):
            connection.execute("INSERT INTO people VALUES (%s, NULL)", ["Bo Lovelace"])
    log = (folder / "postgres.log").read_text()
    assert "people_pkey" in log
    assert "null value in column" in log
    assert "Lovelace" not in log


def test_a_grown_log_is_put_aside_once(database: EmbeddedPostgres, folder: Path) -> None:
    folder.mkdir()
    (folder / "postgres.log").write_bytes(b"x" * (LOG_LIMIT + 1))
    database.start()
    assert (folder / "postgres.log.1").stat().st_size == LOG_LIMIT + 1
    assert (folder / "postgres.log").stat().st_size < 10_000


def test_ctrl_c_in_the_terminal_does_not_reach_the_database(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    assert os.getsid(postmaster(folder).pid) != os.getsid(0)
    assert os.getpgid(postmaster(folder).pid) != os.getpgid(0)
