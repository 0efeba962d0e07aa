"""What is away or full, in the log: at once, then once a minute while it lasts, and once when it is over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import psycopg

from api.background.reports import AWAY, FULL
from domain.clock import Clock
from domain.store.connections import connection_arguments

from .refusal import first_line

AGAIN = 60.0
"""Seconds between two lines about one thing."""
_PROBE = 1.0
"""Seconds between two looks whether the database is back."""
_BLIP = 10.0
"""Seconds after the end of an outage in which late news of it is no news."""

_logger = logging.getLogger("daybook")


class Lasting:
    """One thing that lasts. `now` is monotonic, in seconds; `at` is for people."""

    def __init__(self) -> None:
        self.began: float | None = None
        self._at: datetime | None = None
        self._told = 0.0
        self.seen = 0.0

    def goes_on(self, now: float, at: datetime) -> str | None:
        """It is so now: the time since when, if it is time to say it again."""
        self.seen = now
        if self.began is None:
            self.began, self._at, self._told = now, at, now - AGAIN
        if now - self._told < AGAIN or self._at is None:
            return None
        self._told = now
        return f"{self._at:%Y-%m-%d %H:%M:%S} UTC"

    def over(self, now: float) -> float | None:
        """It is so no more: how many seconds it was, None if it was not."""
        began, self.began = self.began, None
        return None if began is None else now - began


class Outages:
    """What workers report, told by the supervisor: many notice at once, and one line is enough.

    `reason` asks the database for one sentence why it does not answer, None if it does.
    """

    def __init__(self, reason: Callable[[], str | None], clock: Clock) -> None:
        self._reason, self._clock = reason, clock
        self._away, self._full = Lasting(), Lasting()
        self._ended = -_BLIP
        self._prober: threading.Thread | None = None
        self._stop = threading.Event()

    def heard(self, reports: bytes) -> None:
        """Reports of a worker."""
        if FULL in reports and (since := self._full.goes_on(time.monotonic(), self._clock())):
            _logger.error("The database's disk is full since %s: writes are answered with 503.", since)
        if AWAY in reports and self._away.began is None and time.monotonic() - self._ended > _BLIP:
            self._probe()

    def tick(self) -> None:
        """Twice a second."""
        now = time.monotonic()
        if self._full.began is not None and now - self._full.seen > AGAIN:
            self._full.over(now)
            _logger.info("For a minute no write met a full disk.")

    def close(self) -> None:
        """Nothing more is told."""
        self._stop.set()

    def _probe(self) -> None:
        if self._prober is None or not self._prober.is_alive():
            self._prober = threading.Thread(target=self._until_back, name="outage", daemon=True)
            self._prober.start()

    def _until_back(self) -> None:
        while not self._stop.is_set():
            reason = self._reason()
            now = time.monotonic()
            if reason is None:
                lasted = self._away.over(now)
                self._ended = now
                if lasted is None:
                    _logger.warning("The database had hung up, and answers.")
                else:
                    _logger.info("The database answers again, after %.0f s.", lasted)
                return
            if since := self._away.goes_on(now, self._clock()):
                _logger.error("The database does not answer since %s (%s): requests get 503.", since, reason)
            self._stop.wait(_PROBE)


def why_away(conninfo: str) -> str | None:
    """Why the database does not answer, in the driver's words, which name no secret; None if it does."""
    try:
        with psycopg.connect(conninfo, **connection_arguments("daybook-watch", conninfo)) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return first_line(error)
    return None
