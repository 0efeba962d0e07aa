"""Following the log: woken by the sequencer's notification, and looking by itself all the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Thread

import psycopg
from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

from .connections import connection_arguments
from .sequencer import CHANNEL

_LOOK_EVERY = 0.5
"""Seconds between looks without a notification: a LISTEN connection can die without a word."""


class LogSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's subscription on our log; its listener has a connection of its own and comes back by itself."""

    def __init__(
        self, recorder: ApplicationRecorder, conninfo: str, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._conninfo = conninfo
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        while not self._has_been_stopped:
            try:
                arguments = connection_arguments("daybook-follower", self._conninfo)
                with psycopg.connect(self._conninfo, **arguments) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._has_been_stopped:
                        self._has_been_notified.set()
                        for _ in connection.notifies(timeout=_LOOK_EVERY, stop_after=1):
                            pass
            except psycopg.OperationalError:
                time.sleep(_LOOK_EVERY)
