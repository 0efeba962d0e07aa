"""How many connections each worker of a node has: a piece of memory that all of them see."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile

_ABSENT = 0xFFFFFFFF
_EACH = 4
"""Bytes of one count, which is written and read whole."""


def shared_memory(workers: int) -> int:
    """The descriptor of a new piece, to be handed to workers; nobody is there yet."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("daybook-connections")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.write(descriptor, _ABSENT.to_bytes(_EACH) * workers)
    os.set_inheritable(descriptor, True)
    return descriptor


class ConnectionCounts:
    """The counts behind a descriptor, by the workers' places."""

    def __init__(self, descriptor: int) -> None:
        self._counts = memoryview(mmap.mmap(descriptor, 0)).cast("I")

    def set(self, place: int, count: int) -> None:
        """The worker in this place has so many."""
        self._counts[place] = count

    def clear(self, place: int) -> None:
        """No worker is in this place."""
        self._counts[place] = _ABSENT

    def fewest_elsewhere(self, place: int) -> int | None:
        """How many the worker has that has the fewest, but for the one in this place; None if there is none."""
        counts = [count for number, count in enumerate(self._counts) if number != place and count != _ABSENT]
        return min(counts, default=None)
