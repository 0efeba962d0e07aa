"""Migrations: numbered SQL, each applied once, in *pre* steps (before the new code) and *post* steps (after it)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

import psycopg
from psycopg import Connection, sql

from .connections import SCHEMA, Values

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


class Step(StrEnum):
    """Pre steps work with the old and the new code; post steps take away what only the old code needed."""

    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    number: int
    step: Step
    name: str
    text: bytes


class NotMigrated(Exception):
    """The database lacks migrations this release needs; the message names them."""


def migrations() -> list[Migration]:
    """All migrations there are, in their order."""
    return sorted(_read(), key=lambda migration: migration.number)


def migrate(connection: Connection[Values], *, application_role: str | None) -> list[str]:
    """Apply what is missing, as the role that owns the tables; the names of what was applied.

    All in one transaction under a lock, so that nodes starting together wait for one another. `application_role` gets
    the rights it needs and no others; None if the owner itself serves.
    """
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
        if application_role is not None:
            connection.execute(grants(application_role).encode())
    return [f"{one.number:04} {one.name}" for one in missing]


def grants(application_role: str) -> str:
    """The rights of the application's role, as SQL."""
    text = files(f"{__package__}.migrations").joinpath("grants.sql").read_text()
    return text.replace("{role}", sql.Identifier(application_role).as_string())


def require_migrated(connection: Connection[Values]) -> None:
    """Raises NotMigrated unless every *pre* step has been applied."""
    try:
        missing = [one for one in _missing(connection) if one.step is Step.PRE]
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        missing = migrations()
    if missing:
        raise NotMigrated(", ".join(f"{one.number:04} {one.name}" for one in missing))


def _missing(connection: Connection[Values]) -> list[Migration]:
    applied = {row[0] for row in connection.execute("SELECT number FROM migrations")}
    return [one for one in migrations() if one.number not in applied]


def _read() -> Iterator[Migration]:
    for file in files(f"{__package__}.migrations").iterdir():
        if found := _NAME.fullmatch(file.name):
            yield Migration(int(found[1]), Step(found[2]), found[3].replace("_", " "), file.read_bytes())
