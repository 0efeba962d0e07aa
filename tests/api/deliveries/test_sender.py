"""The sender: what becomes of each delivery, whatever the transport, the database or another sender do meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.deliveries.mail import Mail
from api.deliveries.sender import BATCH, Sender, run_sender
from api.deliveries.transport import Channel, Dropped, LastingRefusal, TemporaryFailure
from domain.ids import new_id
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import Statements, open_pool
from projections.deliveries.due import INVITATION
from projections.deliveries.queue import Delivery, Queue
from tests.api.deliveries.test_mail import MAIL
from tests.databases import Database
from tests.faults.test_background_process import within
from tests.inviting import STATES

GOES_ON = threading.Event()
DUE_IN = "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM deliveries"


@dataclass
class Letterbox:
    """A transport whose messages are streams' ids: keeps them, after whatever is to happen `first`."""

    first: Callable[[UUID], object] = field(default=lambda message: None)
    received: list[UUID] = field(default_factory=list)

    def deliver(self, message: UUID) -> None:
        self.first(message)
        self.received.append(message)


@pytest.fixture
def statements(database: Database) -> Iterator[Statements]:
    with open_pool(database.application_url, size=2, name="tests") as pool:
        yield Statements(pool)


@pytest.fixture
def queue(statements: Statements) -> Queue:
    return Queue(statements)


def made_due(database: Database, number: int = 1) -> list[UUID]:
    """So many deliveries, the first the longest due."""
    ids = [new_id() for _ in range(number)]
    for stream_id in ids:
        database.rows("INSERT INTO deliveries (kind, stream_id, version) VALUES ('invitation', %s, 1)", stream_id)
    return ids


def sender_to(
    letterbox: Letterbox, queue: Queue, compose: Callable[[Delivery], UUID | Dropped] = lambda one: one.stream_id
) -> Sender:
    return Sender(queue, {INVITATION: Channel(compose, letterbox)}, fraction=lambda: 1.0)


def raises(error: Exception) -> Callable[[object], Any]:
    def fail(_: object) -> Any:
        raise error

    return fail


def taken_by_another(database: Database, queue: Queue) -> Delivery:
    """The lease runs out, and another sender has the delivery."""
    database.rows("UPDATE deliveries SET due_at = clock_timestamp() - interval '1 s'")
    [taken] = queue.lease([INVITATION], lease=new_id(), limit=BATCH)
    return taken


def test_what_is_due_is_sent_once(database: Database, queue: Queue) -> None:
    due, letterbox = made_due(database, 3), Letterbox()
    sender = sender_to(letterbox, queue)
    assert [sender.send_due(GOES_ON), sender.send_due(GOES_ON)] == [3, 0]
    assert sorted(letterbox.received) == sorted(due)
    assert {state for _, state, _ in database.rows(STATES)} == {"sent"}


def test_a_batch_is_all_it_ever_holds(database: Database, queue: Queue) -> None:
    made_due(database, 2 * BATCH + 1)
    sender = sender_to(Letterbox(), queue)
    assert [sender.send_due(GOES_ON) for _ in range(4)] == [BATCH, BATCH, 1, 0]


def test_while_it_sends_no_transaction_is_open(database: Database, queue: Queue) -> None:
    made_due(database)
    seen = list[object]()
    look = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND usename = 'daybook'"
    letterbox = Letterbox(first=lambda _: seen.extend(state for (state,) in database.rows(look)))
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert set(seen) == {"idle"}


def test_what_there_is_nothing_to_say_about_any_more_is_dropped(database: Database, queue: Queue) -> None:
    made_due(database)
    letterbox = Letterbox()
    sender_to(letterbox, queue, lambda _: Dropped("expired")).send_due(GOES_ON)
    assert letterbox.received == []
    assert database.rows(STATES) == [(1, "dropped", "expired")]


def test_a_temporary_failure_is_tried_again_after_a_pause(database: Database, queue: Queue) -> None:
    made_due(database)
    sender_to(Letterbox(raises(TemporaryFailure("ENOSPC"))), queue).send_due(GOES_ON)
    assert database.rows(STATES) == [(1, "waiting", "ENOSPC")]
    assert 4 < database.value(DUE_IN) <= 5
    database.rows("UPDATE deliveries SET due_at = now()")
    letterbox = Letterbox()
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert len(letterbox.received) == 1
    assert database.rows(STATES) == [(1, "sent", None)]


