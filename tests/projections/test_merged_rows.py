"""Rows written by one statement equal rows written event by event, and rows rebuilt from the events equal both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.ids import new_id
from domain.session import (
    EndReason,
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    Way,
)
from domain.store import Addition, Store, Subject
from domain.store.envelope import Recorded
from domain.store.rows import Kind, Projection
from domain.user import ImageChanged, NameChanged, PasswordChanged, Revocation, SessionsRevoked, SignedUp
from projections import INLINE
from tests.databases import Database
from tests.domain.store.entries import AT_HOME, by_ada, founded, joined, started
from tests.people import NOON

KINDS = ("session", "user", "organization", "membership")
TABLES = {projection.aggregate: projection.table for projection in INLINE}


@dataclass(frozen=True)
class Entry:
    """One more event for the n-th stream: how it goes on is only asked of sessions and accounts."""

    stream: int
    next: int


@dataclass
class Story:
    """Streams by number, each of the kind its number says; whose ids are fresh in every telling."""

    subject: Subject
    ids: dict[int, UUID]
    versions: dict[int, int]

    def event(self, entry: Entry) -> Any | None:
        """The entry as an event; None where the stream has nothing more to say."""
        kind, version = KINDS[entry.stream % len(KINDS)], self.versions[entry.stream]
        if version == 0:
            return self._first(kind, entry.stream)
        which, number = entry.next % 12, entry.next // 12
        text = None if number % 2 else f"number {number}"
        following: dict[str, list[Any]] = {
            "session": [
                SessionRenewed(expires_at=NOON + timedelta(hours=number)),
                OrganizationChosen(organization_id=None if number % 2 else UUID(int=number)),
                SessionReauthenticated(way=Way.PASSWORD),
                SessionMoved(),
                SessionKept(epoch=number),
                SessionEnded(reason=list(EndReason)[number % len(EndReason)]),
            ],
            "user": [
                NameChanged(name=text),
                ImageChanged(image=text),
                PasswordChanged(password_version=number),
                SessionsRevoked(epoch=number, reason=Revocation.EVERYWHERE),
            ],
        }
        events = following.get(kind)
        return None if events is None else events[which % len(events)]

    def _first(self, kind: str, number: int) -> Any:
        me = self.subject.subject_id
        match kind:
            case "session":
                return started(user_id=me)
            case "user":
                return SignedUp(
                    email="ada@example.com", name=None, image=None, email_hash=new_id().bytes, password_version=1
                )
            case "organization":
                return founded(self.ids[number].hex, self.ids[number])
            case _:
                return joined(self.ids[number], me)

    def tell(self, store: Store, batch: list[Entry]) -> None:
        """Append what the entries say, in one append."""
        additions: list[Addition] = []
        for entry in batch:
            if (event := self.event(entry)) is not None:
                additions.append(Addition(self.ids[entry.stream], self.versions[entry.stream], [event], self.subject))
                self.versions[entry.stream] += 1
        together: dict[UUID, Addition] = {}
        for one in additions:
            before = together.get(one.stream_id, Addition(one.stream_id, one.version, [], one.subject))
            together[one.stream_id] = Addition(
                one.stream_id, before.version, [*before.events, *one.events], one.subject
            )
        store.append(by_ada(), self.subject, *together.values())


def a_story(store: Store) -> Story:
    subject = store.new_subject(new_id())
    # stores the key, so that every telling seals for a known subject
    store.append(by_ada(), subject, Addition(new_id(), 0, [started(user_id=subject.subject_id)]))
    return Story(store.subject(subject.subject_id), {n: new_id() for n in range(8)}, dict.fromkeys(range(8), 0))


def live_rows(database: Database, story: Story) -> dict[int, dict[str, Any]]:
    """The rows as they stand, without what differs from telling to telling."""
    found: dict[int, dict[str, Any]] = {}
    for number, stream_id in story.ids.items():
        table = TABLES[KINDS[number % len(KINDS)]]
        columns = [name for name in table.types if name != table.key]
        rows = database.rows(f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.key} = %s", stream_id)
        if rows:
            [row] = rows
            found[number] = dict(zip(columns, row, strict=True))
    return found


def comparable(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Without ids and hashes, which are fresh in every telling."""
    fresh = {"user_id", "live_user_id", "token_hash", "organization_id", "email_hash", "email_slot"}
    fresh |= {"slug", "slug_slot", "personal_organization"}
    return {
        number: {
            name: value
            for name, value in row.items()
            if name not in fresh or (KINDS[number % len(KINDS)] == "session" and name == "organization_id")
        }
        for number, row in rows.items()
    }


def rebuilt(store: Store, story: Story) -> dict[int, dict[str, Any]]:
    """The rows as a plain reading of each stream makes them, one event after the other."""
    projections: dict[str, Projection] = {projection.aggregate: projection for projection in INLINE}
    made: dict[int, dict[str, Any]] = {}
    for number, stream_id in story.ids.items():
        projection = projections[KINDS[number % len(KINDS)]]
        for recorded in store.events.get(stream_id):
            assert isinstance(recorded, Recorded)
            row = projection.project(recorded.event, recorded.command)
            if recorded.version == 1:
                assert row is not None
                assert row.kind is Kind.PUT
                made[number] = dict.fromkeys(name for name in projection.table.types if name != projection.table.key)
                made[number] |= DEFAULTS.get(projection.table.name, {})
            made[number] |= {"version": recorded.version, **(row.values if row is not None else {})}
    return made


DEFAULTS = {"account_list": {"email_verified": False, "email_contested": False, "session_epoch": 0, "key_epoch": 0}}
ENTRY = st.builds(Entry, st.integers(0, 7), st.integers(0, 12 * len(EndReason) - 1))
ENTRIES = st.lists(ENTRY, min_size=1, max_size=24)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, cuts=st.lists(st.integers(1, 24), max_size=4, unique=True))
def test_merged_rows_equal_rows_written_one_event_at_a_time_and_rows_rebuilt(
    store: Store, database: Database, entries: list[Entry], cuts: list[int]
) -> None:
    together, one_by_one = a_story(store), a_story(store)
    edges = [0, *sorted(cut for cut in cuts if cut < len(entries)), len(entries)]
    for begin, end in pairwise(edges):
        together.tell(store, entries[begin:end])
    for entry in entries:
        one_by_one.tell(store, [entry])

    merged = live_rows(database, together)
    assert comparable(merged) == comparable(live_rows(database, one_by_one))
    assert merged == rebuilt(store, together)
    assert {number: row["version"] for number, row in merged.items()} == {
        number: version for number, version in together.versions.items() if version
    }


def test_a_session_row_comes_from_the_command_that_started_it(store: Store, database: Database) -> None:
    a_story(store)
    assert database.rows("SELECT ip_address, user_agent FROM session_list") == [
        (AT_HOME.ip_address, AT_HOME.user_agent)
    ]
