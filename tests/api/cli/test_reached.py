"""Commands beside `daybook serve`: they use the database that runs, start the one that does not, and create none."""

from __future__ import annotations

import fcntl
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from api.cli.database import connected, keyring_of, prepare, reached
from api.cli.database import database as made
from api.cli.embedded import EmbeddedPostgres
from api.cli.refusal import WontStart
from api.settings import Settings
from domain.store import migrate
from domain.store.connections import connection_arguments
from domain.store.requirements import make_first_key
from tests import databases
from tests.api.cli.clusters import ROOT, postmaster, tell
from tests.people import SECRET
from tests.server import Server, served

OTHER_SECRET = "another secret, 32 characters and more too"
WATCHING = """
import signal
from api.cli.configured import configured
from api.cli.database import connected, keyring_of, reached
from api.cli.program import app, main
# tests that run in the background of a shell inherit that it is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
@app.command()
def watch() -> None:
    with reached(configured()) as found, connected(found.application_url) as connection:
        keyring_of(found, configured())
        print("watching", flush=True)
        connection.execute("SELECT pg_sleep(60)")
main()
"""


def settings_of(folder: Path, secret: str | None = SECRET) -> Settings:
    return Settings(data_dir=folder, database_url=None, secret=SecretStr(secret) if secret is not None else None)


