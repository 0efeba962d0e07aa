"""The journal as it is read: entries with their events opened, names looked up, devices and places named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any
from unicodedata import normalize
from uuid import UUID

from domain.events.catalogue import NAME_BY_EVENT
from domain.session import SessionMoved, SessionStarted
from domain.store import Place, Store
from domain.store.connections import Statements
from domain.store.envelope import ActorKind, Recorded
from projections.devices import device, family

from .activity import ATTEMPT, Attempt, Fold, Happening, last_of_a_type
from .cast import YOU, Cast
from .printable import printable
from .sentences import refusal, sentence

Locate = Callable[[str | None], str]
_SOMEBODY = "A removed person"
_ACTORS = {ActorKind.SYSTEM: "Daybook", ActorKind.OPERATOR: "An operator", ActorKind.SERVICE: "A service"}
_ATTEMPTING = "Somebody"
_OUR_WORDS = {name.casefold() for name in (YOU, _SOMEBODY, _ATTEMPTING, *_ACTORS.values())}
_UNREADABLE = "This entry cannot be read."
_UNKNOWN_DEVICE = "an unknown device"

_NAMES = "SELECT user_id, name, email FROM account_list WHERE user_id = ANY($1)"
_ORGANIZATIONS = "SELECT organization_id, name FROM organization_list WHERE organization_id = ANY($1)"
_SESSIONS = """
SELECT session_id, coalesce(moved_user_agent, user_agent), coalesce(moved_ip_address, ip_address)
  FROM session_list WHERE session_id = ANY($1)
"""
_INVITED = "SELECT invitation_id, email FROM invitation_list WHERE invitation_id = ANY($1)"
_STARTS = """
SELECT user_agent, ip_address, min(created_at) FROM session_list WHERE user_id = $1 AND created_at <= $2
 GROUP BY user_agent, ip_address
"""
_MOVED = NAME_BY_EVENT[SessionMoved]
_SHOWING = {NAME_BY_EVENT[SessionStarted], _MOVED}
_CHUNK, _CHUNKS = 100, 10
"""Moves that are looked at together, and how often: who is always on the way must not make a page slow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An entry in words. Where from is empty if unknown, and where it is not the reader's business.

    `session_id` is the session the entry is about or was done through; `times` and `since` tell of folded ones.
    """

    at: datetime
    event: str
    text: str
    actor: str
    actor_id: UUID | None
    device: str
    location: str
    ip_address: str
    session_id: UUID | None
    times: int
    since: datetime
    new_device: bool


class Narrator:
    """Tells entries to one reader: the person (`you`), or somebody who reads an organization's trail (None)."""

    def __init__(self, store: Store, locate: Locate, folds: Sequence[Fold], *, you: UUID | None) -> None:
        self._read, self._locate, self._you, self._folds = store.statements, locate, you, folds
        happenings = [fold.newest for fold in folds if isinstance(fold.newest, Happening)]
        self._events = store.recorded([one.place for one in happenings])
        self._people = _names(self._read, (who for one in happenings for who in (one.actor_id, one.person_id)))
        self._organizations = _organizations(self._read, happenings, self._events)
        self._sessions = _sessions(self._read, happenings)
        self._invited = _invited(self._read, happenings)
        self._unfamiliar = set() if you is None else _unfamiliar(store, you, happenings, self._events)

    def told(self) -> list[Told]:
        """All entries, in the order given."""
        return [
            self._attempt(fold, fold.newest) if isinstance(fold.newest, Attempt) else self._happening(fold, fold.newest)
            for fold in self._folds
        ]

    def _attempt(self, fold: Fold, one: Attempt) -> Told:
        where = self._where(one.user_agent, one.ip_address)
        return Told(
            at=fold.at,
            event=ATTEMPT,
            text=refusal(one.action, one.code, place=where, times=fold.times),
            actor=_ATTEMPTING,
            actor_id=None,
            device=device(one.user_agent),
            location=self._locate(one.ip_address),
            ip_address=one.ip_address or "",
            session_id=one.session_id,
            times=fold.times,
            since=fold.since,
            new_device=False,
        )

    def _happening(self, fold: Fold, one: Happening) -> Told:
        recorded = self._events.get(one.place)
        user_agent, ip_address = self._came_from(one, recorded)
        return Told(
            at=fold.at,
            event=one.event,
            text=_UNREADABLE if recorded is None else self._text(fold, one, recorded),
            actor=self._actor(one),
            actor_id=one.actor_id,
            device=device(user_agent),
            location=self._locate(ip_address),
            ip_address=ip_address or "",
            session_id=self._session(one),
            times=fold.times,
            since=fold.since,
            new_device=one.place in self._unfamiliar,
        )

    def _text(self, fold: Fold, one: Happening, recorded: Recorded) -> str:
        event: Any = recorded.event
        user_agent, ip_address = self._sessions.get(one.stream_id, (None, None))
        if self._may_see(one) and one.session_id == one.stream_id:
            # what the entry itself says is nearer than what the session says now; of another session it says nothing
            user_agent, ip_address = self._came_from(one, recorded)
        chosen = one.organization_id or getattr(event, "organization_id", None)
        cast = Cast(
            actor=self._actor(one),
            person=self._person(one.person_id),
            organization=self._organizations.get(chosen, "a former organization"),
            device=self._where(user_agent, ip_address) or _UNKNOWN_DEVICE,
            times=fold.times,
            invited=self._invited.get(one.stream_id) or "somebody",
        )
        return sentence(event, cast)

    def _actor(self, one: Happening) -> str:
        if one.actor_kind == ActorKind.USER:
            return self._person(one.actor_id)
        return _ACTORS[ActorKind(one.actor_kind)]

    def _person(self, user_id: UUID | None) -> str:
        if user_id is not None and user_id == self._you:
            return YOU
        name = self._people.get(user_id)
        if not name:
            return _SOMEBODY
        # whoever calls themselves "You" or "Daybook" shall not pass for the reader or for us
        return f'"{name}"' if normalize("NFKC", name).casefold() in _OUR_WORDS else name

    def _may_see(self, one: Happening) -> bool:
        """A person sees where they acted from themselves, never where others did (wire.md, our own calls)."""
        return one.actor_kind == ActorKind.USER and (self._you is None or one.actor_id == self._you)

    def _came_from(self, one: Happening, recorded: Recorded | None) -> tuple[str | None, str | None]:
        if recorded is None or not self._may_see(one):
            return None, None
        return recorded.command.user_agent, recorded.command.ip_address

    def _session(self, one: Happening) -> UUID | None:
        if one.stream_id in self._sessions:
            return one.stream_id
        return one.session_id if self._may_see(one) else None

    def _where(self, user_agent: str | None, ip_address: str | None) -> str:
        return ", ".join(part for part in (device(user_agent), self._locate(ip_address)) if part)


