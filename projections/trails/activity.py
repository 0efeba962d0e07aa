"""What happened to a person or in an organization: pages of the journal, newest first, with refused attempts merged in.

A page ends at a place in the log, so pages neither skip nor repeat while others write. An attempt stands where the log
stood when it was first seen, and is told once the journal has come so far.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from typing import Any
from uuid import UUID

from domain.store import Place
from domain.store.connections import Statements
from domain.store.log import position_at

ATTEMPT = "AttemptRefused"
"""What the type of a refused attempt is called, beside the names of events."""
_RENEWAL = "SessionRenewed"
_CHUNK = 100
_LAST = 2**62
_READ_AT_MOST = 1_000
"""Entries that one page of folds may be made of: a siege of an account must not make its page slow."""
_EARLY, _LATE = timedelta(days=1), timedelta(days=1)
"""How much before (by another clock) or after it happened an event may have been recorded, to be found by its time."""
_CURSOR = re.compile(r"(-1(?=\.)|[0-9]{1,18})(?:\.([0-9a-f]{2,128}))?")

_COLUMNS = "position, at, event, stream_id, version, actor_kind, actor_id, session_id, person_id, organization_id"
# the organization a new session begins in is part of signing in, and no news of its own
_NEWS = "NOT (event = 'OrganizationChosen' AND version = 2)"
_BRANCH = f"SELECT {_COLUMNS} FROM journal WHERE {{column}} = $1 AND position < $2 AND {_NEWS}{{filter}}"
_OF_A_TYPE = f"""
SELECT {_COLUMNS} FROM journal
 WHERE person_id = $1 AND event = $2 AND position < $3 ORDER BY position DESC LIMIT $4
"""
_ATTEMPTS = """
SELECT after_position, key, first_at, last_at, action, code, ip_address, user_agent, session_id, times
  FROM attempts WHERE person_id = $1 AND (after_position, key) < ($2, $3)
   AND after_position <= coalesce((SELECT position FROM followers WHERE name = 'journal'), -1)
 ORDER BY after_position DESC, key DESC LIMIT $4
"""


CameFrom = Callable[[Sequence[Place]], Mapping[Place, Any]]


class BadCursor(ValueError):
    """Not a cursor of ours."""


@dataclass(frozen=True, order=True, slots=True)
class Spot:
    """Where an entry stands: at a position of the log; attempts come after the event there, in order of their keys."""

    position: int
    key: bytes = b""

    def __str__(self) -> str:
        return f"{self.position}.{self.key.hex()}" if self.key else str(self.position)

    @staticmethod
    def of(cursor: str) -> Spot:
        """The spot a cursor names; of an empty one, the end of the log. Raises BadCursor."""
        if not cursor:
            return Spot(_LAST)
        found = _CURSOR.fullmatch(cursor)
        if found is None or len(found[2] or "") % 2:
            raise BadCursor
        return Spot(int(found[1]), bytes.fromhex(found[2] or ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """An entry of the journal."""

    position: int
    at: datetime
    event: str
    stream_id: UUID
    version: int
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    person_id: UUID | None
    organization_id: UUID | None
    came_from: Any = None
    """Of a renewal: from what kind of browser and network."""

    @property
    def spot(self) -> Spot:
        """Where it stands."""
        return Spot(self.position)

    @property
    def place(self) -> Place:
        """Where its event is stored."""
        return self.stream_id, self.version

    @property
    def alike(self) -> Any:
        """What it shares with those it may be folded with; None if it stands alone."""
        # another device that shows the same session must not disappear among the renewals of the person's own
        return (self.stream_id, self.actor_id, self.came_from) if self.event == _RENEWAL else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Refused commands of one kind, folded already when they were written down."""

    spot: Spot
    first_at: datetime
    at: datetime
    action: str
    code: str
    ip_address: str | None
    user_agent: str | None
    session_id: UUID | None
    times: int

    @property
    def alike(self) -> Any:
        """What it shares with those it may be folded with."""
        return self.action, self.code, self.ip_address, self.user_agent


@dataclass(slots=True)
class Fold:
    """One entry of a page: what stands first in it, how often such things happened, from when until when."""

    newest: Happening | Attempt
    times: int
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page; None at the end."""

    folds: list[Fold]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which entries of an organization: by whom, of which type, from when (included) until when (excluded)."""

    organization_id: UUID
    actor_id: UUID | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def of_a_person(
    read: Statements, user_id: UUID, *, came_from: CameFrom, before: Spot, limit: int, event: str | None = None
) -> Page:
    """What a person did and what was done to their account, renewals and attempts folded.

    `came_from` says of events from what kind of browser and network they came: renewals are folded if that is one.
    """
    found: list[Iterator[Happening | Attempt]] = []
    if event != ATTEMPT:
        found.append(_happenings(read, user_id, came_from, before, event))
    if event in (None, ATTEMPT):
        found.append(_attempts(read, user_id, before))
    return _page(merge(*found, key=lambda one: one.spot, reverse=True), limit)


