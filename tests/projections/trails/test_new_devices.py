"""Which sign-ins and moves are marked as from a browser, system and network the person was not seen on before."""

from __future__ import annotations

import pytest

from domain.events.catalogue import SESSION
from domain.session import SessionMoved
from domain.store.envelope import CommandRecord, WhereFrom
from projections.trails.narrator import RenderedEntry
from tests.projections.trails.life import (
    AWAY,
    CHROME,
    CHROME_ON_WINDOWS,
    CHROME_UPDATED,
    ELSEWHERE,
    FIREFOX,
    GERMANY,
    NEXT_DOOR,
    Life,
)


def test_a_sign_in_is_marked_if_browser_system_or_network_is_new_not_for_a_version_or_an_address(life: Life) -> None:
    life.opens("Ada", WhereFrom(GERMANY, CHROME))
    story = [
        (WhereFrom(GERMANY, CHROME), False),
        (WhereFrom(NEXT_DOOR, CHROME_UPDATED), False),
        (WhereFrom(ELSEWHERE, CHROME_UPDATED), True),
        (WhereFrom(ELSEWHERE, CHROME_UPDATED), False),
        (WhereFrom(GERMANY, FIREFOX), True),
        (WhereFrom(GERMANY, CHROME_ON_WINDOWS), True),
        (WhereFrom("2001:4860:4860:0001:0000:0000:0000:0000", CHROME), True),
        (WhereFrom("2001:4860:4860:00ab:0000:0000:0000:0000", CHROME), False),
        (WhereFrom("2001:4860:4860:0100:0000:0000:0000:0000", CHROME), True),
        (WhereFrom("", CHROME), True),
        (WhereFrom("", ""), True),
        (WhereFrom(NEXT_DOOR, CHROME), False),
    ]
    for where_from, _ in story:
        life.signs_in("Ada", where_from)
    marks = [one.new_device for one in life.told("Ada") if one.event in ("SignedUp", "SessionStarted")]
    assert marks == [*(new for _, new in reversed(story)), False]


def marks_of(life: Life, *, limit: int = 100, event: str | None = None) -> list[bool]:
    """What is marked of all sign-ins and moves, oldest first, told page by page."""
    cursor: str | None = ""
    told: list[RenderedEntry] = []
    while cursor is not None:
        page = life.page("Ada", cursor, limit=limit, event=event)
        told += life.told("Ada", page)
        cursor = page.next_cursor
    return [one.new_device for one in reversed(told) if one.event in ("SignedUp", "SessionStarted", "SessionMoved")]


def test_what_is_marked_does_not_depend_on_the_page(life: Life) -> None:
    life.opens("Ada")
    life.signs_in("Ada", AWAY)
    life.signs_in("Ada", AWAY)
    life.opens("Bo", AWAY)
    for limit in (1, 2, 100):
        assert marks_of(life, limit=limit) == [False, True, False]


def test_a_move_is_marked_if_browser_system_or_network_is_new_not_for_a_version_an_address_or_the_way_back(
    life: Life,
) -> None:
    session_id = life.opens("Ada", WhereFrom(GERMANY, CHROME))
    story = [
        (WhereFrom(GERMANY, CHROME_UPDATED), False),
        (WhereFrom(NEXT_DOOR, CHROME_UPDATED), False),
        (WhereFrom(ELSEWHERE, CHROME_UPDATED), True),
        (WhereFrom(GERMANY, CHROME), False),
        (WhereFrom(GERMANY, FIREFOX), True),
        (WhereFrom(GERMANY, CHROME_ON_WINDOWS), True),
        (WhereFrom(NEXT_DOOR, FIREFOX), False),
        (WhereFrom("2001:4860:4860:0001:0000:0000:0000:0000", FIREFOX), True),
        (WhereFrom("2001:4860:4860:00ab:0000:0000:0000:0000", FIREFOX), False),
        (WhereFrom(ELSEWHERE, CHROME), False),
    ]
    for where_from, _ in story:
        assert life.does_something(session_id, where_from)
    moves = [one for one in life.told("Ada") if one.event == "SessionMoved"]
    assert [one.new_device for one in reversed(moves)] == [new for _, new in story]
    assert (moves[-3].text, moves[-3].ip_address, moves[-3].session_id) == (
        "Your session was used from another address or browser: Chrome 131 on macOS, Germany.",
        ELSEWHERE,
        session_id,
    )


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("event", [None, "SessionMoved"])
def test_where_a_session_was_only_for_a_while_is_marked_the_first_time_and_then_known(
    life: Life, limit: int, event: str | None
) -> None:
    """Its row says where it is now: that it was there before, and that it was ever elsewhere, only its events say."""
    on_the_way, at_work = WhereFrom("192.0.2.1", CHROME), WhereFrom("198.51.100.1", CHROME)
    session_id = life.opens("Ada", WhereFrom(GERMANY, CHROME))
    for where_from in (on_the_way, at_work, on_the_way, at_work, on_the_way, WhereFrom(GERMANY, CHROME)):
        assert life.looks(session_id, where_from)
    began = [False] if event is None else []
    assert marks_of(life, limit=limit, event=event) == [*began, True, True, False, False, False, False]


@pytest.mark.parametrize("event", [None, "SessionStarted"])
def test_a_sign_in_from_where_another_session_was_for_a_while_is_not_marked(life: Life, event: str | None) -> None:
    session_id = life.opens("Ada")
    life.does_something(session_id, AWAY)
    life.does_something(session_id, WhereFrom(ELSEWHERE, CHROME))
    life.signs_in("Ada", AWAY)
    moves = [True, True] if event is None else []
    for limit in (1, 100):
        assert marks_of(life, limit=limit, event=event) == [False, *moves, False]


def test_moves_of_others_say_nothing_about_ones_own(life: Life) -> None:
    life.opens("Ada")
    life.does_something(life.opens("Bo"), AWAY)
    life.signs_in("Ada", AWAY)
    assert marks_of(life) == [False, True]


def test_only_the_last_thousand_moves_are_remembered(life: Life) -> None:
    session_id = life.opens("Ada")
    life.does_something(session_id, AWAY)
    for many, known in ((999, True), (1_000, False)):
        store = life.context.store
        moves = store.load(SESSION, session_id).with_events([SessionMoved()] * many)
        command = CommandRecord.by_user(
            life.people["Ada"], session_id=session_id, at=life.passes(), where_from=WhereFrom(ELSEWHERE, FIREFOX)
        )
        store.append(command, store.subject(life.people["Ada"]), moves)
        life.does_something(session_id, AWAY)
        [again] = life.told("Ada", life.page("Ada", limit=1))
        assert (again.event, again.new_device) == ("SessionMoved", not known)
