"""Why the embedded database does not start, said plainly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api.cli.embedded import DatabaseWontStart, EmbeddedPostgres
from tests.api.cli.clusters import ROOT, STARTED_APART, ask


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