def listed(folder: Path) -> dict[str, int]:
    """What lies there, and when it was changed, in nanoseconds."""
    return {str(path): path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*")) if path.exists()}


def refusal(settings: Settings) -> str:
    with pytest.raises(WontStart) as refused, reached(settings, patience=0.3):
        pass
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.fixture
def migrated(folder: Path) -> Settings:
    """Settings of a folder whose database was migrated and given its secret, and does not run."""
    settings = settings_of(folder)
    with made(settings) as found:
        prepare(found, settings, founding=False)
    return settings


@contextmanager
def watching(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A command of its own process that waits in the middle of a query."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {"DAYBOOK_DATA_DIR": str(folder), "DAYBOOK_SECRET": SECRET}
    command = [sys.executable, "-c", WATCHING, "watch"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_command_uses_the_database_of_a_running_daybook_and_leaves_it_running(folder: Path) -> None:
    with served(folder.parent / "log", {"DATA_DIR": folder, "WORKERS": 1, "SECRET": None}) as server:
        before = postmaster(folder)
        with server.client() as client:
            ada = {"name": "Ada", "email": "ada@example.com", "password": "correct horse 1"}
            assert client.post("/api/auth/sign-up/email", json=ada).status_code == 200
        settings = settings_of(folder, secret=None)
        with reached(settings) as found, connected(found.application_url) as connection:
            [[slot]] = connection.execute("SELECT email_slot FROM account_list").fetchall()
            assert keyring_of(found, settings).email_hash("ada@example.com") == slot
            assert found.application_role == "daybook"
            assert found.embedded is None
        assert postmaster(folder) == before
        assert server.ready()
        assert server.stop() == 0


def test_a_command_waits_for_a_daybook_that_is_just_starting(folder: Path) -> None:
    server = Server(folder.parent / "log", {"DATA_DIR": folder, "WORKERS": 1})
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        while starting.is_alive() and not (folder / "postgres.log").exists():
            time.sleep(0.005)
        assert not EmbeddedPostgres(folder).ready()
        with reached(settings_of(folder)) as found, connected(found.owner_url or "") as connection:
            applied = connection.execute("SELECT count(*) FROM migrations").fetchone()
        assert applied == (len(migrate.migrations()),)
    finally:
        starting.join()
        assert server.stop() == 0


def test_a_command_waits_for_a_database_that_is_being_started_again(
    database: EmbeddedPostgres, folder: Path, migrated: Settings
) -> None:
    database.start()
    again = threading.Timer(1, database.start)
    postmaster(folder).kill()
    began = time.monotonic()
    again.start()
    try:
        with reached(migrated) as found, connected(found.application_url):
            assert time.monotonic() - began > 1
    finally:
        again.join()
    assert database.running()


def test_a_daybook_whose_database_stays_away_is_refused_in_seconds(
    database: EmbeddedPostgres, folder: Path, migrated: Settings
) -> None:
    database.start()
    killed = postmaster(folder)
    killed.kill()
    killed.wait(5)
    assert refusal(migrated).startswith("The database does not answer: ")
    (folder / "postgres" / "postmaster.pid").unlink()
    assert refusal(migrated) == f"A Daybook is running on the data folder {folder}, but its database is not ready."


def test_the_socket_is_found_where_another_tmpdir_put_it(
    folder: Path, migrated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(elsewhere))
        running = EmbeddedPostgres(folder)
    running.start()
    try:
        assert [path.name[:8] for path in elsewhere.iterdir()] == ["daybook-"]
        with reached(migrated) as found:
            keyring_of(found, migrated)
    finally:
        running.stop()


@pytest.mark.skipif(not ROOT, reason="only root may do things for others")
def test_root_reaches_the_database_of_an_ordinary_user(
    database: EmbeddedPostgres, folder: Path, migrated: Settings
) -> None:
    nobody = pwd.getpwnam("nobody")
    for path in (folder / "postgres", *(folder / "postgres").rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    database.start()
    assert postmaster(folder).uids().effective == nobody.pw_uid
    with reached(migrated) as found:
        keyring_of(found, migrated)
    assert database.running()


def test_where_nobody_runs_the_database_is_started_and_stopped_again(folder: Path, migrated: Settings) -> None:
    with reached(migrated) as found:
        server = postmaster(folder)
        keyring_of(found, migrated)
        assert server.is_running()
    assert not server.is_running()
    assert not EmbeddedPostgres(folder).taken()


@pytest.mark.usefixtures("migrated")
def test_who_looks_whether_a_daybook_runs_does_not_keep_one_from_starting(
    database: EmbeddedPostgres, folder: Path
) -> None:
    with (folder / "lock").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        looked = threading.Timer(0.01, fcntl.flock, (looking, fcntl.LOCK_UN))
        looked.start()
        database.start()
        looked.join()


@pytest.mark.parametrize("there", [[], [""], ["lock"], ["secret", "postgres/letters.txt"]])
def test_where_there_is_no_database_none_is_created(folder: Path, there: list[str]) -> None:
    for name in there:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Dear Bo") if name else folder.mkdir()
    before = listed(folder.parent)
    assert refusal(settings_of(folder)) == f"There is no Daybook in {folder} yet: run scripts/serve first."
    assert listed(folder.parent) == before


@pytest.mark.skipif(ROOT, reason="permission bits do not bind root")
def test_a_folder_of_somebody_else_is_refused_in_one_sentence(folder: Path, migrated: Settings) -> None:
    folder.chmod(0o000)
    try:
        assert refusal(migrated) == (f"The data folder {folder} cannot be used: Permission denied ({folder / 'lock'}).")
    finally:
        folder.chmod(0o700)


def test_a_database_that_was_never_migrated_is_refused_and_stopped(folder: Path) -> None:
    with made(settings_of(folder)):
        server = postmaster(folder)
    sentence = refusal(settings_of(folder))
    assert sentence.startswith("The database lacks migrations (0001 the first book, ")
    assert "`daybook migrate`" in sentence
    assert not server.is_running()


def test_a_running_database_that_lacks_a_migration_is_refused_and_left_alone(
    database: EmbeddedPostgres, migrated: Settings
) -> None:
    database.start()
    tell(database, "DELETE FROM daybook.migrations WHERE number = 1")
    assert refusal(migrated).startswith("The database lacks migrations (0001 the first book): ")
    assert database.running()


def test_another_secret_is_refused(folder: Path, migrated: Settings) -> None:
    with reached(migrated) as found, pytest.raises(WontStart) as refused:
        keyring_of(found, settings_of(folder, OTHER_SECRET))
    assert str(refused.value) == "DAYBOOK_SECRET is not the one this database was set up with."


def test_a_missing_secret_is_refused_and_none_is_made(folder: Path, migrated: Settings) -> None:
    with reached(migrated) as found, pytest.raises(WontStart) as refused:
        keyring_of(found, settings_of(folder, secret=None))
    assert str(refused.value) == (
        f"The secret is missing: set DAYBOOK_SECRET as for `daybook serve`, or put {folder / 'secret'} back."
    )
    assert not (folder / "secret").exists()


def test_a_database_of_ones_own_is_reached_by_its_address(folder: Path, cluster: EmbeddedPostgres) -> None:
    with databases.Database(cluster, "daybook_reached") as own:
        with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE daybook_reached")
        settings = Settings(database_url=own.application_url, data_dir=folder, secret=SecretStr(SECRET))
        assert refusal(settings).startswith("The database lacks migrations (0001 the first book, ")
        with psycopg.connect(own.owner_url, **connection_arguments("tests")) as connection:
            migrate.migrate(connection, application_role="daybook")
            make_first_key(connection, SECRET)
        with reached(settings) as found:
            keyring_of(found, settings)
            with pytest.raises(WontStart, match="DAYBOOK_SECRET must be set"):
                keyring_of(found, settings.model_copy(update={"secret": None}))
        assert own.value("SELECT count(*) FROM data_keys") == 1
    assert not folder.exists()


@pytest.mark.usefixtures("migrated")
def test_a_command_whose_daybook_stops_ends_with_a_sentence(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    with watching(folder) as command:
        database.stop()
        _, said = command.communicate(timeout=10)
    assert said == "The database stopped answering: terminating connection due to administrator command.\n"
    assert command.returncode == 1


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_stops_the_database_it_started(
    database: EmbeddedPostgres, folder: Path, sign: signal.Signals
) -> None:
    with watching(folder) as command:
        server = postmaster(folder)
        command.send_signal(sign)
        _, said = command.communicate(timeout=10)
    alive = server.is_running()
    database.start()  # it ends a server that was left behind
    assert not alive
    assert command.returncode != 0
    assert "Traceback" not in said
