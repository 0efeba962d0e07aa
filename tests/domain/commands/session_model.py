"""The sessions of some people in plain dicts, as the contract has them (wire.md §8, A1, A3, A22, A25).

Knows nothing of events, epochs or tables: to end a session is to delete it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.store.envelope import WhereFrom

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Times:
    """How long a session lives from a renewal, if not remembered, until a use renews it, and at most (None: no end)."""

    full: timedelta
    brief: timedelta
    refresh: timedelta
    longest: timedelta | None


@dataclass(frozen=True)
class Device:
    """A session of a person, as they see it; where it was seen last, and since when."""

    person: int
    created_at: datetime
    updated_at: datetime
    authenticated_at: datetime
    expires_at: datetime
    seen: WhereFrom
    seen_at: datetime


@dataclass
class SessionModel:
    """Who is signed in where, by the secrets of their sessions, in the order in which they were handed out.

    One that has run out stays until somebody notices. `proved` are the people who have shown their password and whose
    sign-in is on its way: whether it will still be worth something.
    """

    times: Times
    most: int | None
    passwords: dict[int, str] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    proved: dict[int, bool] = field(default_factory=dict)

    def of(self, person: int) -> dict[str, Device]:
        """Their sessions."""
        return {token: device for token, device in self.devices.items() if device.person == person}

    def in_time(self, person: int, now: datetime) -> dict[str, Device]:
        """Those that have not run out."""
        return {token: device for token, device in self.of(person).items() if now < self.end(device)}

    def lives(self, token: str, now: datetime) -> bool:
        """Whether it can be used."""
        return token in self.devices and now < self.end(self.devices[token])

    def end(self, device: Device) -> datetime:
        """When it is over, unless it is extended by then."""
        return self._capped(device.created_at, device.expires_at)

    def started(self, token: str, person: int, *, remembered: bool, seen: WhereFrom, now: datetime) -> None:
        """Signed in: for a week, or for a day where nobody wants to be remembered."""
        lifetime = self.times.full if remembered else self.times.brief
        self.devices[token] = Device(
            person=person,
            created_at=now,
            updated_at=now,
            authenticated_at=now,
            expires_at=now + lifetime,
            seen=seen,
            seen_at=now,
        )

    def made_room(self, person: int, now: datetime) -> None:
        """The oldest have gone that were too many."""
        if self.most is not None:
            for token in list(self.in_time(person, now))[: -self.most]:
                del self.devices[token]

    def used(self, token: str, *, extending: bool, reading: bool, seen: WhereFrom, now: datetime) -> bool:
        """Extended if it is time, and at another place if that is news; whether either."""
        before = device = self.devices[token]
        if extending and now >= device.expires_at - self.times.full + self.times.refresh:
            expires_at = now + self.times.full
            if self._capped(device.created_at, expires_at) > self.end(device):
                device = replace(device, expires_at=expires_at, updated_at=now)
        known = device.seen
        # what is unknown is no other, and still what it was known to be
        seen = WhereFrom(seen.ip_address or known.ip_address, seen.user_agent or known.user_agent)
        if seen != known and (not reading or now >= device.seen_at + HOUR):
            device = replace(device, seen=seen, seen_at=now, updated_at=now)
        self.devices[token] = device
        return device is not before

    def confirmed(self, token: str, now: datetime) -> None:
        """Fresh again."""
        self.devices[token] = replace(self.devices[token], authenticated_at=now, updated_at=now)

    def others_revoked(self, token: str, now: datetime) -> None:
        """Only this one is left of the person's."""
        kept = replace(self.devices[token], updated_at=now)
        self.all_revoked(kept.person)
        self.devices[token] = kept

    def all_revoked(self, person: int) -> None:
        """None is left, and a sign-in on its way comes too late."""
        for token in self.of(person):
            del self.devices[token]
        self.proved = {somebody: good and somebody != person for somebody, good in self.proved.items()}

    def _capped(self, created_at: datetime, expires_at: datetime) -> datetime:
        return expires_at if self.times.longest is None else min(expires_at, created_at + self.times.longest)