def _names(read: Statements, people: Iterable[UUID | None]) -> dict[UUID | None, str]:
    wanted = list({user_id for user_id in people if user_id is not None})
    found = read.rows(_NAMES, wanted) if wanted else []
    return {user_id: printable(name) or email or "" for user_id, name, email in found}


def _organizations(
    read: Statements, happenings: Iterable[Happening], events: Mapping[Place, Recorded]
) -> dict[UUID | None, str]:
    of_events = (getattr(recorded.event, "organization_id", None) for recorded in events.values())
    wanted = {*(one.organization_id for one in happenings), *of_events} - {None}
    found = read.rows(_ORGANIZATIONS, list(wanted)) if wanted else []
    return {organization_id: printable(name) or "an organization" for organization_id, name in found}


def _invited(read: Statements, happenings: Iterable[Happening]) -> dict[UUID, str | None]:
    """The addresses that the invitations among these were sent to."""
    streams = list({one.stream_id for one in happenings if one.event.startswith("Invitation")})
    return dict(read.rows(_INVITED, streams)) if streams else {}


def _sessions(read: Statements, happenings: Iterable[Happening]) -> dict[UUID, tuple[str | None, str | None]]:
    """The sessions entries are about, and what they last came from."""
    streams = list({one.stream_id for one in happenings})
    return {session_id: (user_agent, ip) for session_id, user_agent, ip in read.rows(_SESSIONS, streams)}


class _Origins:
    """When somebody was first seen from which kind of browser and network."""

    def __init__(self) -> None:
        self._first: dict[Any, datetime] = {}

    def see(self, kind: Any, at: datetime) -> None:
        """They were there."""
        self._first[kind] = min(at, self._first.get(kind, at))

    def new(self, showing: Mapping[Place, tuple[Any, datetime]]) -> set[Place]:
        """Which of these were the first from there; where somebody began is not new to them."""
        beginning = min(self._first.values())
        return {place for place, (kind, at) in showing.items() if self._first[kind] == at != beginning}


def _unfamiliar(
    store: Store, you: UUID, happenings: Sequence[Happening], events: Mapping[Place, Recorded]
) -> set[Place]:
    """Which of a person's sessions began or went on from a browser, system and network none was seen on before.

    Versions and single addresses change all the time and tell nothing. More than a thousand moves ago is forgotten.
    """
    showing = {
        one.place: (_kind_of_origin(events[one.place]), one.at)
        for one in happenings
        if one.event in _SHOWING and one.person_id == you and one.place in events
    }
    if not showing:
        return set()
    origins = _Origins()
    for user_agent, ip_address, at in store.statements.rows(_STARTS, you, max(at for _, at in showing.values())):
        origins.see(_kind(user_agent, ip_address), at)
    for kind, at in showing.values():
        origins.see(kind, at)
    for moves in _moves_before(store, you, max(one.position for one in happenings)):
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


def kinds_of_origin(store: Store, places: Sequence[Place]) -> dict[Place, Any]:
    """From what kind of browser and network the events at these places came, as far as they can be read."""
    return {place: _kind_of_origin(recorded) for place, recorded in store.recorded(places).items()}


def _kind_of_origin(recorded: Recorded) -> tuple[Any, ...]:
    return _kind(recorded.command.user_agent, recorded.command.ip_address)


def _kind(user_agent: str | None, ip_address: str | None) -> tuple[Any, ...]:
    return *family(user_agent or ""), _network(ip_address)


def _network(ip_address: str | None) -> str:
    """The network an address belongs to, as far as addresses of one provider's customer usually share it."""
    if not ip_address:
        return ""
    return str(ip_network(f"{ip_address}/{56 if ':' in ip_address else 24}", strict=False))
