"""Repair makes rows anew from their events, whatever stands in the way, and leaves alone what nobody can know."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from domain.store.connections import Values, connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.repair import repair
from projections.maintenance.verify import Compared, Verified, verify
from tests.databases import Database
from tests.lived import Lives

Owner = psycopg.Connection[Values]


def verified(owner: Owner, mapper: SealingMapper, named: int = 100) -> Verified:
    with psycopg.connect(owner.info.dsn, **connection_arguments("tests")) as connection:
        return verify(connection, mapper, lambda *_: None, named=named)


def compared(owner: Owner, mapper: SealingMapper, table: str, named: int = 100) -> Compared:
    [found] = [one for one in verified(owner, mapper, named).tables if one.table == table]
    return found


def rows(owner: Owner, table: str) -> list[Any]:
    return sorted(owner.execute(f"SELECT * FROM {table}".encode()).fetchall(), key=lambda row: str(row[0]))


def edit(owner: Owner, sql: str, *values: Any) -> None:
    """What only a superuser can do to the log."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(sql.encode(), values)


def swap(owner: Owner, table: str, key: str, columns: list[str], keys: list[Any]) -> None:
    """What stands in these columns of each row stands in the next one's."""
    names = ", ".join(columns)
    kept = [
        owner.execute(f"SELECT {names} FROM {table} WHERE {key} = %s".encode(), (one,)).fetchall()[0] for one in keys
    ]
    owner.execute(f"UPDATE {table} SET {columns[0]} = NULL WHERE {key} = ANY(%s)".encode(), (keys,))
    for one, values in zip(keys, kept[1:] + kept[:1], strict=True):
        sets = ", ".join(f"{column} = %s" for column in columns)
        owner.execute(f"UPDATE {table} SET {sets} WHERE {key} = %s".encode(), (*values, one))


def test_who_holds_anothers_slot_is_made_anew_too_though_only_one_is_named(
    lives: Lives, owner: Owner, mapper: SealingMapper
) -> None:
    """Each has the e-mail address of the next: one that is healed needs the slot of one that is not named."""
    before = rows(owner, "account_list")
    ring = [row[0] for row in before[:5]]
    swap(owner, "account_list", "user_id", ["email_slot", "email"], ring)
    spoilt = compared(owner, mapper, "account_list", named=1)
    assert (spoilt.differing, [one.key for one in spoilt.differences]) == (5, ring[:1])
    assert repair(owner, mapper, spoilt) == 1
    assert rows(owner, "account_list") == before


def test_entries_of_the_journal_that_changed_places_are_put_back_though_only_one_is_named(
    lives: Lives, owner: Owner, mapper: SealingMapper
) -> None:
    before = rows(owner, "journal")
    for one, other in ((0, -7), (9, 0), (-7, 9)):
        owner.execute("UPDATE journal SET position = %s WHERE position = %s", (other, one))
    spoilt = compared(owner, mapper, "journal", named=1)
    assert spoilt.differing == 2
    assert repair(owner, mapper, spoilt) == 1
    assert rows(owner, "journal") == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET name = 'NeverHeardOf' WHERE stream_id = %s AND name = 'SessionEnded'",
        "DELETE FROM events WHERE stream_id = %s AND name = 'SessionEnded'",
        "DELETE FROM commands WHERE command_id IN"
        " (SELECT command_id FROM events WHERE stream_id = %s AND name = 'SessionEnded')",
    ],
)
def test_a_session_that_was_ended_is_not_revived_because_its_last_event_cannot_be_read(
    lives: Lives, owner: Owner, mapper: SealingMapper, damage: str
) -> None:
    [[ended]] = owner.execute("SELECT session_id FROM session_list WHERE ended_at IS NOT NULL LIMIT 1").fetchall()
    kept = {table: rows(owner, table) for table in ("events", "commands")}
    before = rows(owner, "session_list")
    edit(owner, damage, ended)
    owner.execute("UPDATE session_list SET end_reason = 'spoilt' WHERE session_id = %s", (ended,))
    spoilt = rows(owner, "session_list")
    try:
        for table in verified(owner, mapper).tables:
            assert repair(owner, mapper, table) == 0
        assert rows(owner, "session_list") == spoilt
    finally:
        for book, entries in kept.items():
            edit(owner, f"DELETE FROM {book}")
            for entry in entries:
                edit(owner, f"INSERT INTO {book} VALUES ({', '.join(['%s'] * len(entry))})", *entry)
    assert repair(owner, mapper, compared(owner, mapper, "session_list")) == 1
    assert rows(owner, "session_list") == before


def test_what_a_row_that_cannot_be_made_anew_holds_stays_with_it(
    lives: Lives, owner: Owner, mapper: SealingMapper
) -> None:
    before = rows(owner, "account_list")
    one, other, third = (row[0] for row in before[:3])
    swap(owner, "account_list", "user_id", ["email_slot"], [one, other])
    owner.execute("UPDATE account_list SET name = 'spoilt' WHERE user_id = %s", (third,))
    edit(owner, "UPDATE events SET name = 'NeverHeardOf' WHERE stream_id = %s AND version = 1", other)
    try:
        spoilt = compared(owner, mapper, "account_list")
        assert [row.key for row in spoilt.differences] == [one, third]
        assert repair(owner, mapper, spoilt) == 1
        assert [row.key for row in compared(owner, mapper, "account_list").differences] == [one]
    finally:
        edit(owner, "UPDATE events SET name = 'SignedUp' WHERE stream_id = %s AND version = 1", other)
    assert repair(owner, mapper, compared(owner, mapper, "account_list")) == 2
    assert rows(owner, "account_list") == before


def test_rows_are_healed_once_somebody_who_writes_to_the_table_is_done(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before = rows(owner, "member_list")
    owner.execute("UPDATE member_list SET role = 'other'")
    spoilt = compared(owner, mapper, "member_list")
    with psycopg.connect(module_database.application_url) as writer:
        writer.execute("UPDATE daybook.member_list SET role = 'owner' WHERE membership_id = %s", (before[0][0],))
        # longer than repair waits for a lock at a time
        done = threading.Timer(0.7, writer.commit)
        done.start()
        assert repair(owner, mapper, spoilt) == len(before)
        done.join()
    assert rows(owner, "member_list") == before
