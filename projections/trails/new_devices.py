"""New devices: sessions that began or went on from a browser, system and network their person was never seen on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any, NamedTuple
from uuid import UUID

from domain.events.catalogue import NAME_BY_EVENT
from domain.session import SessionMoved, SessionStarted
from domain.store import Store, StreamVersion
from domain.store.envelope import Recorded
from domain.store.select_list import SelectList
from projections.devices import family

from .activity import JournalEntry, last_of_a_type


class Origin(NamedTuple):
    """Where sessions of a person began or were seen, and the first of them when."""

    user_agent: str | None
    ip_address: str | None
    at: datetime


_ORIGIN = SelectList(Origin, user_agent="user_agent", ip_address="ip_address", at="min(created_at)")
_STARTS = f"""
SELECT {_ORIGIN.sql} FROM session_list WHERE user_id = $1 AND created_at <= $2
 GROUP BY user_agent, ip_address
"""
_POSITION = "SELECT position FROM log WHERE stream_id = $1 AND version = $2"
_MOVED = NAME_BY_EVENT[SessionMoved]
_SHOWING = {NAME_BY_EVENT[SessionStarted], _MOVED}
_NEWEST = 2**63 - 1
"""Behind every position of the log."""
_CHUNK, _CHUNKS = 100, 10
"""Moves that are looked at together, and how often: who is always on the way must not make a page slow."""


class _Origins:
    """When somebody was first seen from which kind of browser and network."""

    def __init__(self) -> None:
        self._first: dict[Any, datetime] = {}

    def see(self, kind: Any, at: datetime) -> None:
        """They were there."""
        self._first[kind] = min(at, self._first.get(kind, at))

    def new(self, showing: Mapping[StreamVersion, tuple[Any, datetime]]) -> set[StreamVersion]:
        """Which of these were the first from there; where somebody began is not new to them."""
        beginning = min(self._first.values())
        return {place for place, (kind, at) in showing.items() if self._first[kind] == at != beginning}

    def after(self, moment: datetime, kinds: Mapping[UUID, Any]) -> dict[UUID, datetime]:
        """When each of these was first there, of those who were not before a moment, nor in the beginning."""
        beginning = min(self._first.values())
        firsts = {one: self._first[kind] for one, kind in kinds.items()}
        return {one: first for one, first in firsts.items() if moment < first != beginning}


def unfamiliar(
    store: Store, you: UUID, entries: Sequence[JournalEntry], events: Mapping[StreamVersion, Recorded]
) -> set[StreamVersion]:
    """Which of a person's sessions began or went on from a browser, system and network none was seen on before.

    Versions and single addresses change all the time and tell nothing. More than a thousand moves ago is forgotten.
    """
    showing = {
        one.place: (_kind_of_origin(events[one.place]), one.at)
        for one in entries
        if one.event in _SHOWING and one.person_id == you and one.place in events
    }
    return _unfamiliar(store, you, showing, max((one.position for one in entries), default=0))


def lately_new(store: Store, you: UUID, seen: Mapping[UUID, Origin], *, after: datetime) -> dict[UUID, datetime]:
    """Which of a person's sessions were last seen where none was seen before a moment; of each, when one first was.

    `seen` is where and since when each was last seen. Where somebody began is not new to them.
    """
    if not seen:
        return {}
    origins, kinds = _Origins(), dict[UUID, Any]()
    for one in _ORIGIN.read_all(store.statements.rows(_STARTS, you, max(one.at for one in seen.values()))):
        origins.see(_kind(one.user_agent, one.ip_address), one.at)
    for session_id, one in seen.items():
        kinds[session_id] = _kind(one.user_agent, one.ip_address)
        origins.see(kinds[session_id], one.at)
    for moves in _moves_before(store, you, _NEWEST):
        if not origins.after(after, kinds):
            break
        for recorded in moves:
            origins.see(_kind_of_origin(recorded), recorded.at)
    return origins.after(after, kinds)


def is_unfamiliar(store: Store, you: UUID, started: Recorded) -> bool:
    """Whether a session of a person's began from one of those, by an event that is in the log."""
    place = (started.stream_id, started.version)
    [(position,)] = store.statements.rows(_POSITION, *place)
    return place in _unfamiliar(store, you, {place: (_kind_of_origin(started), started.at)}, position)


def _unfamiliar(
    store: Store, you: UUID, showing: Mapping[StreamVersion, tuple[Any, datetime]], position: int
) -> set[StreamVersion]:
    if not showing:
        return set()
    origins = _Origins()
    for one in _ORIGIN.read_all(store.statements.rows(_STARTS, you, max(at for _, at in showing.values()))):
        origins.see(_kind(one.user_agent, one.ip_address), one.at)
    for kind, at in showing.values():
        origins.see(kind, at)
    for moves in _moves_before(store, you, position):
        if not origins.new(showing):
            break
        for recorded in moves:
            origins.see(_kind_of_origin(recorded), recorded.at)
    return origins.new(showing)


def _moves_before(store: Store, user_id: UUID, position: int) -> Iterator[Iterable[Recorded]]:
    """The last moves of a person's sessions before a position, newest first.

    The list says where each session is now; where it was meanwhile, only its events do.
    """
    for _ in range(_CHUNKS):
        moves = last_of_a_type(store.statements, user_id, _MOVED, before=position, limit=_CHUNK)
        if not moves:
            return
        yield store.recorded([one.place for one in moves]).values()
        position = moves[-1].position


def _kind_of_origin(recorded: Recorded) -> tuple[Any, ...]:
    return _kind(recorded.command.user_agent, recorded.command.ip_address)


def _kind(user_agent: str | None, ip_address: str | None) -> tuple[Any, ...]:
    return *family(user_agent or ""), _network(ip_address)


def _network(ip_address: str | None) -> str:
    """The network an address belongs to, as far as addresses of one provider's customer usually share it."""
    if not ip_address:
        return ""
    return str(ip_network(f"{ip_address}/{56 if ':' in ip_address else 24}", strict=False))
