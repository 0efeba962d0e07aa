"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

from projections.deliveries.queue import LONGEST_PAUSE

FIRST_PAUSE = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(days=1)
FEWEST_ATTEMPTS = 20
"""Before it is given up for its age, which says nothing where a clock went ahead, or nobody sent anything for days."""
MOST_ATTEMPTS = 200
"""More than fit into a day at their pauses: as many only where whoever tries it dies of it."""


def pause_after(attempts: int, *, fraction: float) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, up to an hour.

    Between half of that and all of it, by a `fraction` from 0 to 1, so that what failed together is not tried together.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 10))
    return longest * (1 + fraction) / 2


def is_over(attempts: int, age: float) -> bool:
    """Whether to give up what failed after so many attempts, `age` seconds after it was first due."""
    old = age >= GIVEN_UP_AFTER.total_seconds() and attempts >= FEWEST_ATTEMPTS
    return old or attempts >= MOST_ATTEMPTS
