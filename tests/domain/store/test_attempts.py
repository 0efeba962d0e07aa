"""Attempts: refused commands folded by the hour, counted exactly, and few whatever anybody tries."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from domain.ids import new_id
from domain.store import Store
from domain.store.attempts import Attempt, AttemptKind, Attempts, Folded, Tally
from domain.store.connections import connection_arguments
from domain.store.envelope import WhereFrom
from domain.store.requirements import open_keyring
from domain.store.sequencer import sequence
from tests.attempts_opened import attempts_in
from tests.databases import Database
from tests.domain.store.entries import AT_HOME, a_session
from tests.people import ADA, BO, CY, NOON, SECRET

WRONG_PASSWORD = Attempt(
    person_id=ADA,
    session_id=None,
    command="sign_in",
    code="INVALID_EMAIL_OR_PASSWORD",
    where_from=AT_HOME,
    at=NOON,
)
ALL = (
    "SELECT person_id, command, code, ip_address, user_agent, times, first_at, last_at FROM attempts ORDER BY first_at"
)


@pytest.fixture
def attempts(store: Store, database: Database) -> Attempts:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    for person_id in (ADA, BO):
        wrapped = keyring.new_subject_key(person_id)
        database.rows("INSERT INTO subject_keys VALUES (%s, %s, %s)", person_id, person_id, wrapped)
    return Attempts(store.pool, keyring)


def rows_in(database: Database) -> list[tuple[Any, ...]]:
    return [row[:-1] for row in attempts_in(database)]


def tallies(*those: Attempt) -> dict[AttemptKind, Tally]:
    folded = Folded()
    for one in those:
        folded.add(one)
    return folded.tallies


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def from_place(number: int, attempt: Attempt = WRONG_PASSWORD) -> Attempt:
    return replace(attempt, where_from=WhereFrom(f"203.0.113.{number}", "Firefox"))


def one_by_one(attempts: Attempts, those: list[Attempt]) -> None:
    for one in those:
        attempts.record(tallies(one))


def all_at_once(attempts: Attempts, those: list[Attempt]) -> None:
    attempts.record(tallies(*those))


HowOften = pytest.mark.parametrize("record", [one_by_one, all_at_once])
Record = Callable[[Attempts, list[Attempt]], None]


@HowOften
def test_attempts_alike_within_an_hour_are_one_row(attempts: Attempts, database: Database, record: Record) -> None:
    record(attempts, [replace(WRONG_PASSWORD, at=after(minutes=minutes)) for minutes in (30, 0, 59, 7, 20, 21, 22)])
    assert rows_in(database) == [
        (ADA, "sign_in", "INVALID_EMAIL_OR_PASSWORD", "192.0.2.1", "Chrome", 7, NOON, after(minutes=59))
    ]


@HowOften
def test_the_next_hour_has_a_row_of_its_own(attempts: Attempts, database: Database, record: Record) -> None:
    times = [NOON, after(minutes=59, seconds=59.999), after(hours=1), after(hours=24)]
    record(attempts, [replace(WRONG_PASSWORD, at=at) for at in times])
    found = [(times, first_at, last_at) for *_, times, first_at, last_at in rows_in(database)]
    assert found == [(2, times[0], times[1]), (1, times[2], times[2]), (1, times[3], times[3])]


@pytest.mark.parametrize(
    "other",
    [
        {"person_id": BO},
        {"person_id": None},
        {"command": "sign_up"},
        {"code": "INVALID_ORIGIN"},
        {"where_from": WhereFrom("192.0.2.2", "Chrome")},
        {"where_from": WhereFrom("192.0.2.1", "Firefox")},
    ],
)
def test_what_differs_is_not_folded(attempts: Attempts, database: Database, other: dict[str, Any]) -> None:
    all_at_once(attempts, [WRONG_PASSWORD, replace(WRONG_PASSWORD, **other), WRONG_PASSWORD])
    assert sorted(database.rows("SELECT times FROM attempts")) == [(1,), (2,)]


@HowOften
def test_sessions_do_not_keep_attempts_apart_and_the_first_is_kept(
    attempts: Attempts, database: Database, record: Record
) -> None:
    first, second = new_id(), new_id()
    record(attempts, [replace(WRONG_PASSWORD, session_id=one) for one in (first, second)])
    assert database.rows("SELECT session_id, times FROM attempts") == [(first, 2)]


@HowOften
def test_the_twenty_first_place_of_a_family_and_all_later_ones_share_a_row_without_place(
    attempts: Attempts, database: Database, record: Record
) -> None:
    record(attempts, [from_place(number) for number in range(25)])
    # the first ones go on in their own rows
    record(attempts, [from_place(number) for number in (0, 19, 20, 77)])
    found = {(ip_address, user_agent): times for _, _, _, ip_address, user_agent, times, *_ in rows_in(database)}
    places = {(f"203.0.113.{number}", "Firefox"): 2 if number in (0, 19) else 1 for number in range(20)}
    assert found == places | {(None, None): 5 + 2}


def test_every_family_has_its_own_twenty_places(attempts: Attempts, database: Database) -> None:
    families = [
        WRONG_PASSWORD,
        replace(WRONG_PASSWORD, person_id=BO),
        replace(WRONG_PASSWORD, code="INVALID_ORIGIN"),
        replace(WRONG_PASSWORD, command="sign_up"),
        replace(WRONG_PASSWORD, at=after(hours=1)),
    ]
    all_at_once(attempts, [from_place(number, family) for number in range(30) for family in families])
    found = database.rows("SELECT count(*), count(sealed), sum(times) FROM attempts GROUP BY family")
    assert found == [(21, 20, 30)] * len(families)


def test_attempts_without_a_place_go_to_the_row_of_all_others(attempts: Attempts, database: Database) -> None:
    nowhere = {
        AttemptKind(ADA, "sign_in", "INVALID_EMAIL_OR_PASSWORD", None, NOON): Tally(2, NOON, after(minutes=5), None)
    }
    attempts.record(nowhere)
    attempts.record(tallies(WRONG_PASSWORD) | nowhere)
    found = sorted((row.ip_address or "-", row.times) for row in attempts_in(database))
    assert found == [("-", 4), ("192.0.2.1", 1)]


def test_an_attempt_on_an_unknown_account_is_nobodys(attempts: Attempts, database: Database) -> None:
    all_at_once(attempts, [replace(WRONG_PASSWORD, person_id=None)] * 3)
    assert database.rows("SELECT person_id, times FROM attempts") == [(None, 3)]


def test_a_row_keeps_the_place_in_the_log_at_which_it_was_first_seen(
    attempts: Attempts, database: Database, store: Store
) -> None:
    attempts.record(tallies(from_place(1)))
    for _ in range(3):
        a_session(store)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        assert sequence(connection) == 3
    attempts.record(tallies(from_place(1), from_place(2)))
    found = sorted((row.ip_address, row.times, row.after_position) for row in attempts_in(database))
    assert found == [("203.0.113.1", 2, -1), ("203.0.113.2", 1, 2)]


def test_eight_at_once_count_exactly_and_never_exceed_twenty_places(attempts: Attempts, database: Database) -> None:
    def record(writer: int) -> None:
        for turn in range(20):
            # in another order for each, so that they meet at places nobody has taken yet
            those = [from_place((writer * 11 + turn * 7 + step * 3) % 40) for step in range(5)]
            all_at_once(attempts, [*those, those[0]])

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(record, range(8)))
    found = [(row.ip_address, row.times) for row in attempts_in(database)]
    assert sum(times for _, times in found) == 8 * 20 * 6
    assert len(found) == 21
    assert len({ip_address for ip_address, _ in found}) == 21


def test_nothing_is_recorded_of_nothing(attempts: Attempts, database: Database) -> None:
    attempts.record({})
    assert rows_in(database) == []


def test_attempts_of_long_ago_are_forgotten(attempts: Attempts, database: Database) -> None:
    all_at_once(attempts, [from_place(1), from_place(2)])
    last = database.value("SELECT max(last_at) FROM attempts")
    all_at_once(attempts, [replace(from_place(2), at=last + timedelta(minutes=1))])
    assert attempts.forget(last + timedelta(seconds=1)) == 1
    assert [row.ip_address for row in attempts_in(database)] == ["203.0.113.2"]


def test_where_an_attempt_came_from_is_the_person_s_secret(attempts: Attempts, database: Database) -> None:
    all_at_once(
        attempts, [WRONG_PASSWORD, replace(WRONG_PASSWORD, person_id=None), replace(WRONG_PASSWORD, person_id=CY)]
    )
    rows = database.rows("SELECT person_id, sealed FROM attempts")
    assert {person_id for person_id, sealed in rows if sealed is not None} == {ADA}
    assert not any(b"192.0.2.1" in (sealed or b"") or b"Chrome" in (sealed or b"") for _, sealed in rows)
    [own] = [row for row in attempts_in(database) if row.person_id == ADA]
    assert (own.ip_address, own.user_agent) == ("192.0.2.1", "Chrome")
    database.rows("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", ADA)
    assert {(row.ip_address, row.user_agent) for row in attempts_in(database)} == {(None, None)}


def test_what_waits_to_be_written_is_bounded_by_leaving_out_places() -> None:
    browsers = [
        replace(WRONG_PASSWORD, where_from=WhereFrom("192.0.2.1", f"Browser {number}")) for number in range(5_000)
    ]
    held = tallies(*browsers, *browsers[:10])
    assert len(held) == 1_001
    assert sum(tally.times for tally in held.values()) == 5_010
    assert [tally.times for kind, tally in held.items() if kind.where_from is None] == [4_000]


def test_and_in_the_end_by_letting_go() -> None:
    people = [replace(WRONG_PASSWORD, person_id=new_id()) for _ in range(5_000)]
    held = tallies(*people, *people)
    assert len(held) == 2_000
    assert {tally.times for tally in held.values()} == {2}
