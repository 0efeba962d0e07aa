"""The embedded database comes back by itself, whatever was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.cli.clusters import STARTED_APART, ask, keep_busy, kill, postmaster, start_apart, tell

COMPUTING = "SELECT count(*) FROM generate_series(1, 99999) a, generate_series(1, 99999) b, generate_series(1, 99999) c"


@pytest.mark.parametrize("work", ["SELECT pg_sleep(600)", COMPUTING], ids=["waits", "computes"])
def test_it_is_back_within_5_s_when_the_postmaster_is_killed_under_a_busy_backend(
    database: EmbeddedPostgres, folder: Path, work: str
) -> None:
    database.start()
    tell(database, "CREATE TABLE people AS SELECT 'Ada' AS name")
    busy = keep_busy(database, work)
    postmaster(folder).kill()
    deadline = time.monotonic() + 5
    while database.running():
        assert time.monotonic() < deadline
    began = time.monotonic()
    database.start()
    assert time.monotonic() - began < 5
    assert ask(database, "SELECT name FROM people") == "Ada"
    busy.join(5)
    assert not busy.is_alive()


def test_it_is_back_within_5_s_when_daybook_itself_was_killed(database: EmbeddedPostgres, folder: Path) -> None:
    parent = start_apart(folder)
    busy = keep_busy(database, "SELECT pg_sleep(600)")
    orphan = postmaster(folder)
    kill(parent)
    began = time.monotonic()
    database.start()
    assert time.monotonic() - began < 5
    assert ask(database, "SELECT 1") == 1
    assert postmaster(folder) != orphan
    busy.join(5)
    assert not busy.is_alive()


def test_a_pid_file_whose_number_is_another_process_by_now_does_not_hinder(
    database: EmbeddedPostgres, folder: Path
) -> None:
    database.start()
    pid_file = folder / "postgres" / "postmaster.pid"
    left = pid_file.read_text()
    database.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *left.split("\n")[1:]]))
        database.start()
        assert ask(database, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_creation_cut_short_is_done_again(database: EmbeddedPostgres, folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STARTED_APART, folder], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (folder / "postgres.new" / "PG_VERSION").exists():
        assert time.monotonic() < deadline
    kill(parent)
    assert not (folder / "postgres").exists()
    database.start()
    assert ask(database, "SELECT 1") == 1
    assert not (folder / "postgres.new").exists()


def test_a_frozen_postmaster_is_ended_all_the_same(database: EmbeddedPostgres, folder: Path) -> None:
    parent = start_apart(folder)
    frozen = postmaster(folder)
    frozen.suspend()
    kill(parent)
    database.start()
    assert ask(database, "SELECT 1") == 1
    assert not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE


def test_an_interrupted_start_leaves_nothing_running(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STARTED_APART, folder], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (folder / "postgres.new" / "PG_VERSION").exists():
        assert time.monotonic() < deadline
    parent.send_signal(signal.SIGINT)
    try:
        _, said = parent.communicate(timeout=60)
    finally:
        kill(parent)
    assert parent.returncode == -signal.SIGINT, said
    alive = [process for process in psutil.process_iter(["name", "cmdline"]) if process.info["name"] == "postgres"]
    assert [process for process in alive if str(folder) in " ".join(process.info["cmdline"] or [])] == []
