"""Moments on the wire: wire.md §1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from api.edge.wire_time import to_wire


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 23, 22, 44, 42, 903_000, UTC), "2026-11-23T22:44:42.903Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 123_456, UTC), "2026-01-01T00:00:00.123Z"),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC), "2026-12-31T23:59:59.999Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 7_000, UTC), "2026-01-01T00:00:00.007Z"),
        (datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:30:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_has_exactly_three_digits_and_a_z(moment: datetime, text: str) -> None:
    assert to_wire(moment) == text


def test_a_moment_without_zone_never_reaches_the_wire() -> None:
    with pytest.raises(AssertionError):
        to_wire(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive moment is what is refused
