"""Keys, secret and database that do not belong together: no service, one sentence, and nothing was changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres, programs
from tests.databases import Database
from tests.faults.ledger import post_sign_up
from tests.faults.test_refusing_to_start import refusal
from tests.faults.test_verify_command import run
from tests.people import SECRET
from tests.server import Server, served

OTHER_KEYS = (
    "The keys are not those of this log:"
    " put the rows of data_keys and subject_keys back from the backup the rest came from."
)


def urls(database: Database) -> dict[str, object]:
    return {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url, "WORKERS": 1}


def lived_in(database: Database, log: Path) -> None:
    """Ada has signed up."""
    with served(log, urls(database)) as server, server.client() as client:
        assert post_sign_up(client, "ada@example.com").status_code == 200


def tool(cluster: EmbeddedPostgres, name: str, *arguments: str, given: str = "") -> str:
    """One of PostgreSQL's own programs, and what it wrote; some complaints are expected."""
    command = [str(programs(cluster.data) / name), *arguments]
    ended = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
    return ended.stdout + ended.stderr


def fresh(cluster: EmbeddedPostgres, name: str) -> Database:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return Database(cluster, name)


def test_a_book_with_people_that_lost_its_data_key(database: Database, tmp_path: Path) -> None:
    lived_in(database, tmp_path / "before")
    database.rows("DELETE FROM data_keys")

    assert refusal(tmp_path, **urls(database)) == OTHER_KEYS
    assert refusal(tmp_path, **urls(database) | {"OWNER_DATABASE_URL": None}) == OTHER_KEYS
    for command in ("verify", "migrate"):
        assert run(database, command) == (1, "", f"{OTHER_KEYS}\n")
    assert database.rows("SELECT FROM data_keys") == []


def test_a_dump_of_data_only_restored_over_a_book_that_was_begun(
    database: Database, cluster: EmbeddedPostgres, tmp_path: Path
) -> None:
    lived_in(database, tmp_path / "before")
    dump = str(tmp_path / "dump")
    tool(cluster, "pg_dump", "-Fc", "-d", database.owner_url, "-f", dump)
    with fresh(cluster, "daybook_begun") as begun:
        assert run(begun, "migrate")[0] == 0
        said = tool(cluster, "pg_restore", "--data-only", "-d", begun.owner_url, dump)
        assert "data_keys" in said
        assert begun.value("SELECT count(*) FROM account_list") == 1

        assert refusal(tmp_path, **urls(begun)) == OTHER_KEYS
        assert run(begun, "verify") == (1, "", f"{OTHER_KEYS}\n")
        # and as the sentence says
        begun.rows("DELETE FROM data_keys")
        tool(cluster, "pg_restore", "--data-only", "-t", "data_keys", "-d", begun.owner_url, dump)
        assert run(begun, "verify")[0] == 0


def test_a_running_node_whose_keys_stop_being_the_books_is_not_ready(database: Database, tmp_path: Path) -> None:
    with served(tmp_path / "log", urls(database)) as server, server.client() as client:
        assert post_sign_up(client, "ada@example.com").status_code == 200
        database.rows("CREATE TABLE kept AS SELECT * FROM data_keys")
        database.rows("DELETE FROM data_keys")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"], answer.json()["database"]) == (503, False, "other keys")
        database.rows("INSERT INTO data_keys SELECT * FROM kept")
        assert client.get("/readyz").json()["database"] == "ok"


def test_a_generation_that_is_no_key(database: Database, tmp_path: Path) -> None:
    database.rows("INSERT INTO data_keys VALUES (2, '\\x00')")
    sentence = refusal(tmp_path, **urls(database))
    assert sentence.startswith("Generation 2 in data_keys is no key that this secret opens")
    assert run(database, "verify") == (1, "", f"{sentence}\n")


def test_a_lost_secret_is_not_replaced(tmp_path: Path) -> None:
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data", "WORKERS": 1, "SECRET": None})
    server.start()
    assert server.stop() == 0
    # what docs/running.md calls a backup, without the secret that is kept elsewhere
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    shutil.copytree(tmp_path / "data" / "postgres", other / "postgres", copy_function=shutil.copy2)
    for path in (tmp_path / "data" / "postgres", *(tmp_path / "data" / "postgres").rglob("*")):
        shutil.chown(other / path.relative_to(tmp_path / "data"), path.stat().st_uid, path.stat().st_gid)

    lost = f"The secret is missing: set DAYBOOK_SECRET as for `daybook serve`, or put {other / 'secret'} back."
    assert refusal(tmp_path, DATA_DIR=other, SECRET=None) == lost
    assert not (other / "secret").exists()
    shutil.copy2(tmp_path / "data" / "secret", other / "secret")
    with served(tmp_path / "log", {"DATA_DIR": other, "WORKERS": 1, "SECRET": None}) as restored:
        assert restored.ready()


