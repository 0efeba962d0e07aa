"""Known devices: a browser that somebody signed in with shows it, for a year, by a cookie of its own (wire.md A14).

Where an account is guessed at until nobody may try any more, who comes with such a cookie may still. An address is no
device: behind one there may be a thousand.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from domain.events.keys import derive
from domain.ids import random_bytes

from .cookies import SessionCookies, values

KEPT_FOR = timedelta(days=365)
"""From each sign-in on."""
ACCOUNTS = 5
"""How many accounts of one browser are known: those last signed in to."""
SHOWN = 8
"""How many devices of one request are looked at: the browser's own, and what neighbours of the host put in front."""

_BITS = 16
"""Bytes of a device's name, and of a mark."""
_DAY = timedelta(days=1)
_COOKIE = re.compile(r"(?P<name>[A-Za-z0-9_-]{22})(?P<marks>(?:\.[0-9]{5}[A-Za-z0-9_-]{22}){1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Device:
    """What a request shows of itself; without a name it shows nothing.

    A mark is the day on which an account signed in, and a keyed hash of that, the device and the account: nobody can
    make one, and none says whose it is.
    """

    name: str = ""
    marks: tuple[str, ...] = ()
    key: bytes = field(default=b"", repr=False)

    def knows(self, user_id: UUID, now: datetime) -> bool:
        """Whether this account has signed in with it, within a year."""
        today = _day(now)
        return any(
            today - KEPT_FOR // _DAY <= int(mark[:5]) <= today and self._is_of(mark, user_id) for mark in self.marks
        )

    def others(self, user_id: UUID) -> Sequence[str]:
        """The marks that are not of this account."""
        return [mark for mark in self.marks if not self._is_of(mark, user_id)]

    def mark(self, user_id: UUID, day: int) -> str:
        """What this account leaves on it on a day since 1970."""
        told = f"{self.name}\x1f{day}\x1f{user_id.hex}"
        return f"{day:05}{_text(hmac.digest(self.key, told.encode(), 'sha256')[:_BITS])}"

    def _is_of(self, mark: str, user_id: UUID) -> bool:
        return hmac.compare_digest(mark, self.mark(user_id, int(mark[:5])))


class KnownDevices:
    """Reads and writes the cookie of known devices, beside those of sessions and signed with the same secret."""

    def __init__(self, cookies: SessionCookies) -> None:
        self._cookies = cookies
        self._key = derive(cookies.secret.encode(), "daybook known devices")

    def shown(self, cookie_header: str | None) -> tuple[Device, ...]:
        """The devices a request shows, in order, each once: a forged one in front must not hide the browser's own."""
        written = dict.fromkeys(values(cookie_header, self._cookies.known_device_name))
        found = (one for value in written if (one := _COOKIE.fullmatch(value)) is not None)
        return tuple(Device(one["name"], tuple(one["marks"].split(".")[1:]), self._key) for one in islice(found, SHOWN))

    def remember(self, devices: Sequence[Device], user_id: UUID, now: datetime) -> str:
        """The Set-Cookie value by which a device is known to an account from now on, and to those it was known to.

        Of several it is the first that knows this account, else the first: whose the others are, no mark says.
        """
        shown = next((device for device in devices if device.knows(user_id, now)), devices[0] if devices else Device())
        return self._remembered(shown, user_id, now)

    def forget(self, devices: Sequence[Device], user_id: UUID) -> str | None:
        """The Set-Cookie value by which a device is no longer known to an account; None if it was not."""
        shown = next((one for one in devices if len(one.others(user_id)) < len(one.marks)), None)
        if shown is None:
            return None
        others = shown.others(user_id)
        value, max_age = (_joined(shown.name, others), int(KEPT_FOR.total_seconds())) if others else ("", 0)
        return self._cookies.set(self._cookies.known_device_name, value, max_age=max_age)

    def _remembered(self, device: Device, user_id: UUID, now: datetime) -> str:
        known = Device(device.name or _text(random_bytes(_BITS)), device.marks, self._key)
        marks = [known.mark(user_id, _day(now)), *known.others(user_id)]
        return self._cookies.set(
            self._cookies.known_device_name,
            _joined(known.name, marks[:ACCOUNTS]),
            max_age=int(KEPT_FOR.total_seconds()),
        )


def _joined(name: str, marks: Iterable[str]) -> str:
    return ".".join([name, *marks])


def _day(now: datetime) -> int:
    return int(now.timestamp() // 86_400)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")
