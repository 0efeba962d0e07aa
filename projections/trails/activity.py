"""What happened to a person or in an organization: pages of the journal, newest first, with refused attempts merged in.

What one command did is one entry, of those of its events that concern the reader; it stands where the first of them
does. A page ends at a place in the log, so pages neither skip nor repeat while others write. An attempt stands where
the log stood when it was first seen, and is told once the journal has come so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import Any
from uuid import UUID

from domain.events.catalogue import NAME_BY_EVENT
from domain.events.keys import Keyring
from domain.invitation import (
    InvitationAccepted,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
)
from domain.membership import MemberJoined, MemberRoleChanged
from domain.organization import OrganizationClosed, OrganizationFounded, PersonalOrganizationFounded
from domain.store import StreamVersion
from domain.store.connections import Statements
from domain.store.log import position_at
from domain.store.select_list import SelectList

from .attempts import Attempts, attempts_on
from .cursor import Cursor
from .journal import COLUMNS

ATTEMPT = "AttemptRefused"
"""What the type of a refused attempt is called, beside the names of events."""
_CLOSED, _REJECTED = NAME_BY_EVENT[OrganizationClosed], NAME_BY_EVENT[InvitationRejected]
_ERASED = NAME_BY_EVENT[RecipientErased]
_GIVING_A_ROLE = tuple(
    NAME_BY_EVENT[event]
    for event in (MemberJoined, MemberRoleChanged, OrganizationFounded, PersonalOrganizationFounded)
)
_JOINED, _ACCEPTED = NAME_BY_EVENT[MemberJoined], NAME_BY_EVENT[InvitationAccepted]
_OFFERING = tuple(NAME_BY_EVENT[event] for event in (InvitationSent, InvitationResent))
_CHUNK = 100
_READ_AT_MOST = 1_000
"""Entries that one page of folds may be made of: a siege of an account must not make its page slow."""
_EARLY, _LATE = timedelta(days=1), timedelta(days=1)
"""How much before (by another clock) or after it happened an event may have been recorded, to be found by its time."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry of the journal: one event. The versions say how far the streams of those it names had come."""

    position: int
    at: datetime
    event: str
    stream_id: UUID
    version: int
    command_id: UUID
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    person_id: UUID | None
    organization_id: UUID | None
    actor_version: int | None
    person_version: int | None
    organization_version: int | None
    api_key_id: UUID | None
    api_key_version: int | None

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        return Cursor(self.position)

    @property
    def place(self) -> StreamVersion:
        """Where its event is stored."""
        return self.stream_id, self.version


@dataclass(frozen=True, slots=True)
class Act:
    """What one command did, as far as it concerns the reader, in the order of the log.

    `event` is the type that was asked for, None if any.
    """

    entries: tuple[JournalEntry, ...]
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page; None at the end."""

    entries: list[Act | Attempts]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSelection:
    """Which entries of a person: of which type, of one session, from when (included) until when (excluded)."""

    event: str | None = None
    session_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


ALL_OWN = OwnSelection()


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which entries of an organization: by whom, of which type, from when (included) until when (excluded)."""

    organization_id: UUID
    actor_id: UUID | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_ENTRY = SelectList(JournalEntry, **{name: f"j.{name}" for name in COLUMNS})
