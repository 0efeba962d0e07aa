"""Starting where it would go wrong: one clear sentence, an exit code, and nothing was served or touched."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.cli.configured import configured
from api.cli.embedded import EmbeddedPostgres
from api.cli.refusal import WontStart
from api.settings import Settings
from domain.store import requirements
from domain.store.connections import connection_arguments
from domain.store.requirements import UnfitDatabase, require_fitting
from tests.databases import Database
from tests.faults.processes import workers
from tests.people import SECRET
from tests.server import Server, served

OTHER_SECRET = "another secret, 32 characters and more too"


def refusal(tmp_path: Path, **settings: object) -> str:
    """The one sentence `daybook serve` ends with, after nothing was served."""
    server = Server(tmp_path / "log", settings)
    command = [sys.executable, "-m", "api.cli", "serve"]
    ended = subprocess.run(command, cwd=tmp_path, env=server.environment, capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0
    assert ended.stdout == ""
    sentence = ended.stderr.removesuffix("\n")
    assert "\n" not in sentence, sentence
    assert "Traceback" not in sentence
    assert sentence.endswith(".")
    assert not any(str(secret) in sentence for secret in (SECRET, OTHER_SECRET))
    return sentence


@pytest.fixture(scope="module")
def unfit() -> Iterator[EmbeddedPostgres]:
    """A database server whose settings these tests spoil."""
    with tempfile.TemporaryDirectory() as folder:
        unfit = EmbeddedPostgres(Path(folder))
        unfit.start()
        with psycopg.connect(unfit.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE daybook LOGIN")
        yield unfit
        unfit.stop()


def urls(cluster: EmbeddedPostgres) -> dict[str, object]:
    return {"DATABASE_URL": cluster.conninfo("daybook"), "OWNER_DATABASE_URL": cluster.conninfo("postgres")}


def test_a_secret_the_data_folder_was_not_made_with(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(tmp_path / "log", {"DATA_DIR": data, "WORKERS": 1, "SECRET": OTHER_SECRET})
    server.start()
    assert server.stop() == 0

    assert refusal(tmp_path, DATA_DIR=data) == "DAYBOOK_SECRET is not the one this database was set up with."
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_secret_that_is_too_short(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, SECRET="s" * 31, DATA_DIR=tmp_path / "data")
    assert "DAYBOOK_SECRET" in sentence
    assert "32" in sentence
    assert not (tmp_path / "data").exists()


def test_a_database_of_ones_own_without_a_secret(tmp_path: Path, unfit: EmbeddedPostgres) -> None:
    assert "DAYBOOK_SECRET must be set" in refusal(tmp_path, SECRET=None, **urls(unfit))
    assert not _has_tables(unfit)


def test_a_data_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    sentence = refusal(tmp_path, DATA_DIR=tmp_path / "file" / "data")
    assert f"{tmp_path}/file/data" in sentence
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_for_mail_that_is_not_there(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, MAIL_FOLDER=tmp_path / "mial", DATA_DIR=tmp_path / "data")
    assert sentence == f"The folder for mail, {tmp_path}/mial, is not there or no folder."
    assert not (tmp_path / "mial").exists()
    assert not (tmp_path / "data").exists()


def test_a_mail_template_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "invitation.txt").write_text("Hello,\n{{ lnik }}")
    sentence = refusal(tmp_path, MAIL_TEMPLATES=tmp_path / "words", DATA_DIR=tmp_path / "data")
    assert f"{tmp_path}/words/invitation.txt, line 2" in sentence
    assert "'lnik'" in sentence
    assert not (tmp_path / "data").exists()


def test_a_port_somebody_else_listens_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} " in refusal(tmp_path, DATA_DIR=tmp_path / "data", PORT=port)
    assert not (tmp_path / "data").exists()


def test_a_database_that_does_not_wait_for_the_disk(tmp_path: Path, unfit: EmbeddedPostgres) -> None:
    _set(unfit, "ALTER SYSTEM SET fsync = off")
    assert "fsync = off" in refusal(tmp_path, **urls(unfit))
    _set(unfit, "ALTER SYSTEM RESET fsync")
    assert not _has_tables(unfit)


@pytest.mark.parametrize("whose", ["ROLE daybook", "ROLE postgres", "DATABASE postgres"])
def test_a_database_that_acknowledges_before_it_wrote(tmp_path: Path, unfit: EmbeddedPostgres, whose: str) -> None:
    _set(unfit, f"ALTER {whose} SET synchronous_commit = off")
    assert "synchronous_commit = off" in refusal(tmp_path, **urls(unfit))
    _set(unfit, f"ALTER {whose} RESET synchronous_commit")
    assert not _has_tables(unfit)


def test_a_database_that_is_too_old(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "OLDEST_SERVER", 99)
    with (
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection,
        pytest.raises(UnfitDatabase, match=r"too old: Daybook needs 99 or newer\.$"),
    ):
        require_fitting(connection)


def test_a_database_that_cannot_hold_every_name(tmp_path: Path, unfit: EmbeddedPostgres) -> None:
    with psycopg.connect(unfit.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    narrow = {name: make_conninfo(str(url), dbname="narrow") for name, url in urls(unfit).items()}
    assert refusal(tmp_path, **narrow).startswith("The database's encoding is LATIN1, which cannot hold")


def test_a_database_nobody_migrated(tmp_path: Path, unfit: EmbeddedPostgres) -> None:
    sentence = refusal(tmp_path, DATABASE_URL=unfit.conninfo("daybook"))
    assert sentence == (
        "There is no Daybook in the database postgres: correct DAYBOOK_DATABASE_URL or, if a new log shall begin"
        " there, run `daybook migrate`."
    )
    assert not _has_tables(unfit)


def _set(cluster: EmbeddedPostgres, sql: str) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.encode())
        connection.execute("SELECT pg_reload_conf()")


def _has_tables(cluster: EmbeddedPostgres) -> bool:
    with psycopg.connect(cluster.conninfo("postgres")) as connection:
        return connection.execute("SELECT FROM pg_tables WHERE schemaname = 'daybook'").fetchone() is not None


@pytest.mark.parametrize(
    "address", ["postgresqll://daybook:hunter2@localhost/x", "postgresql://a:hun%ter2@localhost/x"]
)
def test_an_address_with_a_typo_is_not_printed_with_its_password(tmp_path: Path, address: str) -> None:
    assert refusal(tmp_path, DATABASE_URL=address) == (
        "DAYBOOK_DATABASE_URL or DAYBOOK_OWNER_DATABASE_URL is not a PostgreSQL address."
    )


@pytest.mark.parametrize("content", ["", "PARTIAL"])
def test_a_generated_secret_that_was_cut_short_is_not_believed(tmp_path: Path, content: str) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "secret").write_text(content)
    sentence = refusal(tmp_path, SECRET=None, DATA_DIR=data)
    assert sentence.startswith(f"The secret in {data / 'secret'} is incomplete")
    assert "PARTIAL" not in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "https://user:pw@example.com"),
        ("BASE_URL", "https://exa mple.com"),
        ("SESSION_LIFETIME", "1000000000000000"),
        ("ARGON2_LANES", "20000000"),
        ("ARGON2_MEMORY", "1024"),
        ("PORT", "0"),
        ("RATE_LIMIT", "maybe"),
        ("COOKIE_PREFIX", "bet ter"),
        ("TRUSTED_ORIGINS_", "maybe"),
        ("SECRET", " " * 40),
    ],
)
def test_a_setting_that_makes_no_sense(tmp_path: Path, name: str, value: str) -> None:
    sentence = refusal(tmp_path, DATA_DIR=tmp_path / "data", **{name: value})
    assert f"DAYBOOK_{name}" in sentence
    assert value not in sentence
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SIGNUP", "invited", "DAYBOOK_SIGNUP is no setting; the nearest is DAYBOOK_SIGN_UP."),
        ("WORKER", "2", "DAYBOOK_WORKER is no setting; the nearest is DAYBOOK_WORKERS."),
        ("ZZZZ", "2", "DAYBOOK_ZZZZ is no setting."),
        ("BASE_URL", "https://x.test/", "must be scheme, host and port only: no slash or path at the end."),
        ("BASE_URL", "x.test", "must begin with https:// or http://."),
        ("BASE_URL", "https://x.test:123456", "must have a port from 1 to 65535 after the colon."),
        ("SECRET", "short", "DAYBOOK_SECRET: must have at least 32 characters."),
        ("SECRET", " " * 40, "DAYBOOK_SECRET: must not consist of blanks."),
        ("WORKERS", "many", "DAYBOOK_WORKERS: must be a whole number, 1 or more."),
        ("ARGON2_TIME", "1", "DAYBOOK_ARGON2_TIME: must be a whole number from 2 to 100."),
        ("PASSWORD_MINIMUM_SCORE", "5", "DAYBOOK_PASSWORD_MINIMUM_SCORE: must be a whole number from 0 to 4."),
        ("PASSWORD_MINIMUM_LENGTH", "7", "DAYBOOK_PASSWORD_MINIMUM_LENGTH: must be a whole number from 8 to 64."),
        ("SIGN_UP", "closed", "DAYBOOK_SIGN_UP: must be one of: open, invited."),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_plain_words(tmp_path: Path, name: str, value: str, told: str) -> None:
    assert refusal(tmp_path, DATA_DIR=tmp_path / "data", **{name: value}).endswith(told)


def test_no_settings_message_shows_a_pattern_or_the_librarys_words(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "\x01 odd"
    for name in Settings.model_fields:
        monkeypatch.setenv(f"DAYBOOK_{name.upper()}", odd)
    with pytest.raises(WontStart) as refused:
        configured()
    sentence = str(refused.value)
    assert "pattern" not in sentence
    assert "Input" not in sentence
    assert "validation" not in sentence
    assert sentence.count(";") > 20


def test_names_that_others_set_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VENV", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8000_TCP", "PORT_8000_TCP_ADDR"):
        monkeypatch.setenv(f"DAYBOOK_{name}", "10.0.0.1")
    configured()


def test_a_trusted_proxy_that_is_neither_an_address_nor_a_network(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, DATA_DIR=tmp_path / "data", TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/33, ::1")
    assert sentence.startswith("DAYBOOK_TRUSTED_PROXIES: '10.0.0.0/33' is neither an IP address nor a network")
    assert not (tmp_path / "data").exists()


def test_a_choice_that_is_there_but_empty_does_not_open_what_was_to_be_closed(tmp_path: Path) -> None:
    told = "DAYBOOK_SIGN_UP is there but empty: say open or invited, or leave it out."
    assert refusal(tmp_path, DATA_DIR=tmp_path / "data", SIGN_UP="") == told
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("address", ["", "  "])
def test_an_empty_address_does_not_begin_a_service_beside_the_old_one(tmp_path: Path, address: str) -> None:
    told = "DAYBOOK_DATABASE_URL is there but empty: name the database or, for an embedded one, leave it out."
    data = tmp_path / "data"
    assert refusal(tmp_path, DATA_DIR=data, DATABASE_URL=address) == told
    assert refusal(tmp_path, DATA_DIR=data, DATABASE_URL=address, OWNER_DATABASE_URL="postgresql://x/y") == told
    assert not data.exists()


def test_the_owners_address_alone_is_not_ignored(tmp_path: Path) -> None:
    assert refusal(tmp_path, DATA_DIR=tmp_path / "data", OWNER_DATABASE_URL="postgresql://x/y") == (
        "DAYBOOK_OWNER_DATABASE_URL is set without DAYBOOK_DATABASE_URL: set both or, for an embedded database,"
        " neither."
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dbname": "nowhere"}, 'The database does not let us in: database "nowhere" does not exist.'),
        ({"user": "nobody"}, 'The database does not let us in: role "nobody" does not exist.'),
        ({"user": "idle"}, 'The database does not let us in: role "idle" is not permitted to log in.'),
        ({"user": "cy"}, "The database does not let us in: it asks for a password, and none is given."),
        (
            {"user": "cy", "password": "hunter2"},
            'The database does not let us in: password authentication failed for user "cy".',
        ),
    ],
)
def test_a_database_that_lets_nobody_in_is_not_waited_for(
    tmp_path: Path, unfit: EmbeddedPostgres, changed: dict[str, str], told: str
) -> None:
    _set(unfit, "DO 'BEGIN CREATE ROLE idle; EXCEPTION WHEN duplicate_object THEN END'")
    _set(unfit, "DO 'BEGIN CREATE ROLE cy LOGIN PASSWORD ''s3cret''; EXCEPTION WHEN duplicate_object THEN END'")
    hba = unfit.data / "pg_hba.conf"
    if " cy " not in hba.read_text():
        hba.write_text(f"local all cy scram-sha-256\n{hba.read_text()}")
    _set(unfit, "SELECT 1")
    sentence = refusal(tmp_path, DATABASE_URL=make_conninfo(unfit.conninfo("daybook"), **changed))
    assert sentence == told


@pytest.mark.parametrize("port", ["99999", "0", "hunter2", "5432,0"])
def test_a_port_that_is_none_is_told_and_not_quoted(tmp_path: Path, port: str) -> None:
    sentence = refusal(tmp_path, DATABASE_URL=f"host=localhost port={port} user=daybook")
    assert sentence == "DAYBOOK_DATABASE_URL or DAYBOOK_OWNER_DATABASE_URL names a port that is none."


@pytest.mark.parametrize(
    "entry",
    [
        "htps://x",
        "foo bar",
        "ftp://x.io",
        "https://x.io/path",
        "https://",
        "https://x.io:0",
        "x.io:70000",
        "https://x.io:",
        "https://us er@x.io",
        "https://ä.io",
        "https://::1",
        "h?://x.io",
    ],
)
def test_a_trusted_origin_that_matches_none_is_refused(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    monkeypatch.setenv("DAYBOOK_TRUSTED_ORIGINS", f"https://app.example.com, {entry}")
    with pytest.raises(WontStart) as refused:
        configured()
    assert str(refused.value).startswith(f"DAYBOOK_TRUSTED_ORIGINS: {entry!r} matches no origin: name one such as ")


def test_every_form_of_a_trusted_origin_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = ["https://App.io/", "http://localhost:*", "*.wild.io", "node?.io", "*", "*://x.io", "http?://x.io"]
    forms += ["https://*a*b*.io", "http://[2001:db8::1]:*", "[::1]:3000", "10.0.0.*", "my_app:3000", "http*://x.io"]
    monkeypatch.setenv("DAYBOOK_TRUSTED_ORIGINS", ",".join(forms))
    assert configured().origin_patterns == tuple(forms)


def test_a_kept_secret_may_end_its_line_and_another_one_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings: dict[str, object] = {"DATA_DIR": data, "WORKERS": 1, "SECRET": None}
    server = Server(tmp_path / "log", settings)
    server.start()
    assert server.stop() == 0
    kept = data / "secret"
    kept.write_text(f"{kept.read_text()}\n")
    with served(tmp_path / "log", settings):
        pass

    kept.write_text(OTHER_SECRET)
    assert refusal(tmp_path, **settings) == f"The secret in {kept} is not the one this database was set up with."


def test_workers_do_not_know_how_the_owner_reaches_the_database(tmp_path: Path, database: Database) -> None:
    reached = {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url, "WORKERS": 1}
    with served(tmp_path / "log", reached) as server:
        [worker] = workers(server)
        environment = worker.environ()
    assert environment["DAYBOOK_DATABASE_URL"] == database.application_url
    assert "DAYBOOK_OWNER_DATABASE_URL" not in environment
