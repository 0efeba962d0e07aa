"""Why an append did not happen, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from eventsourcing.persistence import IntegrityError

from domain.refusals import AlreadyInvited, Conflict, EmailTaken, Refusal, SlugTaken

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 3

_REFUSALS: dict[str, type[Refusal]] = {
    "email_taken": EmailTaken,
    "slug_taken": SlugTaken,
    "one_pending": AlreadyInvited,
}


class StreamMovedOn(IntegrityError):
    """What the decision was based on has changed since it was read: reload and decide again."""


class NoSuchStream(LookupError):
    """No stream of this kind has this id."""


class StoreAway(Exception):
    """The database did not answer in time. Whether the append happened is unknown."""


def refused_by(violation: psycopg.errors.UniqueViolation) -> Exception:
    """What a violated constraint stands for: a refusal if it is named for one, else a decision out of date.

    A taken personal organization, seat or place, and who became a member a moment ago, are of the second kind: look
    again.
    """
    refusal = _REFUSALS.get(violation.diag.constraint_name or "")
    return StreamMovedOn() if refusal is None else refusal()


def decided_again(command: Callable[P, T]) -> Callable[P, T]:
    """A command function that is run again, from its first look-up on, while others move what it reads.

    Three times at most, then it raises Conflict: the caller may repeat it.
    """

    @wraps(command)
    def settled(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(PATIENCE):
            try:
                return command(*args, **kwargs)
            except StreamMovedOn:
                continue
        raise Conflict

    return settled
