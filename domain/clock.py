"""The clock: the one module in which time and waiting come in; everybody else is given them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The moment, aware, in UTC, in whole milliseconds: what is stored is what the wire shows (wire.md §1)."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)


def elapsed() -> float:
    """Seconds on a clock that nobody sets; only differences mean anything."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Let so much time pass in this thread."""
    time.sleep(seconds)
