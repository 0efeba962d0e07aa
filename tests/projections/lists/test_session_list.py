"""session_list: the devices a person is signed in on, in which order, and which of them live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from domain.ids import new_id
from domain.session import (
    EndReason,
    OrganizationChosen,
    Seen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    Way,
)
from domain.store import Addition, Store
from domain.store.envelope import CommandRecord, WhereFrom
from domain.store.last_active import LastActive
from domain.user import Revocation, SessionsRevoked, SignedUp
from projections.lists.session_list import (
    SessionLookups,
    SessionRow,
    was_replaced,
)
from tests.databases import Database
from tests.domain.store.entries import AT_HOME, WEEK, by_ada, founded, joined, started
from tests.people import ADA, BO, NOON
from tests.session_lists import last_used, sessions_of

A_MOMENT = timedelta(milliseconds=1)
AWAY = WhereFrom("203.0.113.7", "Firefox")


def after(**by: float) -> datetime:
    return NOON + timedelta(**by)


def secret(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


@dataclass
class Devices:
    """Sessions of Ada and Bo, told one event after the other; each is known by a number, which is its secret."""

    store: Store
    versions: dict[UUID, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def begins(self, *, at: datetime = NOON, user_id: UUID = ADA, epoch: int = 0, **others: Any) -> UUID:
        """A session begins; how it goes on from the beginning is told by `then`."""
        then = others.pop("then", ())
        begun = replace(started(secret(next(self.numbers)), user_id=user_id), epoch=epoch, **others)
        session_id = new_id()
        self.tell(session_id, begun, *then, at=at)
        return session_id

    def tell(self, stream_id: UUID, *events: Any, at: datetime = NOON, where_from: WhereFrom = AT_HOME) -> None:
        """What happens next in a stream."""
        version, subject = self.versions.get(stream_id, 0), self.store.subject(ADA)
        command = CommandRecord.by_user(ADA, session_id=stream_id, at=at, where_from=where_from)
        self.store.append(command, subject, Addition(stream_id, version, events, subject))
        self.versions[stream_id] = version + len(events)

    def listed(
        self, first: UUID | None = None, *, now: datetime = NOON, user_id: UUID = ADA, **others: Any
    ) -> list[SessionRow]:
        """Ada's list, whole if no page is asked for."""
        asked = {"started_after": None, "limit": None, "offset": 0} | others
        return sessions_of(self.store.statements, user_id, first=first or new_id(), now=now, **asked)

    def ids(self, *asked: Any, **others: Any) -> list[UUID]:
        """The sessions on it, by their ids."""
        return [row.session_id for row in self.listed(*asked, **others)]


@pytest.fixture
def devices(store: Store) -> Devices:
    """Ada and Bo have accounts; nobody is signed in."""
    for user_id in (ADA, BO):
        subject = store.new_subject(user_id)
        signed_up = SignedUp(email=None, name=None, image=None, email_hash=user_id.bytes, password_version=1)
        store.append(by_ada(), subject, Addition(user_id, 0, [signed_up], subject))
    return Devices(store, dict.fromkeys((ADA, BO), 1))


def test_the_one_asking_comes_first_then_those_last_used(devices: Devices) -> None:
    oldest, older, newer, newest = (devices.begins(at=after(minutes=minute)) for minute in range(4))
    assert devices.ids(older) == [older, newest, newer, oldest]
    LastActive(devices.store.statements).record({oldest: after(hours=2), newer: after(hours=1)})
    assert devices.ids(older) == [older, oldest, newer, newest]
    assert [at for _, at in last_used(devices.store.statements, ADA, older, NOON)] == [
        after(minutes=1), after(hours=2), after(hours=1), after(minutes=3)
    ]  # fmt: skip
    devices.tell(newest, SessionRenewed(expires_at=NOON + WEEK), at=after(hours=3))
    assert devices.ids(older) == [older, newest, oldest, newer]
    assert devices.ids(BO) == [newest, oldest, newer, older]


def test_what_was_written_down_late_does_not_hide_what_happened_since(devices: Devices) -> None:
    session_id = devices.begins()
    LastActive(devices.store.statements).record({session_id: after(minutes=1)})
    devices.tell(session_id, SessionReauthenticated(way=Way.PASSWORD), at=after(minutes=2))
    [(row, active_at)] = last_used(devices.store.statements, ADA, session_id, NOON)
    assert (active_at, row.authenticated_at) == (after(minutes=2), after(minutes=2))


def test_pages_of_the_list_follow_each_other(devices: Devices) -> None:
    sessions = sorted(devices.begins() for _ in range(7))
    whole = devices.ids(sessions[3])
    assert (whole[0], sorted(whole)) == (sessions[3], sessions)
    for limit in (1, 2, 3, 7, 8):
        pages = [devices.ids(sessions[3], limit=limit, offset=offset) for offset in range(0, 7, limit)]
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert [one for page in pages for one in page] == whole
    assert devices.ids(sessions[3], offset=5) == whole[5:]
    assert devices.ids(sessions[3], limit=3, offset=7) == []


