"""What is asked of session_list costs what a person's living sessions cost, however many there were: all by an index.

Of twenty thousand sessions a thousand are one person's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.session import Seen
from domain.store.connections import Statements, Values
from projections.lists.session_list import (
    LIVE_SESSION,
    LIVE_SESSIONS,
    SessionLookups,
    was_replaced,
)
from tests.databases import Database
from tests.people import NOON
from tests.projections.plans import Overheard, overheard, require_little
from tests.session_lists import sessions_of

SESSIONS = 20_000
LIVING = 20
BUSY, QUIET = UUID(int=1), UUID(int=2 + 7)
SEEN = Seen(
    ip_address="192.0.2.1", user_agent=None, at=NOON - timedelta(seconds=20), started_at=NOON - timedelta(seconds=20)
)
FEW = 4 * LIVING
"""Rows: those that live, and as many once more for each way in which a session may be over and nobody noted it."""
OF_THE_BUSY, OF_THE_QUIET, OVER = (UUID(int=2**64 + number) for number in (20, 7, 4_000))

_PERSON = "lpad(to_hex({}), 32, '0')::uuid"
_SESSION = "('00000000-0000-0001-0000-' || lpad(to_hex(n), 12, '0'))::uuid"
_FILL = (
    f"""
    INSERT INTO account_list (user_id, version, email_hash, session_epoch, created_at, updated_at)
    SELECT {_PERSON.format("n")}, 1, '', 1, now(), now() FROM generate_series(1, 10001) n
    """,
    f"""
    INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
    SELECT gen_random_uuid(), 1, {_PERSON.format("n")}, {_PERSON.format("n")}, {_PERSON.format("n")}, 'owner', now()
      FROM generate_series(1, 10001) n
    """,
    f"""
    INSERT INTO organization_list (organization_id, version, slug, created_at)
    SELECT {_PERSON.format("n")}, 1, n::text, now() FROM generate_series(1, 10001) n
    """,
    # of the busy one's twenty live, twenty were ended with all others, twenty have run out, the rest were ended;
    # of each of the others' the last one lives
    f"""
    INSERT INTO session_list (session_id, version, user_id, token_hash, way, epoch, organization_id, ip_address,
                              created_at, updated_at, authenticated_at, expires_at, ended_at, end_reason)
    SELECT {_SESSION}, 1, {_PERSON.format("who")}, sha256(n::text::bytea), 'password',
           CASE WHEN nth BETWEEN 21 AND 40 THEN 0 ELSE 1 END, {_PERSON.format("who")}, '192.0.2.1', at, at, at,
           at + CASE WHEN nth BETWEEN 41 AND 60 THEN -1 ELSE 7 END * interval '1 day',
           CASE WHEN over THEN at END, CASE WHEN over THEN 'signed_out' END
      FROM (SELECT *, CASE WHEN who = 1 THEN nth > 60 ELSE n > 1200 END AS over
              FROM (SELECT n, CASE WHEN mod(n, 20) = 0 THEN 1 ELSE 2 + mod(n, 1200) END AS who,
                           CASE WHEN mod(n, 20) = 0 THEN n / 20 ELSE 0 END AS nth,
                           timestamptz '2026-03-14 12:00Z' - n * interval '1 second' AS at
                      FROM generate_series(1, 20000) n) numbered) made
    """,
    "INSERT INTO last_active SELECT session_id, updated_at FROM session_list",
    "INSERT INTO last_active SELECT gen_random_uuid(), now() FROM generate_series(1, 80000)",
    "ANALYZE account_list, member_list, organization_list, session_list, last_active",
)


Question = Callable[[Statements], Any]


def secrets(*numbers: int) -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in numbers]


def listed(user_id: UUID, limit: int | None, offset: int) -> Question:
    return lambda read: len(
        sessions_of(read, user_id, first=OF_THE_BUSY, now=NOON, started_after=None, limit=limit, offset=offset)
    )


def found(user_id: UUID, session_id: UUID | None, secret: int) -> Question:
    [hashed] = secrets(secret)
    return lambda read: SessionLookups(read).live_session(user_id, session_id=session_id, token_hash=hashed)


QUESTIONS: dict[str, tuple[Question, Any]] = {
    "the busy's list": (listed(BUSY, None, 0), LIVING),
    "a page of it": (listed(BUSY, 10, 0), 10),
    "its last page": (listed(BUSY, 10, 15), 5),
    "the quiet's list": (listed(QUIET, None, 0), 1),
    "whom room is made by": (
        lambda read: len(SessionLookups(read).oldest_sessions(BUSY, keep=10, now=NOON, started_after=None)),
        LIVING - 10,
    ),
    "which of one's own an id is": (found(BUSY, OF_THE_BUSY, 0), OF_THE_BUSY),
    "which of one's own a secret is": (found(BUSY, None, 20), OF_THE_BUSY),
    "an id that is another's": (found(BUSY, OF_THE_QUIET, 0), None),
    "one that is over": (found(BUSY, OVER, 0), None),
    "where one was seen last": (lambda read: SessionLookups(read).last_seen(OF_THE_BUSY), SEEN),
    "whether one was replaced": (lambda read: was_replaced(read, secrets(1, 2, 3)), False),
    "whose they are": (
        lambda read: sorted(
            one.user_id for one in LIVE_SESSION.read_all(read.rows(LIVE_SESSIONS, secrets(20, 7, 4_000)))
        ),
        [BUSY, QUIET],
    ),
}


@pytest.fixture(scope="module")
def read(module_database: Database) -> Iterator[Overheard]:
    with overheard(module_database, _FILL) as read:
        yield read


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_among_twenty_thousand_no_query_reads_much_more_than_what_lives(
    read: Overheard, explaining: psycopg.Connection[Values], question: str, mode: str
) -> None:
    assert read.rows("SELECT count(*), count(*) FILTER (WHERE user_id = $1) FROM session_list", BUSY) == [
        (SESSIONS, 1_000)
    ]
    read.heard.clear()
    ask, expected = QUESTIONS[question]
    assert ask(read) == expected
    [(text, values)] = read.heard
    require_little(explaining, text, values, mode, few=FEW)
