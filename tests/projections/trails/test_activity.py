"""A person's and an organization's journal, page by page: what is on a page, and that pages fit together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import clock as system_clock
from domain import ids
from domain.store.envelope import WhereFrom
from projections.trails.activity import ATTEMPT, Act
from projections.trails.attempts import Attempts
from projections.trails.cursor import BadCursor, Cursor
from tests.keeping import caught_up
from tests.people import NOON
from tests.projections.trails.life import AWAY, BRITAIN, FIREFOX, Life


def spot_of(one: Act | Attempts) -> tuple[int, bytes]:
    cursor = one.entries[0].cursor if isinstance(one, Act) else one.cursor
    return cursor.position, cursor.key


@pytest.mark.parametrize("event", [None, "OrganizationChosen"])
def test_a_choice_of_an_organization_is_an_entry(life: Life, event: str | None) -> None:
    session_id = life.opens("Ada")
    life.signs_in("Ada")
    life.turns_to(session_id, "Ada", life.organization_of("Ada"))
    life.turns_to(session_id, "Ada", None)
    assert [one.text for one in life.told("Ada", life.page("Ada", event=event))][:2] == [
        "You turned to no organization on Chrome 130 on macOS, Germany.",
        "You turned to “Ada's Organization” on Chrome 130 on macOS, Germany.",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_neither_skip_nor_repeat_while_others_write(life: Life, limit: int) -> None:
    life.opens("Ada")
    for number in range(6):
        life.signs_out(life.signs_in("Ada"))
        life.is_refused("Ada", WhereFrom(f"192.0.2.{number}", FIREFOX))
        life.is_refused("Ada", WhereFrom(f"198.51.100.{number}", FIREFOX))
    there = life.spots_of("Ada")
    assert len(there) == 1 + 6 * 4
    assert len({position for position, _ in there}) < len(there)
    life.opens("Bo")

    cursor: str | None = ""
    found: list[tuple[int, bytes]] = []
    while cursor is not None:
        page = life.page("Ada", cursor, limit=limit)
        assert 1 <= len(page.entries) <= limit
        found += map(spot_of, page.entries)
        cursor = page.next_cursor
        life.signs_in("Bo")
        life.signs_in("Ada")
        life.is_refused("Ada", WhereFrom("203.0.113.1", FIREFOX))
        life.is_refused("Ada", WhereFrom("192.0.2.3", FIREFOX))
    assert found == there


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_an_organization_neither_skip_nor_repeat_while_others_write(life: Life, limit: int) -> None:
    life.opens("Ada")
    caught_up(life.database)
    _entries_of_the_organization(life, 7)
    there = [spot_of(fold) for fold in life.selected().entries]
    assert len(there) == 8

    cursor: str | None = ""
    found: list[tuple[int, bytes]] = []
    while cursor is not None:
        page = life.selected(cursor, limit=limit)
        assert 1 <= len(page.entries) <= limit
        found += map(spot_of, page.entries)
        cursor = page.next_cursor
        _entries_of_the_organization(life, 2)
        life.signs_in("Ada")
    assert found == there


def _entries_of_the_organization(life: Life, count: int) -> None:
    """More entries, straight into the journal and further up than the log will come: no command makes them yet."""
    life.database.rows(
        "INSERT INTO journal (position, at, event, stream_id, version, command_id, actor_kind, organization_id)"
        " SELECT greatest((SELECT max(position) FROM journal), 1000000000000) + n, now(), 'MemberJoined',"
        "        gen_random_uuid(), 1, gen_random_uuid(), 'system', %s FROM generate_series(1, %s) n",
        life.organization_of("Ada"),
        count,
    )


def test_the_end_of_the_journal_has_no_cursor(life: Life) -> None:
    life.opens("Ada")
    life.signs_in("Ada")
    page = life.page("Ada", limit=2)
    assert (len(page.entries), page.next_cursor) == (2, None)
    assert life.page("Ada", limit=1).next_cursor is not None
    assert life.selected(limit=1).next_cursor is None
    _entries_of_the_organization(life, 1)
    assert life.selected(limit=1).next_cursor is not None


def test_that_a_session_was_renewed_is_no_entry_and_costs_no_row(life: Life) -> None:
    session_id = life.opens("Ada")
    before = life.texts("Ada")
    for _ in range(3):
        life.renews(session_id)
    assert life.texts("Ada") == before
    assert life.database.value("SELECT count(*) FROM journal WHERE event = 'SessionRenewed'") == 0
    assert life.database.value("SELECT count(*) FROM events WHERE name = 'SessionRenewed'") == 3
    life.renews(session_id, AWAY)
    assert life.texts("Ada")[0] == (
        "Your session was used from another address or browser: Firefox 132 on Linux, United Kingdom."
    )


def test_attempts_stand_where_the_log_stood_and_are_folded(life: Life) -> None:
    life.opens("Ada")
    life.is_refused("Ada", times=3)
    first = NOON + timedelta(minutes=2)
    for _ in range(2):
        life.passes(hours=1)
        life.is_refused("Ada")
    last = life.now
    life.is_refused("Ada", WhereFrom("192.0.2.1", "curl/8.9.1"))
    life.signs_in("Ada")
    signed_in, *attempts, began = life.told("Ada")[:4]
    assert (signed_in.event, began.event) == ("SessionStarted", "SignedUp")
    assert {one.text for one in attempts} == {
        "Somebody tried to sign in with a wrong password, 5 times, from Firefox 132 on Linux, United Kingdom.",
        "Somebody tried to sign in with a wrong password, from curl 8.",
    }
    [folded] = [one for one in attempts if one.times == 5]
    assert (folded.event, folded.actor, folded.actor_id, folded.session_id) == (ATTEMPT, "Somebody", None, None)
    assert (folded.at, folded.since, folded.new_device) == (last, first, False)
    assert (folded.device, folded.location, folded.ip_address) == ("Firefox 132 on Linux", "United Kingdom", BRITAIN)


def test_what_is_told_as_one_tells_of_the_first_and_the_last_whatever_their_order(life: Life) -> None:
    life.opens("Ada")
    caught_up(life.database)
    life.database.rows(
        "INSERT INTO attempts (key, family, after_position, person_id, command, code, times, first_at, last_at)"
        " SELECT key, '', (SELECT max(position) FROM log), %s, 'sign_in', 'INVALID_EMAIL_OR_PASSWORD', 1,"
        "        %s + minutes * interval '1 minute', %s + (minutes + 5) * interval '1 minute'"
        "   FROM (VALUES ('\\x01'::bytea, 20), ('\\x02', 40), ('\\x03', 10), ('\\x04', 30)) given (key, minutes)",
        life.people["Ada"],
        NOON,
        NOON,
    )
    [refused, *_] = life.told("Ada")
    assert (refused.times, refused.since, refused.at) == (
        4, NOON + timedelta(minutes=10), NOON + timedelta(minutes=45)
    )  # fmt: skip


def test_only_one_type_is_told_if_only_that_is_asked_for(life: Life) -> None:
    life.opens("Ada")
    life.is_refused("Ada")
    life.signs_in("Ada")
    for event, count in ((ATTEMPT, 1), ("SessionStarted", 2), ("SignedUp", 1), ("SessionEnded", 0)):
        assert [one.event for one in life.told("Ada", life.page("Ada", event=event))] == [event] * count


def test_a_page_under_siege_is_made_of_a_thousand_entries_at_most_and_loses_none(life: Life) -> None:
    life.opens("Ada")
    caught_up(life.database)
    life.database.rows(
        "INSERT INTO attempts (key, family, after_position, person_id, command, code, times, first_at, last_at)"
        " SELECT sha256(n::text::bytea), '', (SELECT max(position) FROM log), %s, 'sign_in',"
        "        'INVALID_EMAIL_OR_PASSWORD', 2, now(), now() FROM generate_series(1, 2500) n",
        life.people["Ada"],
    )
    cursor: str | None = ""
    pages: list[list[int]] = []
    while cursor is not None:
        page = life.page("Ada", cursor, limit=50)
        pages.append([one.times for one in page.entries if isinstance(one, Attempts)])
        cursor = page.next_cursor
    assert pages == [[2000], [2000], [1000]]


def test_entries_of_an_organization_are_found_by_who_what_and_when(life: Life) -> None:
    life.now = system_clock.now() - timedelta(hours=2)
    life.opens("Ada")
    at, ada = life.now, life.people["Ada"]
    founded, joined = ["PersonalOrganizationFounded"], ["MemberJoined"]
    a_moment = timedelta(milliseconds=1)

    def events(**only: Any) -> list[str]:
        return [one.event for one in life.told_to_admins(life.selected(**only))]

    assert events() == events(actor_id=ada) == founded
    assert events(actor_id=ids.new_id()) == []
    assert events(event="MemberJoined") == joined
    assert events(event="PersonalOrganizationFounded", actor_id=ada) == founded
    assert events(since=at) == events(until=at + a_moment) == events(since=at, until=at + a_moment) == founded
    assert events(since=at + a_moment) == events(until=at) == []
    assert events(since=at, event="MemberJoined", actor_id=ada, until=at + a_moment) == joined


def test_nobody_learns_by_an_id_who_rejected_an_invitation(life: Life) -> None:
    life.opens("Ada")
    stranger = ids.new_id()
    caught_up(life.database)
    life.database.rows(
        "INSERT INTO journal"
        " (position, at, event, stream_id, version, command_id, actor_kind, actor_id, organization_id)"
        " SELECT 1000000000000 + n, now(), event, gen_random_uuid(), 1, gen_random_uuid(), 'user', %s, %s"
        "   FROM unnest(ARRAY['InvitationRejected', 'InvitationAccepted']) WITH ORDINALITY AS e (event, n)",
        stranger,
        life.organization_of("Ada"),
    )
    told = [one.entries[0].event for one in life.selected(actor_id=stranger).entries if isinstance(one, Act)]
    assert told == ["InvitationAccepted"]
    assert len(life.selected(event="InvitationRejected").entries) == 1


def test_an_event_is_found_by_its_own_time_though_clocks_differ(life: Life) -> None:
    life.now = system_clock.now() + timedelta(hours=20)
    life.opens("Ada")
    assert len(life.selected(since=life.now).entries) == 1
    assert len(life.selected(since=life.now, until=life.now + timedelta(minutes=1)).entries) == 1


@pytest.mark.parametrize(
    "cursor", ["x", "-1", "1.", "1.g0", "1.abc", ".ab", "1.AB", "1 ", "1e5", "9" * 19, "\u0661", "1.00\n"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        Cursor.of(cursor)


@pytest.mark.parametrize(
    "spot", [Cursor(0), Cursor(17), Cursor(17, b"\x00"), Cursor(-1, b"k"), Cursor(10**18 - 1, b"k" * 32)]
)
def test_a_cursor_names_its_place(spot: Cursor) -> None:
    assert Cursor.of(str(spot)) == spot


def test_of_a_session_is_told_what_was_done_through_it_and_what_became_of_it(life: Life) -> None:
    first = life.opens("Ada")
    phone = life.signs_in("Ada", AWAY)
    life.turns_to(phone, "Ada", None)
    life.turns_to(first, "Ada", None)
    life.is_refused("Ada")
    life.revokes(phone, first)
    page = life.page("Ada", session_id=phone)
    told = [one.text for one in life.told("Ada", page)]
    assert len(told) == 3
    assert told[1].startswith("You turned to no organization on")
    assert told[2].startswith("You signed in with")
    assert life.page("Ada", session_id=ids.new_id()).entries == []
    life.opens("Bo")
    assert life.page("Bo", session_id=phone).entries == []


def test_of_days_are_told_the_entries_and_attempts_of_these(life: Life) -> None:
    life.opens("Ada")
    [opened] = life.page("Ada").entries
    at = life.passes(minutes=5)
    life.is_refused("Ada")
    life.signs_in("Ada")
    everything = life.page("Ada").entries
    assert [type(one) for one in everything] == [Act, Attempts, Act]
    assert life.page("Ada", since=at - timedelta(hours=1)).entries == everything
    assert life.page("Ada", since=at).entries == everything[:2]
    assert life.page("Ada", since=life.now).entries == everything[:1]
    assert life.page("Ada", since=life.now + timedelta(seconds=1)).entries == []
    assert life.page("Ada", since=life.now, event=ATTEMPT).entries == []
    assert everything[2] == opened
