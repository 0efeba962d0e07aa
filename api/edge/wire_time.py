"""Moments as the clients read them (wire.md §1)."""

from __future__ import annotations

from datetime import UTC, datetime


def to_wire(moment: datetime) -> str:
    """ISO 8601 in UTC with exactly three fractional digits and `Z`; finer parts are cut off, not rounded.

    The JavaScript client takes the fractional digits for a number of milliseconds, so six of them would be minutes.
    """
    assert moment.utcoffset() is not None, "a moment on the wire knows its zone"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
