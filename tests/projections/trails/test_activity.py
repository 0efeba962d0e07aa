"""A person's and an organization's journal, page by page: what is on a page, and that pages fit together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import chance
from domain.store.envelope import WhereFrom
from projections.trails.activity import ATTEMPT, Attempt, BadCursor, Fold, Page, Spot
from tests.keeping import caught_up
from tests.people import NOON
from tests.projections.trails.life import AT_HOME, AWAY, BRITAIN, FIREFOX, Life


def spot_of(fold: Fold) -> tuple[int, bytes]:
    return fold.newest.spot.position, fold.newest.spot.key


@pytest.mark.parametrize("event", [None, "OrganizationChosen"])
def test_the_organization_a_session_begins_in_is_no_entry_but_a_choice_is(life: Life, event: str | None) -> None:
    session_id = life.opens("Ada")
    life.signs_in("Ada")
    assert [fold for fold in life.page("Ada", event="OrganizationChosen").folds] == []
    life.turns_to(session_id, "Ada", life.organization_of("Ada"))
    life.turns_to(session_id, "Ada", None)
    assert [one.text for one in life.told("Ada", life.page("Ada", event=event))][:2] == [
        "You turned to no organization on Chrome 130 on macOS, Germany.",
        "You turned to Ada's Organization on Chrome 130 on macOS, Germany.",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_neither_skip_nor_repeat_while_others_write(life: Life, limit: int) -> None:
    life.opens("Ada")
    for number in range(6):
        life.signs_out(life.signs_in("Ada"))
        life.is_refused("Ada", WhereFrom(f"192.0.2.{number}", FIREFOX))
        life.is_refused("Ada", WhereFrom(f"198.51.100.{number}", FIREFOX))
    there = life.spots_of("Ada")
    assert len(there) == 4 + 6 * 4
    assert len({position for position, _ in there}) < len(there)
    life.opens("Bo")

    cursor: str | None = ""
    found: list[tuple[int, bytes]] = []
    while cursor is not None:
        page = life.page("Ada", cursor, limit=limit)
        assert 1 <= len(page.folds) <= limit
        found += map(spot_of, page.folds)
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
    there = [spot_of(fold) for fold in life.selected().folds]
    assert len(there) == 9

    cursor: str | None = ""
    found: list[tuple[int, bytes]] = []
    while cursor is not None:
        page = life.selected(cursor, limit=limit)
        assert 1 <= len(page.folds) <= limit
        found += map(spot_of, page.folds)
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
    page = life.page("Ada", limit=4)
    assert (len(page.folds), page.next_cursor) == (4, None)
    assert life.page("Ada", limit=3).next_cursor is not None
    assert life.selected(limit=2).next_cursor is None
    assert life.selected(limit=1).next_cursor is not None


def test_renewals_are_one_entry_until_something_else_happens(life: Life) -> None:
    session_id = life.opens("Ada")
    for _ in range(3):
        life.renews(session_id)
    first_run = life.now
    life.signs_in("Ada")
    for _ in range(2):
        life.renews(session_id)
    newest, signed_in, before, *_ = life.told("Ada")
    assert newest.text == "You kept using Chrome 130 on macOS, Germany: the session was extended 2 times."
    assert (newest.times, newest.at, newest.since) == (2, life.now, life.now - timedelta(days=1, minutes=1))
    assert signed_in.event == "SessionStarted"
    assert before.text == "You kept using Chrome 130 on macOS, Germany: the session was extended 3 times."
    assert (before.times, before.at) == (3, first_run)
    assert before.since == NOON + timedelta(minutes=2, days=1)


def test_another_device_that_shows_the_same_session_does_not_hide_among_its_renewals(life: Life) -> None:
    session_id = life.opens("Ada")
    for where_from in (AT_HOME, AWAY, AWAY, AWAY, AT_HOME):
        life.renews(session_id, where_from)
    at_home, away = "Chrome 130 on macOS, Germany", "Firefox 132 on Linux, United Kingdom"
    assert life.texts("Ada")[:6] == [
        f"Your session was used from another address or browser: {at_home}.",
        f"You kept using {at_home}: the session was extended.",
        f"You kept using {away}: the session was extended 2 times.",
        f"Your session was used from another address or browser: {away}.",
        f"You kept using {away}: the session was extended.",
        f"You kept using {at_home}: the session was extended.",
    ]


def test_renewals_of_two_devices_are_not_one_entry_where_the_move_is_not_told(life: Life) -> None:
    session_id = life.opens("Ada")
    for where_from in (AT_HOME, AWAY, AWAY, AT_HOME):
        life.renews(session_id, where_from)
    assert [one.text for one in life.told("Ada", life.page("Ada", event="SessionRenewed"))] == [
        "You kept using Chrome 130 on macOS, Germany: the session was extended 2 times.",
        "You kept using Firefox 132 on Linux, United Kingdom: the session was extended 2 times.",
    ]


def test_renewals_of_two_devices_are_two_entries(life: Life) -> None:
    at_home = life.opens("Ada")
    away = life.signs_in("Ada", AWAY)
    for _ in range(3):
        life.renews(at_home)
        life.renews(away, AWAY)
    assert life.texts("Ada")[:3] == [
        "You kept using Firefox 132 on Linux, United Kingdom: the session was extended 3 times.",
        "You kept using Chrome 130 on macOS, Germany: the session was extended 3 times.",
        "You signed in with Firefox 132 on Linux, United Kingdom.",
    ]


def test_a_page_does_not_end_in_the_middle_of_a_run(life: Life) -> None:
    session_id = life.opens("Ada")
    for _ in range(5):
        life.renews(session_id)
    page = life.page("Ada", limit=1)
    assert [fold.times for fold in page.folds] == [5]
    assert page.next_cursor is not None
    [following] = life.page("Ada", page.next_cursor, limit=1).folds
    assert life.told("Ada", Page([following], None))[0].event == "SessionStarted"


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
    assert (signed_in.event, began.event) == ("SessionStarted", "SessionStarted")
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
        "INSERT INTO attempts (key, family, after_position, person_id, action, code, times, first_at, last_at)"
        " SELECT key, '', (SELECT max(position) FROM log), %s, 'sign-in/email', 'INVALID_EMAIL_OR_PASSWORD', 1,"
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
        "INSERT INTO attempts (key, family, after_position, person_id, action, code, times, first_at, last_at)"
        " SELECT sha256(n::text::bytea), '', (SELECT max(position) FROM log), %s, 'sign-in/email',"
        "        'INVALID_EMAIL_OR_PASSWORD', 2, now(), now() FROM generate_series(1, 2500) n",
        life.people["Ada"],
    )
    cursor: str | None = ""
    pages: list[list[int]] = []
    while cursor is not None:
        page = life.page("Ada", cursor, limit=50)
        pages.append([fold.times for fold in page.folds if isinstance(fold.newest, Attempt)])
        cursor = page.next_cursor
    assert pages == [[2000], [2000], [1000]]


def test_entries_of_an_organization_are_found_by_who_what_and_when(life: Life) -> None:
    life.now = chance.now() - timedelta(hours=2)
    life.opens("Ada")
    at, ada = life.now, life.people["Ada"]
    founded, joined = ["PersonalOrganizationFounded"], ["MemberJoined"]
    a_moment = timedelta(milliseconds=1)

    def events(**only: Any) -> list[str]:
        return [one.event for one in life.told_to_admins(life.selected(**only))]

    assert events() == events(actor_id=ada) == joined + founded
    assert events(actor_id=chance.new_id()) == []
    assert events(event="MemberJoined") == joined
    assert events(event="PersonalOrganizationFounded", actor_id=ada) == founded
    assert events(since=at) == events(until=at + a_moment) == events(since=at, until=at + a_moment) == joined + founded
    assert events(since=at + a_moment) == events(until=at) == []
    assert events(since=at, event="MemberJoined", actor_id=ada, until=at + a_moment) == joined


def test_an_event_is_found_by_its_own_time_though_clocks_differ(life: Life) -> None:
    life.now = chance.now() + timedelta(hours=20)
    life.opens("Ada")
    assert len(life.selected(since=life.now).folds) == 2
    assert len(life.selected(since=life.now, until=life.now + timedelta(minutes=1)).folds) == 2


@pytest.mark.parametrize(
    "cursor", ["x", "-1", "1.", "1.g0", "1.abc", ".ab", "1.AB", "1 ", "1e5", "9" * 19, "\u0661", "1.00\n"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        Spot.of(cursor)


@pytest.mark.parametrize("spot", [Spot(0), Spot(17), Spot(17, b"\x00"), Spot(-1, b"k"), Spot(10**18 - 1, b"k" * 32)])
def test_a_cursor_names_its_spot(spot: Spot) -> None:
    assert Spot.of(str(spot)) == spot
