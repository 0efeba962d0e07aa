"""What an act weighs: bytes of tables and indexes, and of write-ahead log, for a sign-up, a sign-in, a renewal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from cluster import Cluster, store

from domain.commands.context import Context
from domain.commands.session import sign_in, sign_out, use_session
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.passwords import Argon2Parameters, Passwords
from domain.session import Lifetimes
from domain.store.envelope import WhereFrom
from projections.lookups import ListLookups
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import NOON, PASSWORD

_RENEWALS = 4
_SIZES = """
SELECT relname::text, pg_total_relation_size(c.oid) FROM pg_class c
 WHERE relnamespace = 'daybook'::regnamespace AND relkind = 'r'
"""
_HERE = WhereFrom(
    "203.0.113.9",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
    " Safari/537.36",
)

Tell = Callable[[str, int, int], None]


def measured(cluster: Cluster, events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Bytes an act, by table; `events` says how many people there are: one for a thousand, 500 to 5,000."""
    people, found = min(5_000, max(500, events // 1_000)), dict[str, Any]()
    with cluster.database("bench_growth") as database, context_over(database) as context:
        # hashing would take nearly all of the time, and weighs nothing
        for number in range(50):
            _sign_up(context, f"warm{number}")
        for name, times, act in _acts(context, database, people):
            before = _weighed(database)
            for done in range(times):
                act(done)
                tell(name, done + 1, times)
            after = _weighed(database)
            tables = {table: (after[table] - before[table]) / times for table in after}
            wal = tables.pop("write-ahead log")
            listed = {table: round(size) for table, size in sorted(tables.items(), key=_heaviest) if size > 5}
            found[name] = {"bytes": round(sum(tables.values())), "writeAheadLog": round(wal), "tables": listed}
    return found


def _acts(context: Context, database: Database, people: int) -> Iterator[tuple[str, int, Callable[[int], object]]]:
    yield "sign-up", people, lambda number: _sign_up(context, f"person{number}")
    yield "sign-in", people, lambda number: _sign_in(context, f"person{number}")
    found = database.rows("SELECT session_id FROM session_list ORDER BY session_id LIMIT %s", people)
    sessions = [session_id for [session_id] in found]
    yield "renewal", _RENEWALS * people, lambda number: _renew(context, sessions[number % people], 1 + number // people)
    at = NOON + timedelta(days=_RENEWALS + 1)
    yield "sign-out", people, lambda number: sign_out(context, session_id=sessions[number], now=at, where_from=_HERE)


def _sign_up(context: Context, name: str) -> None:
    sign_up(
        context, email=f"{name}@example.com", name="Ada Lovelace", image=None, password=PASSWORD, remembered=True,
        now=NOON, where_from=_HERE,
    )  # fmt: skip


def _sign_in(context: Context, name: str) -> None:
    verified = verified_account(context, email=f"{name}@example.com", password=PASSWORD, now=NOON)
    sign_in(context, verified, remembered=True, now=NOON, where_from=_HERE)


def _renew(context: Context, session_id: UUID, day: int) -> None:
    # an hour more each day, so that the refresh window has always passed
    at = NOON + timedelta(days=day, hours=day)
    renewed = use_session(context, session_id=session_id, extending=True, reading=True, now=at, where_from=_HERE)
    assert renewed, "it is due"


def _weighed(database: Database) -> dict[str, float]:
    """Bytes of each table with its indexes, vacuumed, once the log and its followers have all; and of log written."""
    caught_up(database)
    database.rows("VACUUM")
    position = float(database.value("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    return {**dict(database.rows(_SIZES)), "write-ahead log": position}


def _heaviest(pair: tuple[str, float]) -> float:
    return -pair[1]


@contextmanager
def context_over(database: Database) -> Iterator[Context]:
    """What commands work with; hashing costs next to nothing."""
    passwords = Passwords(replace(Argon2Parameters(), memory=8, time=1), threads=1, waiting=16)
    with store(database, connections=4) as opened:
        yield Context(
            store=opened,
            lookups=ListLookups(opened.statements),
            keyring=opened.keyring,
            passwords=passwords,
            lifetimes=Lifetimes(),
        )
    passwords.close()
