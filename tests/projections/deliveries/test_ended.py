"""What became of deliveries: seen by who watches, tried again by the operator, forgotten in time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.store.connections import Statements
from projections.deliveries.due import INVITATION, KINDS
from projections.deliveries.ended import (
    DeliveryCondition,
    delivery_condition,
    drop_unsent,
    forget,
    given_up,
    leaving,
    retry,
    retry_all,
)
from tests.databases import Database
from tests.inviting import Acme

MAKE = """
INSERT INTO deliveries (kind, stream_id, version, state, attempts, first_due_at, due_at, reason, ended_at)
VALUES ('invitation', %s, 1, %s, 5, clock_timestamp() - %s::interval, clock_timestamp() - %s::interval, %s,
        CASE WHEN %s <> 'waiting' THEN clock_timestamp() - %s::interval END)
"""


@pytest.fixture
def statements(acme: Acme) -> Statements:
    return acme.context.store.statements


def made(database: Database, number: int, state: str, ago: str, reason: str | None = None) -> UUID:
    """A delivery that became what it is so long ago."""
    stream_id = UUID(int=number)
    database.rows(MAKE, stream_id, state, ago, ago, reason, state, ago)
    return stream_id


def left(database: Database) -> list[Any]:
    return [stream_id.int for (stream_id,) in database.rows("SELECT stream_id FROM deliveries ORDER BY stream_id")]


def test_what_was_given_up_is_listed_longest_ago_first_with_why(statements: Statements, database: Database) -> None:
    made(database, 1, "given_up", "1 hour", "ENOSPC")
    made(database, 2, "given_up", "2 hours", "EACCES")
    made(database, 3, "sent", "3 hours")
    found = given_up(statements, limit=10)
    assert [(one.name, one.attempts, one.reason) for one in found] == [
        ("invitation.00000000000000000000000000000002.1", 5, "EACCES"),
        ("invitation.00000000000000000000000000000001.1", 5, "ENOSPC"),
    ]
    assert len(given_up(statements, limit=1)) == 1


def test_what_is_retried_is_as_if_it_had_just_become_due(statements: Statements, database: Database) -> None:
    stream_id = made(database, 1, "given_up", "80 days", "ENOSPC")
    assert retry(statements, "invitation", stream_id, 1)
    [row] = database.rows(
        "SELECT state, attempts, reason, ended_at, due_at <= clock_timestamp(),"
        "       first_due_at > clock_timestamp() - interval '1 minute' FROM deliveries"
    )
    assert row == ("waiting", 0, None, None, True, True)


@pytest.mark.parametrize("state", ["waiting", "sent", "dropped"])
def test_only_what_was_given_up_is_retried(statements: Statements, database: Database, state: str) -> None:
    stream_id = made(database, 1, state, "1 hour")
    before = database.rows("SELECT * FROM deliveries")
    assert not retry(statements, "invitation", stream_id, 1)
    assert not retry(statements, "invitation", UUID(int=9), 1)
    assert retry_all(statements) == 0
    assert database.rows("SELECT * FROM deliveries") == before


def test_all_that_was_given_up_is_retried_at_once(statements: Statements, database: Database) -> None:
    for number in range(1, 4):
        made(database, number, "given_up", "1 hour", "ENOSPC")
    made(database, 4, "dropped", "1 hour", "expired")
    assert retry_all(statements) == 3
    states = database.rows("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state")
    assert states == [("dropped", 1), ("waiting", 3)]


def test_what_was_sent_or_dropped_is_forgotten_after_a_week_and_what_was_given_up_after_ninety_days(
    statements: Statements, database: Database
) -> None:
    made(database, 1, "sent", "8 days")
    made(database, 2, "sent", "6 days")
    made(database, 3, "dropped", "8 days", "expired")
    made(database, 4, "dropped", "6 days", "expired")
    made(database, 5, "given_up", "91 days", "ENOSPC")
    made(database, 6, "given_up", "89 days", "ENOSPC")
    made(database, 7, "waiting", "900 days")
    assert forget(statements) == 3
    assert left(database) == [2, 4, 6, 7]


def test_what_nobody_has_sent_for_three_days_is_dropped_where_nobody_sends_it(
    statements: Statements, database: Database
) -> None:
    made(database, 1, "waiting", "73 hours")
    made(database, 2, "waiting", "71 hours")
    made(database, 3, "given_up", "73 hours", "ENOSPC")
    assert drop_unsent(statements, ["invitation"]) == 0
    assert drop_unsent(statements, []) == 1
    assert database.rows("SELECT stream_id, state, reason FROM deliveries ORDER BY stream_id") == [
        (UUID(int=1), "dropped", "no transport"),
        (UUID(int=2), "waiting", None),
        (UUID(int=3), "given_up", "ENOSPC"),
    ]


def test_of_a_sign_in_days_ago_nothing_is_listed_to_be_told_now(statements: Statements, database: Database) -> None:
    made(database, 1, "waiting", "73 hours")
    database.rows("UPDATE deliveries SET kind = 'new-device'")
    assert drop_unsent(statements, []) == 1
    assert database.rows("SELECT state, reason FROM deliveries") == [("dropped", "too late")]
    assert given_up(statements, limit=10) == []


@pytest.mark.parametrize(
    ("waiting", "sent", "told"),
    [([], [], (0, None)), (["10 min", "2 min"], [], (600, None)), (["10 min"], ["8 min", "6 min"], (600, 360))],
)
def test_whether_mail_leaves_is_for_how_long_one_waits_and_since_when_none_was_sent(
    statements: Statements, database: Database, waiting: list[str], sent: list[str], told: tuple[float, float | None]
) -> None:
    for number, (state, ago) in enumerate([("waiting", one) for one in waiting] + [("sent", one) for one in sent], 1):
        made(database, number, state, ago)
    now = leaving(statements, ["invitation"])
    assert now.seconds_waiting == pytest.approx(told[0], abs=30)
    assert (now.seconds_since_sent or 0) == pytest.approx(told[1] or 0, abs=30)
    assert (now.seconds_since_sent is None) == (told[1] is None)
    assert leaving(statements, ["new-device"]).seconds_waiting == 0


@pytest.mark.parametrize(
    ("given_up", "sent", "lately"),
    [
        ([], [], 0),
        (["10 min", "2 min"], [], 2),
        (["10 min", "5 min", "4 min", "3 min"], [], 3),
        (["62 min", "61 min", "2 min"], [], 1),
        (["10 min", "5 min", "2 min"], ["70 min", "4 min"], 1),
    ],
)
def test_whether_all_is_given_up_is_how_many_were_in_the_last_hour_since_one_left(
    statements: Statements, database: Database, given_up: list[str], sent: list[str], lately: int
) -> None:
    for number, (state, ago) in enumerate([("given_up", one) for one in given_up] + [("sent", one) for one in sent], 1):
        made(database, number, state, ago, "SMTP 554 at DATA" if state == "given_up" else None)
    assert leaving(statements, ["invitation"]).lately_given_up == lately
    assert leaving(statements, ["new-device"]).lately_given_up == 0


def of_invitations(statements: Statements) -> DeliveryCondition:
    """The condition of their kind; nothing of another is there."""
    [condition] = [one for one in delivery_condition(statements) if one.kind == INVITATION]
    return condition


def test_the_condition_counts_what_waits_and_what_was_given_up(statements: Statements, database: Database) -> None:
    assert delivery_condition(statements) == [DeliveryCondition(kind, 0, 0.0, 0) for kind in sorted(KINDS)]
    made(database, 1, "waiting", "100 seconds")
    database.rows("UPDATE deliveries SET due_at = clock_timestamp() + interval '1 hour'")
    made(database, 2, "waiting", "10 seconds")
    made(database, 3, "given_up", "1 hour", "ENOSPC")
    made(database, 4, "sent", "1 hour")
    condition = of_invitations(statements)
    assert (condition.waiting, condition.given_up) == (2, 1)
    assert 100 <= condition.seconds_waiting < 130


def test_what_became_due_by_a_clock_that_went_back_is_seen_to_wait(statements: Statements, database: Database) -> None:
    made(database, 1, "waiting", "-6 hours")
    condition = of_invitations(statements)
    assert 21_500 < condition.seconds_waiting <= 21_600
    made(database, 2, "waiting", "7 hours")
    condition = of_invitations(statements)
    assert 25_200 <= condition.seconds_waiting < 25_300


def test_what_no_node_seemed_to_send_is_listed_and_tried_again_by_whoever_says_so(
    statements: Statements, database: Database
) -> None:
    """As after a clock that was days ahead for a moment."""
    for number in (1, 2, 3):
        made(database, number, "waiting", "73 hours")
    assert drop_unsent(statements, []) == 3
    made(database, 4, "dropped", "1 hour", "expired")
    [first, *_] = given_up(statements, limit=10)
    assert (len(given_up(statements, limit=10)), first.reason) == (3, "no transport")
    assert retry(statements, "invitation", UUID(int=1), 1)
    assert retry_all(statements) == 2
    states = database.rows("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state")
    assert states == [("dropped", 1), ("waiting", 3)]
    assert drop_unsent(statements, []) == 0