def test_the_pause_is_longer_each_time(database: Database, queue: Queue) -> None:
    made_due(database)
    sender = sender_to(Letterbox(raises(TemporaryFailure("ENOSPC"))), queue)
    for seconds in (5, 10, 20, 40):
        sender.send_due(GOES_ON)
        assert seconds - 1 < database.value(DUE_IN) <= seconds
        database.rows("UPDATE deliveries SET due_at = now()")


def test_a_lasting_refusal_is_given_up_at_once(database: Database, queue: Queue) -> None:
    made_due(database)
    sender_to(Letterbox(raises(LastingRefusal("550"))), queue).send_due(GOES_ON)
    assert database.rows(STATES) == [(1, "given_up", "550")]


def test_what_failed_for_a_day_is_given_up_with_the_last_reason(database: Database, queue: Queue) -> None:
    made_due(database)
    database.rows(
        "UPDATE deliveries SET first_due_at = clock_timestamp() - interval '1 day', reason = 'ENOENT', attempts = 80"
    )
    sender_to(Letterbox(raises(TemporaryFailure("ENOSPC"))), queue).send_due(GOES_ON)
    assert database.rows(STATES) == [(1, "given_up", "ENOSPC")]


def test_what_no_sender_ever_came_back_from_is_given_up_untried(database: Database, queue: Queue) -> None:
    made_due(database)
    database.rows("UPDATE deliveries SET attempts = 200")
    letterbox = Letterbox()
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert letterbox.received == []
    assert database.rows(STATES) == [(1, "given_up", "never finished")]


