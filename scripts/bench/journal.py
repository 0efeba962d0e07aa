"""Pages of a big journal: one organization's with half of all entries, one person's with a quarter (`journal.sql`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from cluster import Cluster, store

from domain.store import Store
from domain.store.connections import connection_arguments
from projections.places import Places
from projections.trails import activity
from projections.trails.activity import Page, Selection
from projections.trails.cursor import Cursor
from projections.trails.names import Reader
from projections.trails.narrator import Narrator

# as in journal.sql
ORGANIZATION, PERSON, ACTOR = UUID(int=1), UUID(int=2), UUID(int=3)
_TIMES = 15

Tell = Callable[[str, int, int], None]


def measured(cluster: Cluster, events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds (median) of pages of fifty, told and all, and entries a second of an export."""
    with cluster.database("bench_journal") as database, store(database, connections=2) as opened:
        with psycopg.connect(database.owner_url, **connection_arguments("bench")) as connection:
            connection.execute("SET statement_timeout = 0")
            statements = Path(__file__).with_suffix(".sql").read_text().split(";\n")
            for done, statement in enumerate(statements):
                connection.execute(statement.replace(":events", str(events)).encode())
                tell("journal", done + 1, len(statements))
        return {"entries": events, "milliseconds": _pages(opened, events, tell), "export": _export(opened)}


def _pages(opened: Store, events: int, tell: Tell) -> dict[str, float]:
    middle = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=10 * events / 2)
    early = {"since": middle - timedelta(days=30), "until": middle}
    deep, read = Cursor(events // 10), opened.statements
    person = partial(activity.of_a_person, read, opened.keyring, PERSON, limit=50)
    pages: dict[str, Callable[[], Page]] = {
        "person, first page": partial(person, before=Cursor.of("")),
        "person, deep page": partial(person, before=deep),
        "person, one type": partial(person, before=Cursor.of(""), event="SessionStarted"),
        "organization, first page": lambda: _of(opened, Cursor.of("")),
        "organization, deep page": lambda: _of(opened, deep),
        "organization, one actor": lambda: _of(opened, Cursor.of(""), actor_id=ACTOR),
        "organization, one type, none of it": lambda: _of(opened, Cursor.of(""), event="SessionEnded"),
        "organization, a month long ago": lambda: _of(opened, Cursor.of(""), **early),
    }
    found = {}
    for number, (name, page) in enumerate(pages.items()):
        found[name] = _milliseconds(opened, page)
        tell("pages", number + 1, len(pages))
    return found


def _of(opened: Store, before: Cursor, **chosen: Any) -> Page:
    selection = Selection(organization_id=ORGANIZATION, **chosen)
    return activity.of_an_organization(opened.statements, selection, before=before, limit=50)


def _milliseconds(opened: Store, page: Callable[[], Page]) -> float:
    places, took = Places(), []
    for _ in range(_TIMES):
        began = time.perf_counter()
        Narrator(opened, places, page().entries, reader=Reader(user_id=PERSON)).rendered()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def _export(opened: Store) -> dict[str, float]:
    """The first hundred thousand entries of the organization, told, five hundred at a time."""
    places, before, entries, began = Places(), Cursor.of(""), 0, time.perf_counter()
    while entries < 100_000:
        selection = Selection(organization_id=ORGANIZATION)
        page = activity.of_an_organization(opened.statements, selection, before=before, limit=500)
        entries += len(Narrator(opened, places, page.entries, reader=Reader(organization_id=ORGANIZATION)).rendered())
        if page.next_cursor is None:
            break
        before = Cursor.of(page.next_cursor)
    seconds = time.perf_counter() - began
    return {"entries": entries, "seconds": seconds, "rate": entries / seconds}
