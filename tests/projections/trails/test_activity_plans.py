"""A page of the journal costs what a page costs, however long the journal is: every query goes by an index.

Half of fifty thousand entries are one person's in one organization, the rest are spread over a thousand others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.events.keys import Keyring
from domain.store.connections import Statements, Values
from projections.trails.activity import (
    ATTEMPT,
    OwnSelection,
    Selection,
    last_of_a_type,
    of_a_person,
    of_an_organization,
)
from projections.trails.cursor import Cursor
from tests.databases import Database
from tests.people import NOON
from tests.projections.plans import INDEXED, Overheard, nodes, overheard, plan_of, read_rows

ENTRIES = 50_000
CHUNK = 100
LIMIT = 50
BUSY, QUIET = UUID(int=1), UUID(int=0x3E8)
LARGE, SMALL = UUID(int=2**64 + 1), UUID(int=2**64 + 0x3E8)
LATE, DEEP = str(ENTRIES - 3), "700"
FEW = 1_600
"""Rows: a day's margin around a moment, and a page, at an entry a minute."""
MIDDLE = NOON + timedelta(minutes=ENTRIES // 2)

_FILL: tuple[Any, ...] = (
    """
    CREATE TEMP TABLE made AS
    SELECT n - 1 AS position, timestamptz '2026-03-14 12:00Z' + n * interval '1 minute' AS at,
           ('00000000-0000-0000-0001-' || lpad(to_hex(n), 12, '0'))::uuid AS stream_id,
           CASE WHEN mod(n, 2) = 0 THEN 1 ELSE 1 + mod(n / 2, 1000) END AS who,
           CASE WHEN mod(n, 100) = 0 THEN 'MemberJoined'
                WHEN mod(n, 3) = 0 THEN 'SessionRenewed' ELSE 'SessionStarted' END AS event
      FROM generate_series(1, 50000) n
    """,
    "INSERT INTO log (position, stream_id, version, recorded_at) SELECT position, stream_id, 1, at FROM made",
    """
    INSERT INTO journal (position, at, event, stream_id, version, command_id, actor_kind, actor_id, person_id,
                         organization_id)
    SELECT position, at, event, stream_id, 1, stream_id, 'user',
           lpad(to_hex(who), 32, '0')::uuid,
           lpad(to_hex(who), 32, '0')::uuid,
           ('00000000-0000-0001-' || lpad(to_hex(who / 65536), 4, '0') || '-' || lpad(to_hex(who), 12, '0'))::uuid
      FROM made
    """,
    """
    INSERT INTO attempts (key, family, after_position, person_id, command, code, times, first_at, last_at)
    SELECT sha256(n::text::bytea), '', mod(n * 10, 50000), lpad(to_hex(1 + mod(n, 2) * 999), 32, '0')::uuid,
           'sign_in', n::text, 1, now(), now()
      FROM generate_series(1, 10000) n
    """,
    """
    INSERT INTO organization_list (organization_id, version, created_at, ended_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 1, now(), CASE WHEN mod(n, 2) = 0 THEN now() END
      FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 1, lpad(to_hex(n), 32, '0')::uuid, who, who, 'member', now()
      FROM generate_series(1, 20000) n, lpad(to_hex(1 + n / 10), 32, '0') AS hex, CAST(hex AS uuid) AS who
    """,
    "ANALYZE log, journal, attempts, organization_list, member_list",
)

KEYRING = Keyring({1: b"a data key that opens nothing here"})
Question = Callable[[Statements], object]


def about_a_person(user_id: UUID, cursor: str, **only: Any) -> Question:
    selection = OwnSelection(**only)
    return lambda read: of_a_person(read, KEYRING, user_id, before=Cursor.of(cursor), limit=LIMIT, only=selection)


def about_an_organization(cursor: str, **only: Any) -> Question:
    return lambda read: of_an_organization(read, Selection(**only), before=Cursor.of(cursor), limit=LIMIT)


def of_a_type(user_id: UUID, event: str, before: int) -> Question:
    return lambda read: last_of_a_type(read, user_id, event, before=before, limit=CHUNK)


NARROWED: dict[str, dict[str, Any]] = {
    "all": {},
    "by actor": {"actor_id": BUSY},
    "by a stranger": {"actor_id": QUIET},
    "by type": {"event": "MemberJoined"},
    "by actor and type": {"actor_id": BUSY, "event": "SessionStarted"},
    "from": {"since": MIDDLE},
    "to": {"until": MIDDLE},
    "from and to": {"since": MIDDLE - timedelta(hours=2), "until": MIDDLE, "actor_id": BUSY},
    "long ago": {"until": NOON + timedelta(hours=1)},
}
OWN_NARROWED: dict[str, dict[str, Any]] = {
    "of days": {"since": MIDDLE - timedelta(hours=2), "until": MIDDLE},
    "of a type and days": {"event": "SessionStarted", "until": MIDDLE},
    "of before there was anything": {"until": NOON - timedelta(days=3)},
}
QUESTIONS: dict[str, Question] = (
    {
        f"{name} from {cursor or 'the head'}, {event}": about_a_person(user_id, cursor, event=event)
        for name, user_id in (("busy", BUSY), ("quiet", QUIET))
        for cursor in ("", LATE, f"{DEEP}.ff", DEEP)
        for event in (None, "SessionStarted", "MemberJoined", "OrganizationClosed", ATTEMPT)
    }
    | {
        f"{name} from {cursor or 'the head'}, {told}": about_a_person(user_id, cursor, **only)
        for name, user_id in (("busy", BUSY), ("quiet", QUIET))
        for cursor in ("", DEEP)
        for told, only in OWN_NARROWED.items()
    }
    | {
        f"{name} from {cursor or 'the head'}, {told}": about_an_organization(
            cursor, organization_id=organization_id, **only
        )
        for name, organization_id in (("large", LARGE), ("small", SMALL))
        for cursor in ("", LATE, DEEP)
        for told, only in NARROWED.items()
    }
)
QUESTIONS |= {
    f"the last {event} of the {name} before {before}": of_a_type(user_id, event, before)
    for name, user_id in (("busy", BUSY), ("quiet", QUIET))
    for event in ("SessionStarted", "SessionMoved")
    for before in (ENTRIES, int(DEEP))
}


@pytest.fixture(scope="module")
def read(module_database: Database) -> Iterator[Overheard]:
    with overheard(module_database, _FILL) as read:
        yield read


def test_there_is_a_long_journal(read: Overheard, module_database: Database) -> None:
    assert read.rows("SELECT count(*) FROM journal") == [(ENTRIES,)]
    for column, some in (("person_id", BUSY), ("actor_id", BUSY), ("organization_id", LARGE)):
        [[count]] = read.rows(f"SELECT count(*) FROM journal WHERE {column} = $1", some)
        assert ENTRIES / 2 <= count < ENTRIES * 0.51


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_no_query_reads_or_sorts_much_more_than_it_shows(
    read: Overheard, explaining: psycopg.Connection[Values], question: str, mode: str
) -> None:
    read.heard.clear()
    QUESTIONS[question](read)
    assert read.heard
    for text, values in read.heard:
        for node in nodes(plan_of(explaining, text, values, mode)):
            kind, table = node["Node Type"], node.get("Relation Name")
            assert table is None or kind in INDEXED, (kind, table, text)
            if kind not in INDEXED and table is None:
                assert node["Actual Rows"] * node["Actual Loops"] <= 2 * CHUNK, (kind, text)
            if table is not None:
                # a margin at either end of days
                assert read_rows(node) <= (2 * FEW if "days" in question else FEW), (kind, table, text)