def test_a_session_says_where_it_is_and_what_it_is_turned_to(devices: Devices) -> None:
    acme, membership = new_id(), new_id()
    devices.tell(acme, founded("acme"))
    devices.tell(membership, joined(acme, ADA))
    session_id = devices.begins(then=[OrganizationChosen(organization_id=acme)])
    devices.tell(session_id, SessionMoved(), at=after(hours=2), where_from=AWAY)
    [row] = devices.listed()
    assert row == SessionRow(
        session_id=session_id,
        user_id=ADA,
        expires_at=NOON + WEEK,
        created_at=NOON,
        updated_at=after(hours=2),
        authenticated_at=NOON,
        seen_at=after(hours=2),
        ip_address="203.0.113.7",
        user_agent="Firefox",
        active_organization_id=acme,
        way="password",
    )


@pytest.mark.parametrize(
    "over", ["UPDATE member_list SET live_user_id = NULL", "UPDATE organization_list SET ended_at = now()"]
)
def test_what_one_no_longer_belongs_to_is_not_what_one_is_turned_to(
    devices: Devices, database: Database, over: Any
) -> None:
    acme = new_id()
    devices.tell(acme, founded("acme"))
    devices.tell(new_id(), joined(acme, ADA))
    devices.begins(then=[OrganizationChosen(organization_id=acme)])
    assert [row.active_organization_id for row in devices.listed()] == [acme]
    database.rows(over)
    assert [row.active_organization_id for row in devices.listed()] == [None]


@pytest.mark.parametrize("reason", list(EndReason))
def test_what_has_ended_is_not_listed(devices: Devices, reason: EndReason) -> None:
    ended, live = devices.begins(), devices.begins()
    devices.tell(ended, SessionEnded(reason=reason))
    assert devices.ids(ended) == [live]


def test_what_runs_out_is_listed_until_that_very_moment(devices: Devices) -> None:
    brief, _ = devices.begins(expires_at=after(days=1)), devices.begins(at=after(days=-7), expires_at=NOON)
    assert devices.ids(now=after(days=1) - A_MOMENT) == [brief]
    assert devices.ids(now=after(days=1)) == []


def test_what_has_lived_for_as_long_as_any_may_is_not_listed(devices: Devices) -> None:
    old, young = devices.begins(), devices.begins(at=NOON + A_MOMENT)
    assert devices.ids(started_after=NOON - A_MOMENT) == [young, old]
    assert devices.ids(started_after=NOON) == [young]


def test_of_all_that_were_ended_at_once_only_the_one_kept_is_listed(devices: Devices) -> None:
    kept, left, of_bo = devices.begins(), devices.begins(), devices.begins(user_id=BO)
    devices.tell(ADA, SessionsRevoked(epoch=1, reason=Revocation.OTHERS))
    devices.tell(kept, SessionKept(epoch=1))
    late = devices.begins(at=after(hours=1))
    new = devices.begins(at=after(hours=2), epoch=1)
    assert devices.ids() == [new, kept]
    assert {left, late}.isdisjoint(devices.ids())
    assert devices.ids(user_id=BO) == [of_bo]


def test_a_closed_account_has_no_sessions(devices: Devices, database: Database) -> None:
    session_id = devices.begins()
    database.rows("UPDATE account_list SET ended_at = now()")
    read = devices.store.statements
    assert devices.listed() == SessionLookups(read).oldest_sessions(ADA, keep=0, now=NOON, started_after=None) == []
    assert SessionLookups(read).live_session(ADA, session_id=session_id, token_hash=b"") is None


def test_beyond_a_number_the_oldest_are_named_first(devices: Devices) -> None:
    oldest, older, new, newest = (devices.begins(at=after(minutes=minute)) for minute in range(4))
    devices.begins(user_id=BO, at=after(days=-1))
    LastActive(devices.store.statements).record({oldest: after(days=1)})

    def surplus(keep: int, limit: int = 100, now: datetime = NOON) -> list[UUID]:
        return SessionLookups(devices.store.statements).oldest_sessions(
            ADA, keep=keep, now=now, started_after=None, limit=limit
        )

    assert [surplus(keep) for keep in (5, 4, 3, 2)] == [[], [], [oldest], [oldest, older]]
    assert (surplus(0), surplus(0, limit=3)) == ([oldest, older, new, newest], [oldest, older, new])
    devices.tell(newest, SessionEnded(reason=EndReason.SIGNED_OUT))
    assert surplus(2) == [oldest]
    devices.tell(older, SessionRenewed(expires_at=after(days=9)))
    assert (surplus(0, now=NOON + WEEK - A_MOMENT), surplus(0, now=NOON + WEEK)) == ([oldest, older, new], [older])
    devices.tell(ADA, SessionsRevoked(epoch=1, reason=Revocation.EVERYWHERE))
    assert surplus(0) == []