def of_an_organization(read: Statements, selection: Selection, *, before: Spot, limit: int) -> Page:
    """What happened in an organization. The times are those of the commands, as entries show them."""
    sql, values = _of_an_organization(read, selection)
    rows = read.rows(sql, selection.organization_id, before.position, limit + 1, *values)
    folds = [Fold(one, 1, one.at, one.at) for one in map(_happening, rows[:limit])]
    return Page(folds, str(folds[-1].newest.spot) if len(rows) > limit else None)


def last_of_a_type(read: Statements, user_id: UUID, event: str, *, before: int, limit: int) -> list[Happening]:
    """The last entries of one type that concern a person, before a position of the log; newest first."""
    return [_happening(row) for row in read.rows(_OF_A_TYPE, user_id, event, before, limit)]


# texts differ with what is asked for, since a filter that may be absent keeps the planner from its index


def _of_a_person(event: str | None) -> str:
    given = "" if event is None else " AND event = $4"
    branches = (
        f"({_BRANCH.format(column=column, filter=given)} ORDER BY position DESC LIMIT $3)"
        for column in ("person_id", "actor_id")
    )
    return f"SELECT {_COLUMNS} FROM ({' UNION '.join(branches)}) both_ways ORDER BY position DESC LIMIT $3"


def _of_an_organization(read: Statements, selection: Selection) -> tuple[str, list[Any]]:
    conditions, values = [_BRANCH.format(column="organization_id", filter="")], list[Any]()

    def also(condition: str, value: Any) -> None:
        values.append(value)
        conditions.append(condition.format(f"${len(values) + 3}"))

    if selection.actor_id is not None:
        also("actor_id = {}", selection.actor_id)
    if selection.event is not None:
        also("event = {}", selection.event)
    if selection.since is not None:
        also("at >= {}", selection.since)
        also("position > {}", position_at(read, selection.since - _EARLY))
    if selection.until is not None:
        also("at < {}", selection.until)
        also("position <= {}", position_at(read, selection.until + _LATE))
    return " AND ".join(conditions) + " ORDER BY position DESC LIMIT $3", values


def _page(found: Iterable[Happening | Attempt], limit: int) -> Page:
    folds: list[Fold] = []
    open_folds: dict[Any, Fold] = {}
    last = None
    for count, one in enumerate(found):
        fold = open_folds.get(one.alike) if one.alike is not None else None
        if (fold is None and len(folds) == limit) or count == _READ_AT_MOST:
            return Page(folds, str(last))
        times = one.times if isinstance(one, Attempt) else 1
        since = one.first_at if isinstance(one, Attempt) else one.at
        if fold is None:
            fold = Fold(one, times, since, one.at)
            folds.append(fold)
            # a run of such entries ends where something else happened
            open_folds = {} if one.alike is None else {**open_folds, one.alike: fold}
        else:
            fold.times += times
            # attempts at one position stand in no order of time
            fold.since, fold.at = min(fold.since, since), max(fold.at, one.at)
        last = one.spot
    return Page(folds, None)


def _happenings(
    read: Statements, user_id: UUID, came_from: CameFrom, before: Spot, event: str | None
) -> Iterator[Happening]:
    # an attempt's spot lies after the event at its position, which so is still to come
    position = before.position + 1 if before.key else before.position
    values = [] if event is None else [event]
    while rows := read.rows(_of_a_person(event), user_id, position, _CHUNK, *values):
        found = [_happening(row) for row in rows]
        renewals = [one.place for one in found if one.event == _RENEWAL]
        kinds = came_from(renewals) if renewals else {}
        yield from (replace(one, came_from=kinds.get(one.place)) for one in found)
        position = rows[-1][0]


def _attempts(read: Statements, user_id: UUID, before: Spot) -> Iterator[Attempt]:
    while rows := read.rows(_ATTEMPTS, user_id, before.position, before.key, _CHUNK):
        for after, key, first_at, last_at, action, code, ip_address, user_agent, session_id, times in rows:
            before = Spot(after, key)
            yield Attempt(
                spot=before,
                first_at=first_at,
                at=last_at,
                action=action,
                code=code,
                ip_address=ip_address,
                user_agent=user_agent,
                session_id=session_id,
                times=times,
            )


def _happening(row: tuple[Any, ...]) -> Happening:
    position, at, event, stream_id, version, actor_kind, actor_id, session_id, person_id, organization_id = row
    return Happening(
        position=position,
        at=at,
        event=event,
        stream_id=stream_id,
        version=version,
        actor_kind=actor_kind,
        actor_id=actor_id,
        session_id=session_id,
        person_id=person_id,
        organization_id=organization_id,
    )
