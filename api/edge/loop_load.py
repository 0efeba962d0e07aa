"""How much the event loop has to do: what decides whether hashing gives way to it (docs/decisions/0034)."""

from __future__ import annotations

import threading
import time

BUSY = 0.2
"""Of one core: from here on who hashes gives way. An idle loop loses nothing to who shares a core with it fairly."""
_EVERY = 0.25
"""Seconds a figure is of."""


class LoopLoad:
    """The processor time of the thread of the event loop. Asked from any thread; where a system does not tell, none."""

    def __init__(self) -> None:
        self._clock: int | None = None
        self._wall, self._used, self._busy = 0.0, 0.0, False

    def here(self) -> None:
        """The event loop runs in this thread."""
        if self._clock is None and hasattr(time, "pthread_getcpuclockid"):
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
            self._wall, self._used = time.monotonic(), time.clock_gettime(self._clock)

    def busy(self) -> bool:
        """Whether the loop used much of a core just now."""
        if self._clock is None:
            return False
        wall = time.monotonic() - self._wall
        if wall >= _EVERY:
            used = time.clock_gettime(self._clock)
            self._busy = used - self._used >= BUSY * wall
            self._wall, self._used = self._wall + wall, used
        return self._busy
