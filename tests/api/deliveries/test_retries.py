"""When something is tried again, and when it is given up: from the numbers alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.deliveries.retries import is_over, pause_after

DAY = 86_400.0


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (7, 320), (10, 2_560), (11, 3_600), (12, 3_600), (200, 3_600)],
)
def test_pauses_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert pause_after(attempts, fraction=1.0) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("fraction", "seconds"), [(0.0, 20), (0.5, 30), (1.0, 40)])
def test_a_pause_is_between_half_of_it_and_all_of_it(fraction: float, seconds: int) -> None:
    assert pause_after(4, fraction=fraction) == timedelta(seconds=seconds)


def test_a_day_counts_only_if_it_was_tried_again_and_again() -> None:
    """Neither a clock that goes ahead nor a sender that was off for days makes one try too many."""
    assert not is_over(1, 30 * DAY)
    assert not is_over(19, 30 * DAY)
    assert is_over(20, DAY)


def test_after_a_day_no_more_is_tried() -> None:
    assert not is_over(30, DAY - 1)
    assert is_over(30, DAY)


def test_a_day_is_over_before_so_many_attempts_unless_somebody_dies_of_each() -> None:
    """At the shortest pauses there are, half of each."""
    seconds, attempts = 0.0, 0
    while seconds < DAY:
        attempts += 1
        seconds += pause_after(attempts, fraction=0.0).total_seconds()
    assert 20 < attempts < 100
    assert not is_over(199, 0)
    assert is_over(200, 0)