def test_an_error_nobody_foresaw_is_tried_again_and_told_without_its_text(
    database: Database, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    failing, other = made_due(database, 2)

    def fail(message: UUID) -> None:
        if message == failing:
            raise RuntimeError("for bo@example.com")

    letterbox = Letterbox(fail)
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert letterbox.received == [other]
    assert database.rows(STATES) == [(1, "waiting", "RuntimeError"), (1, "sent", None)]
    assert caplog.messages == ["A delivery of kind invitation failed (RuntimeError)."]


@pytest.mark.parametrize(
    "error", [UnicodeEncodeError("ascii", "bo@example.com", 0, 1, "no"), KeyError("bo@example.com")]
)
def test_a_message_that_cannot_be_made_is_given_up_at_once_and_told_without_its_text(
    database: Database, queue: Queue, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """From the same row the same fault would come for three days."""
    failing, other = made_due(database, 2)

    def compose(delivery: Delivery) -> UUID:
        if delivery.stream_id == failing:
            raise error
        return delivery.stream_id

    letterbox = Letterbox()
    sender_to(letterbox, queue, compose).send_due(GOES_ON)
    assert letterbox.received == [other]
    reason = f"cannot be made ({type(error).__name__})"
    assert database.rows(STATES) == [(1, "given_up", reason), (1, "sent", None)]
    assert caplog.messages == [f"A delivery of kind invitation was given up: {reason}."]


def test_a_mail_that_cannot_be_written_is_given_up_at_once_with_which_part_of_it(
    database: Database, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever was stored as an address once."""
    made_due(database)

    def compose(_: Delivery) -> Mail:
        return replace(MAIL, recipient="bo@example.com, cy@example.com")

    Sender(queue, {INVITATION: Channel(compose, Letterbox())}).send_due(GOES_ON)
    reason = "cannot be written as mail: recipient's address"
    assert database.rows(STATES) == [(1, "given_up", reason)]
    assert caplog.messages == [f"A delivery of kind invitation was given up: {reason}."]


@pytest.mark.parametrize("error", [psycopg.errors.UndefinedTable(), OSError(), MemoryError()])
def test_what_the_machine_or_the_database_lacks_while_a_message_is_made_may_pass(
    database: Database, queue: Queue, error: Exception
) -> None:
    made_due(database)
    sender_to(Letterbox(), queue, raises(error)).send_due(GOES_ON)
    assert database.rows(STATES) == [(1, "waiting", type(error).__name__)]


def test_what_another_took_before_it_was_sent_is_not_sent(database: Database, queue: Queue) -> None:
    """As by a sender that was frozen between opening a message and sending it."""
    made_due(database)
    letterbox, others = Letterbox(), list[Delivery]()

    def compose_slowly(delivery: Delivery) -> UUID:
        others.append(taken_by_another(database, queue))
        return delivery.stream_id

    sender_to(letterbox, queue, compose_slowly).send_due(GOES_ON)
    assert letterbox.received == []
    assert database.rows(STATES) == [(1, "waiting", None)]
    assert queue.sent(others[0])


def test_what_another_took_while_it_was_sent_is_the_others_to_mark(database: Database, queue: Queue) -> None:
    """The one case in which something is sent twice: frozen after the last look for longer than the lease."""
    made_due(database)
    others = list[Delivery]()
    letterbox = Letterbox(lambda _: others.append(taken_by_another(database, queue)))
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert len(letterbox.received) == 1
    assert database.rows(STATES) == [(1, "waiting", None)]
    assert queue.sent(others[0])


def test_every_message_of_a_slow_batch_has_a_whole_lease_of_its_own(database: Database, queue: Queue) -> None:
    made_due(database, 3)
    left = list[float]()

    def slowly(_: UUID) -> None:
        left.append(database.value("SELECT max(extract(epoch FROM due_at - clock_timestamp())) FROM deliveries"))
        database.rows("UPDATE deliveries SET due_at = due_at - interval '30 s' WHERE state = 'waiting'")

    letterbox = Letterbox(slowly)
    sender_to(letterbox, queue).send_due(GOES_ON)
    assert len(letterbox.received) == 3
    assert all(seconds > 50 for seconds in left)


def test_told_to_stop_it_lets_go_of_what_it_has_not_begun(database: Database, queue: Queue) -> None:
    made_due(database, 3)
    stop = threading.Event()
    letterbox = Letterbox(first=lambda _: stop.set())
    sender_to(letterbox, queue).send_due(stop)
    assert len(letterbox.received) == 1
    rows = database.rows("SELECT state, attempts, due_at <= clock_timestamp() FROM deliveries WHERE state = 'waiting'")
    assert rows == [("waiting", 0, True)] * 2


def test_what_was_sent_while_the_database_went_away_is_marked_when_it_is_back(database: Database, queue: Queue) -> None:
    made_due(database)
    stop = threading.Event()
    away, back = threading.Event(), threading.Event()

    def goes_away(_: UUID) -> None:
        away.set()
        assert back.wait(20)

    letterbox = Letterbox(goes_away)
    sending = threading.Thread(target=sender_to(letterbox, queue).send_due, args=(stop,))
    sending.start()
    assert away.wait(20)
    with database.away():
        back.set()
        # it insists, and does nothing else
        sending.join(2)
        assert sending.is_alive()
    sending.join(30)
    assert not sending.is_alive()
    assert len(letterbox.received) == 1
    assert database.rows(STATES) == [(1, "sent", None)]


def test_while_the_database_is_away_nothing_is_sent(database: Database, queue: Queue) -> None:
    made_due(database)
    letterbox = Letterbox()
    sender = sender_to(letterbox, queue)
    with database.away(), pytest.raises(StoreUnavailable):
        sender.send_due(GOES_ON)
    assert letterbox.received == []


def test_a_running_sender_is_woken_by_what_becomes_due(database: Database, queue: Queue) -> None:
    stop, letterbox = threading.Event(), Letterbox()
    running = threading.Thread(target=run_sender, args=(database.application_url, sender_to(letterbox, queue), stop))
    running.start()
    try:
        made_due(database)
        within(10, lambda: len(letterbox.received) == 1)
        # the line it listens on dies, and it goes on
        database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'listens'")
        made_due(database)
        database.rows("NOTIFY daybook_deliveries")
        within(20, lambda: len(letterbox.received) == 2)
    finally:
        stop.set()
        running.join(10)
    assert not running.is_alive()
