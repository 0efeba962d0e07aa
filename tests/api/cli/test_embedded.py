"""The embedded database: it starts where people put it, comes back after every crash and says plainly why it cannot."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from api.cli.embedded import LOG_LIMIT, DatabaseWontStart, EmbeddedPostgres

ROOT = os.geteuid() == 0
COMPUTING = "SELECT count(*) FROM generate_series(1, 99999) a, generate_series(1, 99999) b, generate_series(1, 99999) c"
STARTED_APART = """
import sys, time
from pathlib import Path
from api.cli.embedded import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
database.start()
print("started", flush=True)
time.sleep(600)
"""
# The namespace of the test may create no further one, as in a container: what follows meets a kernel that refuses.
REFUSED_NAMESPACES = """
import ctypes, os, sys
assert ctypes.CDLL(None).unshare(0x10000000) == 0
print("unshared", flush=True)
sys.stdin.readline()
open("/proc/sys/user/max_user_namespaces", "w").write("0")
from pathlib import Path
import psycopg
from api.cli.embedded import DatabaseWontStart, EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
try:
    database.start()
    with psycopg.connect(database.conninfo("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")
        connection.execute("INSERT INTO visits VALUES (1)")
        print(connection.execute("SELECT count(*) FROM visits").fetchone()[0])
    database.stop()
except DatabaseWontStart as refusal:
    print(refusal)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: as root that lies in a folder that lets nobody else pass."""
    place = Path(tempfile.mkdtemp(prefix="embedded-"))
    place.chmod(0o755)
    yield place / "data"
    shutil.rmtree(place)


@pytest.fixture
def database(folder: Path) -> Iterator[EmbeddedPostgres]:
    database = EmbeddedPostgres(folder)
    yield database
    database.stop()


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
    long = folder / "the books of Ada's house"
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


def test_a_folder_of_other_things_is_refused_and_left_alone(database: EmbeddedPostgres, folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "letters.txt").write_text("Dear Bo")
    with pytest.raises(DatabaseWontStart, match="not empty and holds no PostgreSQL data"):
        database.start()
    assert (folder / "postgres" / "letters.txt").read_text() == "Dear Bo"


def test_a_second_daybook_on_the_folder_is_refused_and_the_first_unharmed(
    database: EmbeddedPostgres, folder: Path
) -> None:
    database.start()
    with psycopg.connect(database.conninfo("postgres")) as connection:
        second = EmbeddedPostgres(folder)
        with pytest.raises(DatabaseWontStart) as refusal:
            second.start()
        second.stop()
        apart = subprocess.run([sys.executable, "-c", STARTED_APART, folder], capture_output=True, text=True)
        assert apart.returncode != 0
        sentence = f"Another Daybook is running on the data folder {folder}."
        assert str(refusal.value) == sentence
        assert sentence in apart.stderr
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert database.running()
    database.stop()
    second.start()
    second.stop()


def test_a_folder_below_a_file_is_named_in_one_sentence(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(DatabaseWontStart) as refusal:
        EmbeddedPostgres(folder / "below").start()
    assert str(refusal.value) == f"The data folder {folder / 'below'} cannot be used: Not a directory."


@pytest.mark.skipif(ROOT, reason="permission bits do not bind root")
def test_a_folder_without_write_permission_is_named_in_one_sentence(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    with pytest.raises(DatabaseWontStart, match=f"The data folder {folder} cannot be used: .*") as refusal:
        EmbeddedPostgres(folder).start()
    assert "\n" not in str(refusal.value)
    assert list(folder.iterdir()) == []


def test_a_socket_folder_open_to_others_is_refused(database: EmbeddedPostgres) -> None:
    sockets = Path(str(psycopg.conninfo.conninfo_to_dict(database.conninfo("postgres"))["host"]))
    sockets.mkdir()
    sockets.chmod(0o777)
    try:
        with pytest.raises(DatabaseWontStart, match=f"{sockets} for the database's socket is not"):
            database.start()
    finally:
        sockets.rmdir()


def test_the_reason_postgresql_gives_is_told_in_one_sentence(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    database.stop()
    settings = folder / "postgres" / "postgresql.auto.conf"
    settings.write_text("shared_buffers = 'much'\n")
    with pytest.raises(DatabaseWontStart) as refusal:
        database.start()
    assert str(refusal.value) == (
        f"PostgreSQL in {folder} did not start: configuration file "
        f'"{folder}/postgres/postgresql.auto.conf" contains errors.'
    )
    settings.write_text("")
    database.start()
    assert ask(database, "SELECT 1") == 1


def test_data_of_a_postgresql_the_wheel_does_not_bring_is_refused(database: EmbeddedPostgres, folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseWontStart, match="was made by PostgreSQL 9"):
        database.start()


def test_a_frozen_postmaster_is_ended_all_the_same(database: EmbeddedPostgres, folder: Path) -> None:
    parent = start_apart(folder)
    frozen = postmaster(folder)
    frozen.suspend()
    kill(parent)
    database.start()
    assert ask(database, "SELECT 1") == 1
    assert not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE


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


@pytest.mark.skipif(not ROOT, reason="only root has privileges to give up")
def test_as_root_the_server_runs_without_privileges(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    status = Path(f"/proc/{postmaster(folder).pid}/status").read_text()
    capabilities = [line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff"))]
    assert capabilities == ["0" * 16, "0" * 16]


def where_namespaces_are_refused(folder: Path) -> str:
    child = subprocess.Popen(
        [sys.executable, "-c", REFUSED_NAMESPACES, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    if child.stdout.readline() != "unshared\n":
        child.communicate()
        pytest.skip("this kernel gives no user namespaces")
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child.pid}/{name}").write_text("0 0 65536")
    answer, _ = child.communicate("go\n", timeout=60)
    return answer.strip()


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_where_the_kernel_refuses_namespaces_root_starts_it_as_nobody(database: EmbeddedPostgres, folder: Path) -> None:
    assert where_namespaces_are_refused(folder) == "1"
    assert (folder / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert stat.S_IMODE(folder.stat().st_mode) == 0o710
    assert where_namespaces_are_refused(folder) == "2"
    database.start()
    assert ask(database, "SELECT count(*) FROM visits") == 2


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_data_made_in_a_namespace_goes_on_where_the_kernel_refuses_them(
    database: EmbeddedPostgres, folder: Path
) -> None:
    database.start()
    tell(database, "CREATE TABLE visits AS SELECT 1 AS n")
    database.stop()
    assert where_namespaces_are_refused(folder) == "2"


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_a_folder_that_lets_nobody_pass_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)
    assert where_namespaces_are_refused(folder) == (
        f"PostgreSQL has to run as the user with the id {pwd.getpwnam('nobody').pw_uid}, "
        f"whom the folder {folder.parent} does not let pass."
    )


def test_an_interrupted_start_leaves_nothing_running(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STARTED_APART, folder], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (folder / "postgres.new" / "PG_VERSION").exists():
        assert time.monotonic() < deadline
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=20)
    assert parent.returncode != 0
    alive = [process for process in psutil.process_iter(["name", "cmdline"]) if process.info["name"] == "postgres"]
    assert [process for process in alive if str(folder) in " ".join(process.info["cmdline"] or [])] == []