_HEADS = f"""
SELECT {_ENTRY.sql} FROM journal j
 WHERE {{where}} AND j.position < $2 AND NOT EXISTS (
       SELECT FROM journal h WHERE h.command_id = j.command_id AND h.position < j.position AND ({{visible}}){{alike}})
"""
"""Of each command the first entry that the reader sees: `h` is an earlier one."""
# whoever belonged to it when it was closed belongs to it for ever: nobody can leave any more
_CLOSINGS = f"""
SELECT {_ENTRY.sql} FROM journal j
 WHERE j.event = '{_CLOSED}' AND j.position < $2 AND j.organization_id = ANY (ARRAY(
       SELECT m.organization_id FROM member_list m JOIN organization_list o USING (organization_id)
        WHERE m.live_user_id = $1 AND o.ended_at IS NOT NULL))
"""
_OF_A_TYPE = f"""
SELECT {_ENTRY.sql} FROM journal j
 WHERE j.person_id = $1 AND j.event = $2 AND j.position < $3 ORDER BY j.position DESC LIMIT $4
"""
_OF_A_ROLE = f"""
SELECT {_ENTRY.sql} FROM journal j
 WHERE j.person_id = $1 AND j.organization_id = $2 AND j.event = ANY($3) ORDER BY j.position DESC LIMIT 1
"""
_OFFER_BEHIND = f"""
SELECT {_ENTRY.sql} FROM journal j
 WHERE j.event = ANY($3) AND j.position = ANY (ARRAY(
       SELECT l.position FROM journal a JOIN log l ON l.stream_id = a.stream_id
        WHERE a.command_id = $1 AND a.event = $2))
 ORDER BY j.position DESC LIMIT 1
"""
_ACT = f"SELECT {_ENTRY.sql} FROM journal j WHERE j.command_id = ANY($1) AND {{visible}} ORDER BY j.position"
_ACTS_OF_A_PERSON = _ACT.format(visible="(j.person_id = $2 OR j.actor_id = $2 OR j.position = ANY($3))")
_ACTS_OF_AN_ORGANIZATION = _ACT.format(visible="j.organization_id = $2")


def of_a_person(
    read: Statements, keyring: Keyring, user_id: UUID, *, before: Cursor, limit: int, only: OwnSelection = ALL_OWN
) -> Page:
    """What a person did and what was done to their account, attempts folded, with where they came from.

    Of a session, what was done through it and what became of it.
    """
    found = list[Iterator[JournalEntry | Attempts]]()
    if only.event != ATTEMPT:
        found.append(_heads(read, user_id, before, only))
    if only.event in (None, ATTEMPT):
        about = (only.session_id, only.since, only.until)
        found.append(attempts_on(read, keyring, user_id, about, before=before, chunk=_CHUNK))
    chosen, next_cursor = _page(merge(*found, key=lambda one: one.cursor, reverse=True), limit)
    heads = [one for one in chosen if isinstance(one, JournalEntry)]
    positions = [one.position for one in heads]
    acts = _acts(read, _ACTS_OF_A_PERSON, heads, user_id, positions, event=only.event)
    return Page([acts[one.position] if isinstance(one, JournalEntry) else one for one in chosen], next_cursor)


def of_an_organization(read: Statements, selection: Selection, *, before: Cursor, limit: int) -> Page:
    """What happened in an organization. The times are those of the commands, as entries show them."""
    sql, values = _of_an_organization(read, selection)
    rows = read.rows(sql, selection.organization_id, before.position, limit + 1, *values)
    heads = _ENTRY.read_all(rows[:limit])
    acts = _acts(read, _ACTS_OF_AN_ORGANIZATION, heads, selection.organization_id, event=selection.event)
    return Page([acts[one.position] for one in heads], str(heads[-1].cursor) if len(rows) > limit else None)


def last_of_a_type(read: Statements, user_id: UUID, event: str, *, before: int, limit: int) -> list[JournalEntry]:
    """The last entries of one type that concern a person, before a position of the log; newest first."""
    return _ENTRY.read_all(read.rows(_OF_A_TYPE, user_id, event, before, limit))


def last_about_role(read: Statements, user_id: UUID, organization_id: UUID) -> Page:
    """How a person came by what they are in an organization: the last that was said of it, if anything was.

    Of who accepted an invitation, also who sent it, or renewed it last: it was theirs to give.
    """
    found = _ENTRY.read_all(read.rows(_OF_A_ROLE, user_id, organization_id, list(_GIVING_A_ROLE)))
    if found and found[0].event == _JOINED:
        found += _ENTRY.read_all(read.rows(_OFFER_BEHIND, found[0].command_id, _ACCEPTED, list(_OFFERING)))
    return Page([Act((one,)) for one in found], None)


# texts differ with what is asked for, since a filter that may be absent keeps the planner from its index


