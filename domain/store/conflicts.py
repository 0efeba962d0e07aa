"""Why an append did not happen, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import count
from typing import ParamSpec, TypeVar

import psycopg
from eventsourcing.persistence import IntegrityError

from domain import clock as system_clock
from domain import ids
from domain.refusals import AlreadyInvited, Conflict, EmailTaken, Refusal, SlugTaken

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 3
"""Tries of a statement whose connection was lost."""

_AGAIN_FOR = 4.0
"""Seconds a command is decided again: with all else that a request waits for, less than any may take."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2
"""Seconds between tries, at most: the first is about what an append takes, and each may be twice the one before."""

_REFUSALS: dict[str, type[Refusal]] = {
    "email_taken": EmailTaken,
    "slug_taken": SlugTaken,
    "one_pending": AlreadyInvited,
}


class StreamMovedOn(IntegrityError):
    """What the decision was based on has changed since it was read: reload and decide again."""


class NoSuchStream(LookupError):
    """No stream of this kind has this id."""


class StoreUnavailable(Exception):
    """The database did not answer in time. Whether the append happened is unknown."""


def refused_by(violation: psycopg.errors.UniqueViolation) -> Exception:
    """What a violated constraint stands for: a refusal if it is named for one, else a decision out of date.

    A taken personal organization, seat or place, and who became a member a moment ago, are of the second kind: look
    again.
    """
    refusal = _REFUSALS.get(violation.diag.constraint_name or "")
    return StreamMovedOn() if refusal is None else refusal()


@dataclass(frozen=True)
class Waiting:
    """What is waited with: a clock in seconds, a pause of so many, and a number from 0 to 1 by chance."""

    elapsed: Callable[[], float] = system_clock.elapsed
    pause: Callable[[float], None] = system_clock.pause
    fraction: Callable[[], float] = ids.fraction


def retry_on_conflict(command: Callable[P, T], waiting: Waiting = Waiting()) -> Callable[P, T]:
    """A command function that is run again, from its first look-up on, while others move what it reads.

    After a pause by chance, longer each time, so that those who met do not meet again; for four seconds, then it raises
    Conflict: the caller may repeat it.
    """

    @wraps(command)
    def settled(*args: P.args, **kwargs: P.kwargs) -> T:
        began = waiting.elapsed()
        for number in count():
            try:
                return command(*args, **kwargs)
            except StreamMovedOn:
                pause = waiting.fraction() * longest_pause(number)
            if waiting.elapsed() + pause - began >= _AGAIN_FOR:
                break
            waiting.pause(pause)
        raise Conflict

    return settled


def longest_pause(number: int) -> float:
    """Seconds at most before a command is decided once more after so many times again."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(number, 10))
