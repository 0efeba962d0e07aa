"""How long to wait before something that ended is started again."""

from __future__ import annotations

_BRIEF = 10.0
"""Seconds: what lives shorter ended at once."""
_LONGEST = 30.0


class Backoff:
    """At once the first time; then ever longer, as long as it goes on ending at once. Times in seconds, monotonic."""

    def __init__(self) -> None:
        self._delay = 0.0

    def after(self, lived: float) -> float:
        """Something ended that had done its work for so long (0 if it never came to it): the wait until the next."""
        waits = self._delay if lived < _BRIEF else 0.0
        self._delay = min(_LONGEST, max(0.5, 2 * waits))
        return waits
