"""How the database goes about a query: whether by an index, and how many rows it touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from domain.store.connections import Statements, Values, open_pool
from tests.databases import Database

INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}


class Overheard(Statements):
    """Remembers what is asked."""

    def __init__(self, database: Database) -> None:
        self._connections = open_pool(database.application_url, size=2, name="tests")
        self.heard: list[tuple[str, Values]] = []
        super().__init__(self._connections)

    def rows(self, sql: str, *values: Any, binary: bool = False) -> list[Values]:
        self.heard.append((sql, values))
        return super().rows(sql, *values, binary=binary)

    def close(self) -> None:
        self._connections.close()


@contextmanager
def overheard(database: Database, fill: Iterable[LiteralString] = ()) -> Iterator[Overheard]:
    """After these statements."""
    for statement in fill:
        database.rows(statement)
    read = Overheard(database)
    try:
        yield read
    finally:
        read.close()


def plan_of(connection: psycopg.Connection[Values], text: str, values: Values, mode: str) -> dict[str, Any]:
    """How the database went about a prepared statement, with what it counted."""
    given = sql.SQL(", ").join(map(sql.Literal, values))
    connection.execute(f"SET plan_cache_mode = {mode}".encode())
    connection.execute(f"PREPARE asked AS {text}".encode())
    explained = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE asked ({})").format(given)
    [[answer]] = connection.execute(explained).fetchall()
    connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = answer[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was done; what the plan had ready and did not need is left out."""
    if plan["Actual Loops"]:
        yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def read_rows(node: dict[str, Any]) -> float:
    """Rows a scan touched, also those it threw away."""
    thrown_away = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return float((node["Actual Rows"] + thrown_away) * node["Actual Loops"])


def require_little(connection: psycopg.Connection[Values], text: str, values: Values, mode: str, *, few: int) -> None:
    """Every table is read by an index, and few rows of it."""
    scans = [node for node in nodes(plan_of(connection, text, values, mode)) if "Relation Name" in node]
    assert scans
    for node in scans:
        assert node["Node Type"] in INDEXED, (node["Node Type"], node["Relation Name"])
        assert read_rows(node) <= few, (node["Node Type"], node["Relation Name"])
