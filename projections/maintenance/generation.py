"""Generations of a read table: the next one is filled beside the one in use, and the one before is kept for a while.

Each lives in a schema of its own under the same names, made by the migrations themselves: to copy a table's structure
would rename its constraints, which are what refusals are told apart by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from psycopg import Connection, sql

import domain
import projections
from domain.store.connections import SCHEMA, Values
from domain.store.log import BEFORE_THE_FIRST, head
from domain.store.migrate import migrations
from domain.store.select_list import SelectList
from domain.store.streams import FIRST

NEXT, BEFORE = "daybook_next", "daybook_before"
_SCRATCH = "daybook_scratch"

_PROGRESS = """
CREATE TABLE IF NOT EXISTS daybook_next.progress (
    table_name text    PRIMARY KEY,
    release    text    NOT NULL,
    snapshot   bigint  NOT NULL,
    through    uuid    NOT NULL,
    position   bigint  NOT NULL,
    unmade     text[]  NOT NULL
)
"""
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY contype DESC, conname
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


_RIGHTS = """
SELECT format('GRANT %%s ON %%s.%%I TO %%s%%s', privilege_type, %(schema)s::text, %(table)s::text,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_class, aclexplode(relacl) WHERE oid = %(table)s::text::regclass AND grantee <> relowner
"""
_NO_MIGRATION = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended('daybook migrations', 0))"


class OtherRelease(Exception):
    """The tables of the database are not those of this release, or not any more; the message is a sentence."""


class Migrating(Exception):
    """Another node is migrating the database."""


@dataclass(slots=True)
class Generation:
    """The next generation of a table, and how far it is.

    A list is first filled with all streams in the order of their ids, up to `through`, each as it stands when its turn
    comes; then it follows the log from `snapshot` on, where the log was when the filling began. A trail follows the log
    from the start. Everything up to `position` is in it. `unmade` are the constraints and indexes that come last.
    """

    table: str
    release: str
    snapshot: int
    through: UUID
    position: int
    unmade: list[str]

    def save(self, connection: Connection[Values]) -> None:
        """Write down how far it is, in the transaction of the rows it speaks of."""
        connection.execute(
            "UPDATE daybook_next.progress SET through = %s, position = %s, unmade = %s WHERE table_name = %s",
            (self.through, self.position, self.unmade, self.table),
        )


_GENERATION = SelectList(
    Generation,
    table="table_name",
    release="release",
    snapshot="snapshot",
    through="through",
    position="position",
    unmade="unmade",
)
_SAVED = f"SELECT {_GENERATION.sql} FROM daybook_next.progress WHERE table_name = %s"


def next_generation(connection: Connection[Values], table: str, *, anew: bool) -> Generation:
    """The generation that is being filled, of this release, or a new and empty one; `anew` throws the former away.

    Raises OtherRelease.
    """
    with connection.transaction():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {NEXT}")
        connection.execute(_PROGRESS)
        release, found = _release(connection), _saved(connection, table)
        if found is not None and found.release == release and not anew:
            return found
        forget(connection, table)
        return _begin(connection, table, release)


def saved(connection: Connection[Values], generation: Generation) -> Generation:
    """The generation as it was written down last, after work on it was undone. Raises OtherRelease."""
    found = _saved(connection, generation.table)
    if found is None or found.release != generation.release:
        raise OtherRelease("Another release works on this table: call again.")
    return found


def _saved(connection: Connection[Values], table: str) -> Generation | None:
    return _GENERATION.find(connection.execute(_SAVED.encode(), (table,)).fetchone())


def forget(connection: Connection[Values], table: str) -> None:
    """Throw the next generation away."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(NEXT, table)))
    connection.execute("DELETE FROM daybook_next.progress WHERE table_name = %s", (table,))


def _begin(connection: Connection[Values], table: str, release: str) -> Generation:
    snapshot, applied = head(connection), _applied(connection)
    # made by the migrations in a schema of its own, of which only this table is wanted
    connection.execute(f"DROP SCHEMA IF EXISTS {_SCRATCH} CASCADE")
    connection.execute(f"CREATE SCHEMA {_SCRATCH}")
    connection.execute(f"SET LOCAL search_path = {_SCRATCH}")
    for migration in migrations():
        if migration.number in applied:
            connection.execute(migration.text)
    made = sql.Identifier(_SCRATCH, table)
    connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(made, sql.Identifier(NEXT)))
    connection.execute(f"SET LOCAL search_path = {SCHEMA}")
    connection.execute(f"DROP SCHEMA {_SCRATCH} CASCADE")
    generation = Generation(table, release, snapshot, FIRST, BEFORE_THE_FIRST, _strip(connection, table))
    connection.execute(
        "INSERT INTO daybook_next.progress VALUES (%s, %s, %s, %s, %s, %s)",
        (table, release, snapshot, FIRST, BEFORE_THE_FIRST, generation.unmade),
    )
    return generation


