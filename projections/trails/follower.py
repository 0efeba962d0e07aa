"""What a follower is: a projection that runs behind the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import Connection

from domain.store.connections import Values
from domain.store.log import LogEntry


@dataclass(frozen=True)
class Follower:
    """A projection that runs behind the log. `apply` writes rows for entries, in order; twice must be as once.

    One of whose rows somebody `outside` hears begins at the head of a log that was there before it, not at its start.
    """

    name: str
    apply: Callable[[Connection[Values], Sequence[LogEntry]], None]
    outside: bool = False
