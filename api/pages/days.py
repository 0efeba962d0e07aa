"""Days as somebody types them into a filter, and the time zone they are meant in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}")
# nothing ever happened outside of these, and what is computed with days inside of them stays a day
_EARLIEST, _LATEST = date(1970, 1, 2), date(9998, 12, 31)


class Days(NamedTuple):
    """From when (included) until when (excluded), None where it is open; `zone` is where the days begin."""

    since: datetime | None
    until: datetime | None
    zone: str


def days_in(since: str, until: str, zone: str) -> Days:
    """The days from the first to the last (both included) in a zone of the IANA's; in UTC if there is no such zone.

    What is no day (ISO 8601) is open.
    """
    first, last, where = _day(since), _day(until), _zone(zone)
    return Days(
        since=None if first is None else datetime.combine(first, time.min, where),
        until=None if last is None else datetime.combine(last + timedelta(days=1), time.min, where),
        zone="UTC" if where is UTC else zone,
    )


def _day(text: str) -> date | None:
    try:
        return min(max(date.fromisoformat(text), _EARLIEST), _LATEST)
    except ValueError:
        return None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if _ZONE.fullmatch(name) else UTC
    except (LookupError, ValueError, OSError):
        return UTC
