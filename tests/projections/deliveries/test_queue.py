"""Leases of deliveries: nobody's twice at once, everybody's again when they run out, by the database's clock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest

from domain.ids import new_id
from domain.store.connections import connection_arguments
from projections.deliveries.due import INVITATION
from projections.deliveries.queue import LONGEST_PAUSE, Delivery, Queue
from tests.databases import Database
from tests.inviting import Acme

DUE_IN = "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM deliveries"
RUN_OUT = "UPDATE deliveries SET due_at = clock_timestamp() - interval '1 second'"


@pytest.fixture
def queue(acme: Acme) -> Queue:
    return Queue(acme.context.store.statements)


def leased(queue: Queue, limit: int = 20) -> list[Delivery]:
    return queue.lease([INVITATION], lease=new_id(), limit=limit)


def test_what_is_leased_is_nobody_elses_for_a_minute(acme: Acme, queue: Queue, database: Database) -> None:
    invitation_id = acme.invites()
    [delivery] = leased(queue)
    assert (delivery.kind, delivery.stream_id, delivery.version) == ("invitation", invitation_id, 1)
    assert (delivery.attempts, delivery.superseded, 0 <= delivery.age < 60) == (1, False, True)
    assert leased(queue) == []
    assert 50 < database.value(DUE_IN) <= 60


def test_a_lease_that_ran_out_is_somebody_elses_to_take(acme: Acme, queue: Queue, database: Database) -> None:
    acme.invites()
    [first] = leased(queue)
    database.rows(RUN_OUT)
    [second] = leased(queue)
    assert (second[:3], second.attempts) == (first[:3], 2)
    assert second.lease != first.lease


LATE: dict[str, Callable[[Queue, Delivery], bool]] = {
    "renewed": lambda queue, late: queue.renew(late),
    "sent": lambda queue, late: queue.sent(late),
    "dropped": lambda queue, late: queue.dropped(late, "expired"),
    "given up": lambda queue, late: queue.give_up(late, "ENOENT"),
    "postponed": lambda queue, late: queue.postpone(late, pause=timedelta(hours=1), reason="ENOENT"),
    "let go of": lambda queue, late: queue.release(late),
}


@pytest.mark.parametrize("what", LATE)
def test_by_whoever_lost_the_lease_nothing_is_written(acme: Acme, queue: Queue, database: Database, what: str) -> None:
    acme.invites()
    [late] = leased(queue)
    database.rows(RUN_OUT)
    [taken] = leased(queue)
    before = database.rows("SELECT * FROM deliveries")
    assert LATE[what](queue, late) is False
    assert database.rows("SELECT * FROM deliveries") == before
    assert LATE[what](queue, taken) is True


def test_a_lease_that_ran_out_and_nobody_took_is_renewed(acme: Acme, queue: Queue, database: Database) -> None:
    acme.invites()
    [delivery] = leased(queue)
    database.rows(RUN_OUT)
    assert queue.renew(delivery)
    assert leased(queue) == []
    assert 50 < database.value(DUE_IN) <= 60


def test_what_was_sent_dropped_or_given_up_is_due_no_more(acme: Acme, queue: Queue, database: Database) -> None:
    for name in ("bo", "cy", "di"):
        acme.invites(f"{name}@example.com")
    sent, dropped, given_up = sorted(leased(queue), key=lambda one: one.stream_id)
    assert (queue.sent(sent), queue.dropped(dropped, "expired"), queue.give_up(given_up, "EACCES")) == (True,) * 3
    database.rows(RUN_OUT)
    assert leased(queue) == []
    assert acme.states() == [(1, "sent", None), (1, "dropped", "expired"), (1, "given_up", "EACCES")]


def test_what_was_postponed_is_due_after_the_pause(acme: Acme, queue: Queue, database: Database) -> None:
    acme.invites()
    [delivery] = leased(queue)
    assert queue.postpone(delivery, pause=timedelta(seconds=300), reason="ENOSPC")
    assert leased(queue) == []
    assert 290 < database.value(DUE_IN) <= 300
    assert acme.states() == [(1, "waiting", "ENOSPC")]
    database.rows(RUN_OUT)
    assert [one.attempts for one in leased(queue)] == [2]


def test_what_was_let_go_of_is_due_at_once_and_was_not_tried(acme: Acme, queue: Queue) -> None:
    acme.invites()
    [delivery] = leased(queue)
    assert queue.release(delivery)
    assert [one.attempts for one in leased(queue)] == [1]


def test_no_more_are_leased_than_asked_for_longest_due_first(acme: Acme, queue: Queue) -> None:
    invited = [acme.invites(f"person{number}@example.com") for number in range(5)]
    assert {one.stream_id for one in leased(queue, limit=2)} == set(invited[:2])
    assert {one.stream_id for one in leased(queue, limit=2)} == set(invited[2:4])
    assert {one.stream_id for one in leased(queue, limit=2)} == set(invited[4:])


def test_other_kinds_are_left_to_those_who_can_send_them(acme: Acme, queue: Queue) -> None:
    acme.invites()
    assert queue.lease(["webhook"], lease=new_id(), limit=20) == []
    assert queue.lease([], lease=new_id(), limit=20) == []
    assert len(queue.lease(["webhook", INVITATION], lease=new_id(), limit=20)) == 1


def test_a_later_sending_of_the_same_supersedes_the_one_before(acme: Acme, queue: Queue) -> None:
    acme.invites()
    acme.invites(resend=True)
    acme.invites("cy@example.com")
    assert sorted((one.version, one.superseded) for one in leased(queue)) == [(1, False), (1, True), (2, False)]


def test_many_who_lease_at_the_same_moment_share_without_overlap(acme: Acme, database: Database) -> None:
    database.rows(
        "INSERT INTO deliveries (kind, stream_id, version)"
        " SELECT 'invitation', gen_random_uuid(), 1 FROM generate_series(1, 400)"
    )
    barrier = Barrier(4)

    def lease_all(_: int) -> list[Delivery]:
        queue, mine = Queue(acme.context.store.statements), list[Delivery]()
        barrier.wait()
        while batch := leased(queue, limit=7):
            mine += batch
        return mine

    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(lease_all, range(4)))
    taken = [one.stream_id for share in shares for one in share]
    assert (len(taken), len(set(taken))) == (400, 400)
    assert database.value("SELECT max(attempts) FROM deliveries") == 1


def test_whoever_is_at_a_row_holds_up_nobody(acme: Acme, queue: Queue, database: Database) -> None:
    acme.invites()
    other = acme.invites("cy@example.com")
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner, owner.transaction():
        owner.execute("SELECT FROM deliveries WHERE stream_id <> %s FOR UPDATE", (other,))
        assert [one.stream_id for one in leased(queue)] == [other]


def test_to_look_for_what_is_due_reads_no_further_than_that(acme: Acme, database: Database) -> None:
    """A backlog that is due later, and what is long over, cost those who look nothing."""
    database.rows(
        "INSERT INTO deliveries (kind, stream_id, version, state, ended_at, due_at)"
        " SELECT 'invitation', gen_random_uuid(), 1, 'sent', now(), now() FROM generate_series(1, 5000) UNION ALL"
        " SELECT 'invitation', gen_random_uuid(), 1, 'waiting', NULL, now() + interval '1 hour'"
        "   FROM generate_series(1, 5000)"
    )
    database.rows("ANALYZE deliveries")
    plan = "\n".join(
        line
        for (line,) in database.rows(
            "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT kind FROM deliveries"
            " WHERE state = 'waiting' AND due_at <= statement_timestamp() AND kind = ANY(ARRAY['invitation'])"
            " ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED"
        )
    )
    assert "Index Scan using deliveries_due" in plan
    assert "Index Cond: (due_at <= statement_timestamp())" in plan
    assert "Removed by Filter" not in plan


def clock_went_back(database: Database, hours: int = 6) -> None:
    """What it amounts to: all that is written down lies ahead by so much."""
    database.rows(
        "UPDATE deliveries SET first_due_at = first_due_at + make_interval(hours => %s),"
        " due_at = due_at + make_interval(hours => %s)",
        hours, hours,
    )  # fmt: skip


def test_what_is_further_ahead_than_anything_is_put_off_is_due_now(
    acme: Acme, queue: Queue, database: Database
) -> None:
    acme.invites()
    acme.invites("cy@example.com")
    [first] = leased(queue, limit=1)
    clock_went_back(database)
    again = leased(queue)
    assert len(again) == 2
    assert all(0 <= one.age < 60 for one in again), "how long it waited from now on"
    assert (leased(queue), queue.sent(first)) == ([], False)
    assert [queue.sent(one) for one in again] == [True, True]


def test_what_is_put_off_for_the_longest_pause_is_not_due_before(acme: Acme, queue: Queue) -> None:
    acme.invites()
    [delivery] = leased(queue)
    assert queue.postpone(delivery, pause=LONGEST_PAUSE, reason="ENOSPC")
    assert leased(queue) == []


def test_a_lease_longer_than_any_pause_is_a_lease(acme: Acme, database: Database) -> None:
    patient = Queue(acme.context.store.statements, leased_for=timedelta(hours=2))
    acme.invites()
    assert len(leased(patient)) == 1
    assert leased(patient) == []


def test_what_is_astray_comes_after_what_is_due_and_no_more_than_asked_for(
    acme: Acme, queue: Queue, database: Database
) -> None:
    astray = {acme.invites(f"person{number}@example.com") for number in range(3)}
    clock_went_back(database)
    due = {acme.invites("bo@example.com"), acme.invites("cy@example.com")}
    batch = [one.stream_id for one in leased(queue, limit=3)]
    assert due < set(batch)
    assert len(astray & set(batch)) == 1
    assert len(leased(queue, limit=3)) == 2