def test_an_owner_whose_address_leads_elsewhere(database: Database, cluster: EmbeddedPostgres, tmp_path: Path) -> None:
    with fresh(cluster, "daybook_elsewhere") as elsewhere:
        mixed = urls(database) | {"OWNER_DATABASE_URL": elsewhere.owner_url}
        sentence = refusal(tmp_path, **mixed)
        assert sentence.startswith("DAYBOOK_OWNER_DATABASE_URL and DAYBOOK_DATABASE_URL lead to two databases")
        for command in ("migrate", "verify", "rebuild"):
            arguments = [command, "--all"] if command == "rebuild" else [command]
            assert run(database, *arguments, OWNER_DATABASE_URL=elsewhere.owner_url) == (1, "", f"{sentence}\n")
        assert elsewhere.rows("SELECT FROM pg_namespace WHERE nspname = 'daybook'") == []


def test_two_servers_with_databases_of_one_name_are_two(
    database: Database, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    another = EmbeddedPostgres(tmp_path_factory.mktemp("another"))
    another.start()
    try:
        with psycopg.connect(another.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database.name}".encode())
        same_name = psycopg.conninfo.make_conninfo(another.conninfo("postgres"), dbname=database.name)
        assert "two databases" in refusal(tmp_path, **urls(database) | {"OWNER_DATABASE_URL": same_name})
    finally:
        another.stop()


def test_an_empty_database_of_ones_own_is_no_service_before_it_was_migrated(
    cluster: EmbeddedPostgres, tmp_path: Path
) -> None:
    with fresh(cluster, "daybook_mistyped") as mistyped:
        for settings in (urls(mistyped), urls(mistyped) | {"OWNER_DATABASE_URL": None}):
            sentence = refusal(tmp_path, **settings)
            assert sentence.startswith("There is no Daybook in the database daybook_mistyped: ")
            assert "`daybook migrate`" in sentence
        assert mistyped.rows("SELECT FROM pg_namespace WHERE nspname = 'daybook'") == []

        code, said, complained = run(mistyped, "migrate", SECRET=None)
        assert (code, said) == (1, "")
        assert complained.startswith("DAYBOOK_SECRET must be set")
        assert mistyped.rows("SELECT FROM pg_namespace WHERE nspname = 'daybook'") == []

        code, said, complained = run(mistyped, "migrate")
        assert (code, complained) == (0, "")
        assert said.startswith("There was no Daybook in this database: a new log begins.\napplied 0001 ")
        assert run(mistyped, "migrate") == (0, "nothing to apply\n", "")
        # the owner's machine need not know the secret any more, nor the serving one the owner
        assert run(mistyped, "migrate", SECRET=None) == (0, "nothing to apply\n", "")
        with served(tmp_path / "log", urls(mistyped) | {"OWNER_DATABASE_URL": None}) as server:
            assert server.ready()


def test_migrations_of_a_database_of_ones_own_are_the_owners(database: Database, tmp_path: Path) -> None:
    database.rows("DELETE FROM migrations WHERE number = 1")
    sentence = refusal(tmp_path, **urls(database) | {"OWNER_DATABASE_URL": None})
    assert sentence == (
        "The database lacks migrations (0001 the first book), and only the owner's role applies them:"
        " run `daybook migrate` with DAYBOOK_OWNER_DATABASE_URL."
    )


def test_a_restore_without_privileges(database: Database, cluster: EmbeddedPostgres, tmp_path: Path) -> None:
    database.rows("REVOKE ALL ON ALL TABLES IN SCHEMA daybook FROM daybook")
    database.rows("REVOKE ALL ON SCHEMA daybook FROM daybook")
    alone = urls(database) | {"OWNER_DATABASE_URL": None}
    assert refusal(tmp_path, **alone).startswith("The role daybook has no rights on the log in this database: ")

    code, said, complained = run(database, "migrate", "--print-grants", DATABASE_URL=None, OWNER_DATABASE_URL=None)
    assert (code, complained) == (0, "")
    assert "ERROR" not in tool(cluster, "psql", "-d", database.owner_url, given=said)
    with served(tmp_path / "log", alone) as server:
        assert server.ready()
    assert SECRET not in said