def _strip(connection: Connection[Values], table: str) -> list[str]:
    """Take constraints and indexes from a table; the SQL that makes them, the primary key last, since it is made first.

    To make them once it is full costs a fraction. And streams read at different moments may hold one slot at a time:
    who freed it was read before, who took it afterwards. Only when all have caught up do the rules hold.
    """
    full = f"{NEXT}.{table}"
    constraints = connection.execute(_CONSTRAINTS, (full,)).fetchall()
    indexes = connection.execute(_INDEXES, (full,)).fetchall()
    for name, _ in constraints:
        connection.execute(f"ALTER TABLE {full} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    made = [f"ALTER TABLE {full} ADD CONSTRAINT {name} {text}" for name, text in constraints]
    return [*(text for _, text in indexes), *made]


def finish(connection: Connection[Values], generation: Generation) -> None:
    """Make the next constraint or index that is still to be made. Raises UniqueViolation before all have caught up."""
    with connection.transaction():
        connection.execute(generation.unmade[-1].encode())
        generation.unmade = generation.unmade[:-1]
        generation.save(connection)


def make_ready(connection: Connection[Values], table: str) -> None:
    """All that can be done before the switch, so that nobody waits for it."""
    # who may read and write the table in use may also the next one, whoever gave them the right
    for [grant] in connection.execute(_RIGHTS, {"schema": NEXT, "table": table}).fetchall():
        connection.execute(grant.encode())
    connection.execute(f"VACUUM (ANALYZE) {NEXT}.{table}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {BEFORE}")
    drop_before(connection, table)


def switch(connection: Connection[Values], generation: Generation) -> None:
    """Put the next generation in the place of the one in use, which is kept as the one before. In a transaction.

    Raises Migrating or OtherRelease.
    """
    table = generation.table
    if connection.execute(_NO_MIGRATION).fetchone() != (True,):
        raise Migrating
    if _release(connection) != generation.release:
        raise OtherRelease("The database was migrated meanwhile: call again.")
    for schema, place in ((SCHEMA, BEFORE), (NEXT, SCHEMA)):
        moved, target = sql.Identifier(schema, table), sql.Identifier(place)
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(moved, target))
    connection.execute("DELETE FROM daybook_next.progress WHERE table_name = %s", (table,))
    connection.execute("DELETE FROM drift WHERE table_name = %s", (table,))


def drop_before(connection: Connection[Values], table: str) -> bool:
    """Drop the generation that was in use before; whether there was one."""
    [[there]] = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{BEFORE}.{table}",)).fetchall()
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(BEFORE, table)))
    return bool(there)


def _release(connection: Connection[Values]) -> str:
    """What a table is made by: its migrations, and the code that reads events and makes rows. Raises OtherRelease."""
    applied = _applied(connection)
    if applied - {one.number for one in migrations()}:
        raise OtherRelease("A newer release has migrated the database: use that one.")
    return f"{max(applied)} {_code()}"


def _applied(connection: Connection[Values]) -> set[int]:
    return {number for [number] in connection.execute("SELECT number FROM migrations").fetchall()}


@cache
def _code() -> str:
    digest = sha256()
    for package in (domain, projections):
        for file in sorted(Path(package.__path__[0]).rglob("*")):
            if file.suffix in (".py", ".sql"):
                digest.update(file.read_bytes())
    return digest.hexdigest()
