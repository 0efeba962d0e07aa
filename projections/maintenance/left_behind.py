"""What a rebuild left: the tables that were in use before show who was erased since, and no erasure reaches them."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection

from domain.store.connections import Values
from domain.store.rows import Table
from projections.lists import account_list
from projections.lists.of_a_person import EMPTIED

from .finding import Finding
from .generation import BEFORE

RULE = "no table that a rebuild left shows who was erased: drop them (daybook rebuild --drop-before)"
# only the role that owns them may look: whoever else verifies sees the tables in use
_THERE = """
SELECT EXISTS (SELECT FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
                WHERE n.nspname = %s AND c.relname = %s AND has_schema_privilege(n.oid, 'USAGE'))
"""
_SHOWING = """
SELECT count(*), min(r.{key}::text) FROM {before}.{table} r
 WHERE ({shown}) AND EXISTS (SELECT FROM subject_keys k WHERE k.subject_id IN ({whose}) AND k.wrapped IS NULL)
"""


def left_behind(connection: Connection[Values]) -> Iterator[Finding]:
    """A finding for each of them that does."""
    for table, columns in ((account_list.TABLE, account_list.PERSONAL), *((one.table, one.columns) for one in EMPTIED)):
        if connection.execute(_THERE, (BEFORE, table.name)).fetchone() == (True,):
            [(times, first)] = connection.execute(_showing(table, columns).encode()).fetchall()
            if times:
                yield Finding(RULE, times, f"{table.name} {first}")


def _showing(table: Table, columns: tuple[str, ...]) -> str:
    shown = " OR ".join(f"r.{column} IS NOT NULL" for column in columns)
    whose = ", ".join(f"r.{column}" for column in dict.fromkeys([table.key, *({"user_id"} & set(table.types))]))
    return _SHOWING.format(key=table.key, before=BEFORE, table=table.name, shown=shown, whose=whose)
