"""Migrations: numbered SQL, each applied once, in *pre* steps (before the new code) and *post* steps (after it)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, sql

from .connections import SCHEMA, Values
from .requirements import UnfitDatabase

_NAME = re.compile(r"(\d{4})_(pre|post)_(\w+)\.sql")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('daybook migrations', 0))"
TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number     integer     PRIMARY KEY,
    step       text        NOT NULL,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT statement_timestamp()
)
"""
# Asked of the catalogue, which every role may read: a schema one may not use is not even searched.
_FOUND = """
SELECT coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false), current_user
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
 WHERE n.nspname = %s AND c.relname = 'migrations'
"""
_HOLDERS = """
SELECT DISTINCT a.pid, a.application_name
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.granted AND a.pid <> pg_backend_pid() AND a.datname = current_database()
   AND (l.locktype = 'advisory' OR l.relation IN (SELECT oid FROM pg_class WHERE relnamespace = %s::regnamespace))
 ORDER BY a.pid LIMIT 3
"""
_PRINTED = """BEGIN;
SET LOCAL search_path = {schema};
{refusal}
{grants}COMMIT;
"""
# the owner's own rights must not be taken back
_NOT_THE_OWNER = """DO $$ BEGIN
    IF current_user = {role} THEN
        RAISE EXCEPTION 'a role that owns the tables needs no grants: name the one that serves';
    END IF;
END $$;"""


class Phase(StrEnum):
    """Pre steps work with the old and the new code; post steps take away what only the old code needed."""

    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    number: int
    step: Phase
    name: str
    text: bytes


class NotMigrated(Exception):
    """The database lacks migrations this release needs; the message names them."""


class NoLog(NotMigrated):
    """The database holds no Daybook at all."""


class NewerRelease(UnfitDatabase):
    """A newer release has taken away what this one needs."""

    def __init__(self, steps: str) -> None:
        super().__init__(
            f"The database was migrated by a newer release of Daybook ({steps}), and this one cannot use it any more:"
            " start that release."
        )


class MigrationWaits(Exception):
    """Others hold what a migration changes, or migrate themselves; nothing was changed. The message names them."""


class GrantsMissing(UnfitDatabase):
    """The log is there, but its rights were not given to this role, as after a restore without privileges."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"The role {role} has no rights on the log in this database: run `daybook migrate` with"
            f" DAYBOOK_OWNER_DATABASE_URL, or what `daybook migrate --print-grants --role {role}` prints."
        )


def migrations() -> list[Migration]:
    """All migrations there are, in their order."""
    return sorted(_read(), key=lambda migration: migration.number)


def migrate(connection: Connection[Values], *, application_role: str | None) -> list[str]:
    """Apply what is missing, as the role that owns the tables; the names of what was applied.

    All in one transaction under a lock, so that nodes starting together wait for one another. `application_role` gets
    the rights it needs and no others; None if the owner itself serves. Raises MigrationWaits where a lock cannot be had
    in the connection's `lock_timeout`, NewerRelease.
    """
    try:
        return _migrate(connection, application_role)
    except psycopg.errors.LockNotAvailable:
        raise MigrationWaits(_holders(connection)) from None


def _migrate(connection: Connection[Values], application_role: str | None) -> list[str]:
    with connection.transaction():
        connection.execute(_LOCK)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(SCHEMA)))
        connection.execute(TABLE)
        missing = _missing(connection)
        for one in missing:
            connection.execute(one.text)
            connection.execute(
                "INSERT INTO migrations (number, step, name) VALUES (%s, %s, %s)", (one.number, one.step, one.name)
            )
        # an owner that serves too must not take its own rights back
        if application_role not in (None, _value(connection, "SELECT current_user")):
            connection.execute(grants(application_role).encode())
    return [f"{one.number:04} {one.name}" for one in missing]


def grants(application_role: str) -> str:
    """The rights of the application's role, as SQL for a connection that looks into the schema."""
    text = files(f"{__package__}.migrations").joinpath("grants.sql").read_text()
    return text.replace("{role}", sql.Identifier(application_role).as_string())


def printed_grants(application_role: str) -> str:
    """The same for any connection of the owner, all or nothing."""
    role = sql.Literal(application_role).as_string()
    return _PRINTED.format(schema=SCHEMA, refusal=_NOT_THE_OWNER.format(role=role), grants=grants(application_role))


def holds_log(connection: Connection[Values]) -> bool:
    """Whether a Daybook was ever migrated into this database. Raises GrantsMissing if this role may not look at it."""
    found = connection.execute(_FOUND, (SCHEMA,)).fetchone()
    if found is None:
        return False
    readable, role = found
    if not readable:
        raise GrantsMissing(role)
    return True


def require_migrated(connection: Connection[Values]) -> None:
    """Raises NotMigrated unless every *pre* step has been applied, GrantsMissing if this role may not see it."""
    if not holds_log(connection):
        raise NoLog(_listed(migrations()))
    if missing := [one for one in _missing(connection) if one.step is Phase.PRE]:
        raise NotMigrated(_listed(missing))


def newer_steps(connection: Connection[Values]) -> list[str]:
    """The steps that a newer release has applied, and with which this one works. Raises NewerRelease if it does not."""
    known = {one.number for one in migrations()}
    newer = [
        (Phase(step), f"{number:04} {name}")
        for number, step, name in connection.execute("SELECT number, step, name FROM migrations ORDER BY number")
        if number not in known
    ]
    if any(step is Phase.POST for step, _ in newer):
        raise NewerRelease(", ".join(name for _, name in newer))
    return [name for _, name in newer]


def _holders(connection: Connection[Values]) -> str:
    found = connection.execute(_HOLDERS, (SCHEMA,)).fetchall()
    return ", ".join(f"pid {pid} ({name})" if name else f"pid {pid}" for pid, name in found)


def _listed(missing: list[Migration]) -> str:
    return ", ".join(f"{one.number:04} {one.name}" for one in missing)


def _value(connection: Connection[Values], question: LiteralString) -> Any:
    row = connection.execute(question).fetchone()
    return None if row is None else row[0]


def _missing(connection: Connection[Values]) -> list[Migration]:
    newer_steps(connection)
    applied = {row[0] for row in connection.execute("SELECT number FROM migrations")}
    return [one for one in migrations() if one.number not in applied]


def _read() -> Iterator[Migration]:
    for file in files(f"{__package__}.migrations").iterdir():
        if found := _NAME.fullmatch(file.name):
            yield Migration(int(found[1]), Phase(found[2]), found[3].replace("_", " "), file.read_bytes())
