"""A deadline for work that is done again and again: as asyncio.timeout, without a timer for each time."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """A context in which one task at a time may spend so many seconds. Then it is cancelled, which raises TimeoutError.

    To set a timer and take it back costs as much as half of a query, so one is left running, and set anew only if it
    goes off too early for what is done by then.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._task: asyncio.Task[object] | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def __enter__(self) -> Self:
        self._task, loop = asyncio.current_task(), asyncio.get_running_loop()
        self._until = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(self._until, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._over:
            self._over = False
            # unless somebody else cancelled it too
            if task is not None and task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def close(self) -> None:
        """Take the timer back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer, loop = None, asyncio.get_running_loop()
        if self._task is not None:
            if loop.time() < self._until:
                self._timer = loop.call_at(self._until, self._look)
            else:
                self._over = self._task.cancel()