def test_what_has_lived_for_as_long_as_any_may_takes_nobody_s_room(devices: Devices) -> None:
    devices.begins(at=after(days=-2))
    older, newer = devices.begins(at=after(days=-1)), devices.begins()
    read, a_day_and_a_half_ago = devices.store.statements, NOON - timedelta(days=1.5)
    surplus = SessionLookups(read).oldest_sessions(ADA, keep=1, now=NOON, started_after=a_day_and_a_half_ago)
    assert surplus == [older]
    assert SessionLookups(read).oldest_sessions(ADA, keep=0, now=NOON, started_after=NOON) == []
    assert newer in SessionLookups(read).oldest_sessions(ADA, keep=0, now=NOON, started_after=a_day_and_a_half_ago)


def test_those_that_began_at_the_same_moment_are_of_the_order_of_their_ids(devices: Devices) -> None:
    sessions = sorted(devices.begins() for _ in range(4))
    assert (
        SessionLookups(devices.store.statements).oldest_sessions(ADA, keep=1, now=NOON, started_after=None)
        == sessions[:3]
    )


def test_a_live_session_is_found_by_its_id_or_its_secret_and_is_ones_own(devices: Devices) -> None:
    read = devices.store.statements
    first, second, of_bo = devices.begins(), devices.begins(), devices.begins(user_id=BO)
    assert SessionLookups(read).live_session(ADA, session_id=second, token_hash=b"") == second
    assert SessionLookups(read).live_session(ADA, session_id=None, token_hash=secret(1)) == second
    assert SessionLookups(read).live_session(ADA, session_id=None, token_hash=secret(0)) == first
    assert SessionLookups(read).live_session(ADA, session_id=of_bo, token_hash=secret(2)) is None
    assert SessionLookups(read).live_session(BO, session_id=of_bo, token_hash=secret(0)) == of_bo
    assert SessionLookups(read).live_session(ADA, session_id=ADA, token_hash=b"") is None
    assert SessionLookups(read).live_session(ADA, session_id=None, token_hash=b"") is None


def test_what_has_ended_is_not_found_but_what_has_run_out_unnoticed(devices: Devices) -> None:
    read = devices.store.statements
    run_out, ended, left = devices.begins(expires_at=NOON), devices.begins(), devices.begins()
    devices.tell(ended, SessionEnded(reason=EndReason.REVOKED))
    assert [
        SessionLookups(read).live_session(ADA, session_id=one, token_hash=b"") for one in (run_out, ended, left)
    ] == [run_out, None, left]
    devices.tell(ADA, SessionsRevoked(epoch=1, reason=Revocation.EVERYWHERE))
    for number, session_id in enumerate((run_out, ended, left)):
        assert SessionLookups(read).live_session(ADA, session_id=session_id, token_hash=secret(number)) is None


def test_a_replaced_session_is_known_by_its_secret(devices: Devices) -> None:
    for reason in EndReason:
        devices.tell(devices.begins(), SessionEnded(reason=reason))
    devices.begins()
    read, secrets = devices.store.statements, [secret(number) for number in range(len(EndReason) + 2)]
    known = [was_replaced(read, [one]) for one in secrets]
    assert known == [*(reason == EndReason.REPLACED for reason in EndReason), False, False]
    assert known.count(True) == 1
    assert was_replaced(read, secrets)
    assert not was_replaced(read, [])


def test_a_session_was_last_seen_where_it_began_until_it_moved(devices: Devices) -> None:
    read, session_id = devices.store.statements, devices.begins()
    at_home = Seen(ip_address="192.0.2.1", user_agent="Chrome", at=NOON, started_at=NOON)
    assert SessionLookups(read).last_seen(session_id) == at_home
    devices.tell(session_id, SessionRenewed(expires_at=NOON + WEEK), at=after(hours=1), where_from=AWAY)
    assert SessionLookups(read).last_seen(session_id) == at_home
    devices.tell(session_id, SessionMoved(), at=after(hours=2), where_from=AWAY)
    away = Seen(ip_address="203.0.113.7", user_agent="Firefox", at=after(hours=2), started_at=NOON)
    assert SessionLookups(read).last_seen(session_id) == away
    devices.tell(session_id, SessionMoved(), at=after(hours=3), where_from=WhereFrom("203.0.113.8", ""))
    # a browser that says nothing of itself does not hide the one that is known
    assert SessionLookups(read).last_seen(session_id) == replace(away, ip_address="203.0.113.8", at=after(hours=3))
    assert SessionLookups(read).last_seen(new_id()) is None


def test_of_an_erased_person_it_is_only_known_when(devices: Devices, database: Database) -> None:
    session_id = devices.begins()
    devices.tell(session_id, SessionMoved(), at=after(hours=2), where_from=AWAY)
    database.rows("UPDATE session_list SET ip_address = NULL, user_agent = NULL")
    database.rows("UPDATE session_list SET moved_ip_address = NULL, moved_user_agent = NULL")
    seen = SessionLookups(devices.store.statements).last_seen(session_id)
    assert seen == Seen(ip_address=None, user_agent=None, at=after(hours=2), started_at=NOON)
