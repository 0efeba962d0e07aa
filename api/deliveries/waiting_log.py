"""What the log says of mail that does not leave: each reason once, however many messages wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .transport import TemporaryFailure

_TOLD_FOR = 3600.0
"""Seconds until a reason of single messages is told again: others leave meanwhile, so it is never seen to be over."""

_logger = logging.getLogger("daybook")


class WaitingLog:
    """Told by a sender of every attempt. Nothing it writes names a message, an address, or what a server wrote."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._of_all: str | None = None
        self._of_some = dict[str, float]()

    def waits(self, failure: TemporaryFailure) -> None:
        """A message is tried again later. What keeps all of them is told whenever it changes, what keeps one of them
        once an hour.
        """
        if failure.trouble:
            told = f"{failure.trouble} ({failure.reason})"
            if told != self._of_all:
                _logger.warning("%s: mail waits, and is tried again.", told)
            self._of_all = told
        else:
            self._tell_of_some(failure.reason)

    def answered(self) -> None:
        """A message was taken, or refused for itself: nothing keeps all of them."""
        if self._of_all is not None:
            _logger.info("Mail leaves again.")
        self._of_all = None

    def _tell_of_some(self, reason: str) -> None:
        now = self._seconds()
        if now >= self._of_some.get(reason, now):
            self._of_some[reason] = now + _TOLD_FOR
            _logger.warning("A message waits (%s), and is tried again: see `daybook mail list --waiting`.", reason)
