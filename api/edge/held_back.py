"""Held back: refusals of a flood are answered late, so that who asks again at once cannot keep the service refusing."""

from __future__ import annotations

import asyncio

AT_ONCE = 50.0
"""Refusals a second that are answered at once, in one worker: what that costs is next to nothing."""
BURST = 100.0
"""So many at once, if there were none for a while: who is refused now and then does not notice."""
SECONDS = 1.0
"""How long the others wait for their answer."""
MOST = 256
"""Refusals that wait. What is beyond is answered at once, and has to connect anew."""


class HeldBack:
    """Belongs to the event loop. A loop of n connections that do not wait is refused some n + 50 times a second."""

    def __init__(self) -> None:
        self._left, self._at, self._waiting = BURST, 0.0, 0

    async def hold(self) -> bool:
        """Wait with a refusal while there are many; False if even those that wait are too many."""
        if self._passes():
            return True
        if self._waiting >= MOST:
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(SECONDS)
        finally:
            self._waiting -= 1
        return True

    def _passes(self) -> bool:
        """Whether this one is answered at once."""
        now = asyncio.get_running_loop().time()
        self._left = min(BURST, self._left + (now - self._at) * AT_ONCE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