class _Conditions:
    """What entries `j` have to meet, beside the first three values of a query; and an earlier one `h` of the same
    command, to be told in their place.
    """

    def __init__(self) -> None:
        self.values, self._entry, self._alike = list[Any](), list[str](), list[str]()

    def add(self, condition: str, value: Any, *, alike: bool = False) -> None:
        """One, with `{0}` for the entry and `{1}` for the value."""
        self.values.append(value)
        hole = f"${len(self.values) + 3}"
        self._entry.append(condition.format("j", hole))
        if alike:
            self._alike.append(condition.format("h", hole))

    def add_times(self, read: Statements, since: datetime | None, until: datetime | None) -> None:
        """From when until when; by the positions around them an index finds the place."""
        if since is not None:
            self.add("{0}.at >= {1}", since)
            self.add("{0}.position > {1}", position_at(read, since - _EARLY))
        if until is not None:
            self.add("{0}.at < {1}", until)
            self.add("{0}.position <= {1}", position_at(read, until + _LATE))

    @property
    def entry(self) -> str:
        return "".join(f" AND {one}" for one in self._entry)

    @property
    def alike(self) -> str:
        return "".join(f" AND {one}" for one in self._alike)


def _of_a_person(read: Statements, only: OwnSelection) -> tuple[str, list[Any]]:
    given = _Conditions()
    if only.event is not None:
        given.add("{0}.event = {1}", only.event, alike=True)
    if only.session_id is not None:
        given.add("({0}.session_id = {1} OR {0}.stream_id = {1})", only.session_id, alike=True)
    given.add_times(read, only.since, only.until)
    visible = "h.person_id = $1 OR h.actor_id = $1"
    branches = [
        _HEADS.format(where=f"j.{column} = $1{given.entry}", visible=visible, alike=given.alike)
        for column in ("person_id", "actor_id")
    ]
    if only.event in (None, _CLOSED):
        branches.append(f"{_CLOSINGS}{given.entry}")
    limited = (f"({branch} ORDER BY j.position DESC LIMIT $3)" for branch in branches)
    return f"SELECT * FROM ({' UNION '.join(limited)}) all_ways ORDER BY position DESC LIMIT $3", given.values


def _of_an_organization(read: Statements, selection: Selection) -> tuple[str, list[Any]]:
    given, where = _Conditions(), "j.organization_id = $1"
    if selection.actor_id is not None:
        given.add("{0}.actor_id = {1}", selection.actor_id)
        # who never belonged to it is told by their address only: to be asked for by an id would tell whose it is
        where += f" AND j.event NOT IN ('{_REJECTED}', '{_ERASED}')"
    if selection.event is not None:
        given.add("{0}.event = {1}", selection.event, alike=True)
    given.add_times(read, selection.since, selection.until)
    heads = _HEADS.format(where=f"{where}{given.entry}", visible="h.organization_id = $1", alike=given.alike)
    return f"{heads} ORDER BY j.position DESC LIMIT $3", given.values


def _acts(read: Statements, sql: str, heads: Sequence[JournalEntry], *values: Any, event: str | None) -> dict[int, Act]:
    """The acts whose first entries these are, by their positions."""
    if not heads:
        return {}
    together: dict[UUID, list[JournalEntry]] = {}
    for entry in _ENTRY.read_all(read.rows(sql, [one.command_id for one in heads], *values)):
        together.setdefault(entry.command_id, []).append(entry)
    return {one.position: Act(tuple(together.get(one.command_id, [one])), event) for one in heads}


def _page(found: Iterable[JournalEntry | Attempts], limit: int) -> tuple[list[JournalEntry | Attempts], str | None]:
    chosen: list[JournalEntry | Attempts] = []
    open_folds: dict[Any, Attempts] = {}
    last = None
    for count, one in enumerate(found):
        fold = open_folds.get(one.alike) if isinstance(one, Attempts) else None
        if (fold is None and len(chosen) == limit) or count == _READ_AT_MOST:
            return chosen, str(last)
        if fold is not None and isinstance(one, Attempts):
            last = one.cursor
            fold.fold(one)
            continue
        chosen.append(one)
        # a run of attempts ends where something happened
        open_folds = {**open_folds, one.alike: one} if isinstance(one, Attempts) else {}
        last = one.cursor
    return chosen, None


def _heads(read: Statements, user_id: UUID, before: Cursor, only: OwnSelection) -> Iterator[JournalEntry]:
    # an attempt stands after the event at its position, which so is still to come
    position = before.position + 1 if before.key else before.position
    sql, values = _of_a_person(read, only)
    while entries := _ENTRY.read_all(read.rows(sql, user_id, position, _CHUNK, *values)):
        yield from entries
        position = entries[-1].position
