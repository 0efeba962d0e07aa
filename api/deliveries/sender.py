"""The sender: leases what is due, sends it outside any transaction, and writes down what became of it.

Whatever happens to it, a delivery is not lost: what it does not finish comes due again. Sent twice is only what was
sent without its being written down: at most the one delivery a sender is at when it is killed, or frozen for longer
than its lease (docs/decisions/0035-deliveries.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from psycopg import Error as DatabaseError

from domain import ids
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import connect
from domain.store.servers import LIFETIME, LOST
from domain.store.wakeups import await_news
from projections.deliveries.due import CHANNEL
from projections.deliveries.queue import Delivery, Queue

from .retries import MOST_ATTEMPTS, is_over, pause_after
from .transport import Channel, Channels, Dropped, LastingRefusal, M, TemporaryFailure
from .waiting_log import WaitingLog

BATCH = 20
"""Deliveries leased at once: what a sender ever holds in memory, and what waits for a minute if it is killed."""
_LOOK_EVERY = 3.0
"""Seconds between looks without a notification: for what is to be tried again, and where a LISTEN died silently."""
_AWAY = 0.5
"""Seconds until the next try while the database does not answer."""

_logger = logging.getLogger("daybook")


class Sender:
    """One that sends whatever its channels are for, one after the other."""

    def __init__(
        self,
        queue: Queue,
        channels: Channels,
        *,
        fraction: Callable[[], float] = ids.fraction,
        new_lease: Callable[[], UUID] = ids.new_id,
    ) -> None:
        self._queue, self._channels = queue, channels
        self._fraction, self._new_lease = fraction, new_lease
        self._log = WaitingLog()

    def send_due(self, stop: threading.Event) -> int:
        """Lease a batch and see to each of it; how many that was. On `stop`, what was not begun is let go of.

        Raises StoreUnavailable; what was leased then comes due again.
        """
        leased = self._queue.lease(self._channels, lease=self._new_lease(), limit=BATCH)
        for delivery in leased:
            if stop.is_set():
                self._queue.release(delivery)
            else:
                self._see_to(delivery, stop)
        return len(leased)

    def _see_to(self, delivery: Delivery, stop: threading.Event) -> None:
        if delivery.attempts > MOST_ATTEMPTS:
            # never heard of again as often as this: whoever tries it may die of it
            self._queue.give_up(delivery, "never finished")
            return
        try:
            reason = self._send(delivery)
        except StoreUnavailable:
            raise
        except LastingRefusal as refusal:
            self._queue.give_up(delivery, refusal.reason)
        except TemporaryFailure as failure:
            self._log.waits(failure)
            self._try_later(delivery, failure.reason)
        except Exception as error:
            # of its text nobody knows whom it quotes
            _logger.error("A delivery of kind %s failed (%s).", delivery.kind, type(error).__name__)
            self._try_later(delivery, type(error).__name__)
        else:
            if reason is None:
                self._insist_on_sent(delivery, stop)

    def _send(self, delivery: Delivery) -> str | None:
        """Send it; else why it was not sent."""
        channel = self._channels[delivery.kind]
        message = _made(channel, delivery)
        if isinstance(message, Dropped):
            self._queue.dropped(delivery, message.reason)
            return message.reason
        # by the database's clock, as late as can be: who was frozen meanwhile finds that another one took it
        if not self._queue.renew(delivery):
            return "another's"
        try:
            channel.transport.deliver(message)
        except LastingRefusal:
            self._log.answered()
            raise
        self._log.answered()
        return None

    def _try_later(self, delivery: Delivery, reason: str) -> None:
        if is_over(delivery.attempts, delivery.age):
            self._queue.give_up(delivery, reason)
        else:
            pause = pause_after(delivery.attempts, fraction=self._fraction())
            self._queue.postpone(delivery, pause=pause, reason=reason)

    def _insist_on_sent(self, delivery: Delivery, stop: threading.Event) -> None:
        """It is out: not to write that down sends it twice, so nothing else is done until the database answers."""
        while True:
            try:
                self._queue.sent(delivery)
            except StoreUnavailable:
                if stop.wait(_AWAY):
                    raise
            else:
                return


def _made(channel: Channel[M], delivery: Delivery) -> M | Dropped:
    """The message. What fails in making it fails the same way from the same row: that is no matter of waiting.

    Raises LastingRefusal for that; what the machine or the database lacked is raised as it is.
    """
    try:
        return channel.compose(delivery)
    except (StoreUnavailable, TemporaryFailure, DatabaseError, OSError, MemoryError):
        raise
    except LastingRefusal as refusal:
        reason = refusal.reason
    except Exception as error:
        # of its text nobody knows whom it quotes
        reason = f"cannot be made ({type(error).__name__})"
    _logger.error("A delivery of kind %s was given up: %s.", delivery.kind, reason)
    raise LastingRefusal(reason)


def run_sender(
    conninfo: str, sender: Sender, stop: threading.Event, *, at_rest: Callable[[], None] = lambda: None
) -> None:
    """Send until told to stop: woken when something becomes due, and looking by itself; `at_rest` is called whenever
    nothing is.

    Goes on after the database was away.
    """
    while not stop.is_set():
        try:
            with connect(conninfo, "daybook-sender-listens") as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                until = time.monotonic() + LIFETIME
                while not stop.is_set() and time.monotonic() < until:
                    if sender.send_due(stop) == 0:
                        at_rest()
                        await_news(connection, _LOOK_EVERY, stop)
        except (*LOST, StoreUnavailable):
            stop.wait(_AWAY)
