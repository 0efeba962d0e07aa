"""What the background process runs, beside the workers: sequencer, followers, sender, sweep, retention.

Any node may have one: the sequencer's lock and the followers' rows see to it that only one works at a time.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from logging.config import dictConfig

from api.deliveries.channels import channels, keep_tidy, kinds_sent, transport
from api.deliveries.erased_files import run_removal
from api.deliveries.sender import Sender, run_sender
from api.settings import Settings
from domain.clock import Clock, now
from domain.events.keys import Keyring
from domain.store import Store
from domain.store.connections import connect, open_pool
from domain.store.mapper import SealingMapper
from domain.store.requirements import open_keyring
from domain.store.sequencer import run_sequencer
from domain.store.servers import LOST
from domain.store.session_settings import parameters_are_logged
from domain.store.wakeups import Wakeups
from projections import FOLLOWERS, INLINE
from projections.deliveries.queue import Queue
from projections.maintenance.follow import place, run_follower
from projections.maintenance.sweep import run_sweep

from .logs import LOGGING
from .orphans import end_with
from .retention import Retention, run_retention

_AGAIN_AFTER = 1.0
_LAST_WORDS = 0.5
"""Seconds for what is begun; one that waits for a frozen database must not hold up the end."""

_logger = logging.getLogger("daybook")


def run(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Run every task, each in a thread of its own, until told to stop."""
    assert settings.database_url is not None, "the supervisor names the database"
    assert settings.secret is not None, "the supervisor gives its children the secret"
    conninfo, secret = settings.database_url, settings.secret.get_secret_value()
    tasks: dict[str, Callable[[threading.Event], None]] = {
        "sequencer": partial(sequence, conninfo, Wakeups.of_this_node()),
        **{one.name: partial(run_follower, conninfo, one) for one in FOLLOWERS},
        "sender": partial(_send, settings, conninfo, secret, clock),
        "tidying": partial(keep_tidy, settings, clock),
        "forgetting": partial(run_removal, settings, conninfo, clock),
        "sweep": partial(_sweep, conninfo, secret),
        "retention": partial(_retain, settings, conninfo, secret, clock),
        "start": partial(_look_at_the_server, conninfo),
    }
    threads = [
        threading.Thread(target=_keep_running, args=(name, task, stop), name=name, daemon=True)
        for name, task in tasks.items()
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(_LAST_WORDS)


def _look_at_the_server(conninfo: str, stop: threading.Event) -> None:
    """What an operator should know of it, said once."""
    with connect(conninfo, "daybook-start") as connection:
        logged = parameters_are_logged(connection)
    if logged:
        _logger.warning(
            "The database server writes parameters of slow statements into its log, people's data among them; to keep"
            " them out: ALTER ROLE … SET log_parameter_max_length = 0 (docs/running.md)."
        )
    stop.wait()


def sequence(conninfo: str, wakeups: Wakeups, stop: threading.Event) -> None:
    """Enter events into the log, once each follower has its place: what is entered now must not count as of before."""
    with connect(conninfo, "daybook-start") as connection:
        for follower in FOLLOWERS:
            place(connection, follower)
    run_sequencer(conninfo, stop, wakeups)


def _sweep(conninfo: str, secret: str, stop: threading.Event) -> None:
    run_sweep(conninfo, SealingMapper(_keyring(conninfo, secret)), stop)


def _send(settings: Settings, conninfo: str, secret: str, clock: Clock, stop: threading.Event) -> None:
    """Send what is due, if there is anything to send it by."""
    if not kinds_sent(settings):
        stop.wait()
        return
    keyring = _keyring(conninfo, secret)
    with open_pool(conninfo, size=1, name="daybook-sender") as pool:
        store = Store(pool, keyring, INLINE)
        with transport(settings) as way:
            sender = Sender(Queue(store.statements), channels(settings, store, clock, way))
            run_sender(conninfo, sender, stop, at_rest=way.rest)


def _retain(settings: Settings, conninfo: str, secret: str, clock: Clock, stop: threading.Event) -> None:
    keyring = _keyring(conninfo, secret)
    with open_pool(conninfo, size=1, name="daybook-retention") as pool:
        retention = Retention.over(
            pool, keyring, sessions_live_for=settings.lifetimes.full, kinds_sent=kinds_sent(settings), clock=clock
        )
        run_retention(retention, stop)


def _keyring(conninfo: str, secret: str) -> Keyring:
    with connect(conninfo, "daybook-start") as connection:
        return open_keyring(connection, secret)


def _keep_running(name: str, task: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """A task that fails is begun again; the others go on meanwhile."""
    while not stop.is_set():
        try:
            task(stop)
        except LOST:
            stop.wait(_AGAIN_AFTER)
        except Exception as error:
            _logger.error("%s ended (%s) and is begun again.", name, type(error).__name__)
            stop.wait(_AGAIN_AFTER)


def main() -> None:
    """Run until told to stop. Argument: the process to end with."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    dictConfig(LOGGING)
    end_with(int(sys.argv[1]))
    run(Settings(), now, stop)


if __name__ == "__main__":
    main()
