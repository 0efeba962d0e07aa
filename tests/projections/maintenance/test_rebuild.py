"""Rebuild makes a table anew from the log, and puts it in the place of the old one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from domain.store.connections import Values, connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.filling import tables
from projections.maintenance.generation import BEFORE, NEXT, drop_before, next_generation
from projections.maintenance.rebuild import RebuildRefused, Rebuilt, rebuild
from projections.maintenance.verify import one_moment, verify
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import Lives

Owner = psycopg.Connection[Values]
KEYS = {
    "account_list": "user_id",
    "session_list": "session_id",
    "organization_list": "organization_id",
    "member_list": "membership_id",
    "invitation_list": "invitation_id",
    "mailed_link_list": "mailed_link_id",
    "api_key_list": "api_key_id",
    "journal": "position",
}


def remade(database: Database, mapper: SealingMapper, table: str, *, anew: bool = False) -> Rebuilt:
    return rebuild(database.owner_url, table, mapper, anew=anew, progress=lambda *_: None)


def rows(owner: Owner, table: str) -> list[Any]:
    return owner.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]}".encode()).fetchall()


def structure(owner: Owner, table: str) -> list[Any]:
    """Constraints, indexes and rights, by their names."""
    constraints = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'daybook' AND tablename = %s"
    rights = "SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = %s"
    rights += " AND table_schema = 'daybook'"
    return [sorted(owner.execute(sql.encode(), (table,)).fetchall()) for sql in (constraints, indexes, rights)]


def schema_of(owner: Owner, table: str) -> set[str]:
    return {row[0] for row in owner.execute("SELECT schemaname FROM pg_tables WHERE tablename = %s", (table,))}


def test_every_read_table_can_be_rebuilt() -> None:
    assert set(tables()) == set(KEYS)


@pytest.mark.parametrize("table", KEYS)
def test_a_table_made_anew_is_as_it_was(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database, table: str
) -> None:
    before, as_declared = rows(owner, table), structure(owner, table)
    result = remade(module_database, mapper, table)
    assert rows(owner, table) == before
    assert structure(owner, table) == as_declared
    assert (result.rows, result.differed) == (len(before), 0)
    assert schema_of(owner, table) == {"daybook", BEFORE}
    # what follows goes on from there
    lives.live(10)
    caught_up(module_database)
    assert len(rows(owner, table)) >= len(before)
    with psycopg.connect(owner.info.dsn, autocommit=True, options="-c search_path=daybook") as connection:
        assert verify(connection, mapper, lambda *_: None).clean


def test_what_was_wrong_is_right_afterwards(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before = rows(owner, "member_list")
    owner.execute("UPDATE member_list SET role = 'other'")
    result = remade(module_database, mapper, "member_list")
    assert (rows(owner, "member_list"), result.differed) == (before, len(before))


def test_one_that_was_interrupted_goes_on_where_it_stopped(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before, happened = rows(owner, "account_list"), of_accounts(owner)
    generation = next_generation(owner, "account_list", anew=True)
    some = before[: len(before) // 2]
    for row in some:
        owner.execute(f"INSERT INTO {NEXT}.account_list VALUES ({', '.join(['%s'] * len(row))})".encode(), row)
    generation.through = some[-1][0]
    generation.save(owner)
    lives.live(10)
    caught_up(module_database)
    result = remade(module_database, mapper, "account_list")
    happens = of_accounts(owner)
    # the streams that were left, as they stand now; and what happened in between once more, since it follows in the log
    left = happens.total() - sum(happens[row[0]] for row in some)
    assert result.events == left + happens.total() - happened.total()
    assert result.events < happens.total()
    assert (result.rows, result.differed) == (len(happens), 0)


def of_accounts(owner: Owner) -> Counter[Any]:
    """How much happened to each account."""
    events = owner.execute("SELECT stream_id FROM events JOIN account_list ON user_id = stream_id")
    return Counter(stream_id for [stream_id] in events)


def test_one_begun_by_another_release_begins_anew(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    generation = next_generation(owner, "account_list", anew=True)
    generation.position = generation.snapshot
    generation.save(owner)
    owner.execute(f"UPDATE {NEXT}.progress SET release = 0")
    assert remade(module_database, mapper, "account_list").rows == len(rows(owner, "account_list"))


def test_two_rebuilds_do_not_work_at_once(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    with psycopg.connect(module_database.owner_url, **connection_arguments("tests")) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('daybook rebuild', 0))")
        with pytest.raises(RebuildRefused, match="Another rebuild"):
            remade(module_database, mapper, "account_list")


def test_a_table_there_is_not_is_refused_by_name(
    lives: Lives, mapper: SealingMapper, module_database: Database
) -> None:
    with pytest.raises(RebuildRefused, match="no table accounts; there are account_list"):
        remade(module_database, mapper, "accounts")


def test_the_one_before_is_kept_until_it_is_dropped(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    remade(module_database, mapper, "organization_list")
    assert schema_of(owner, "organization_list") == {"daybook", BEFORE}
    assert drop_before(owner, "organization_list")
    assert schema_of(owner, "organization_list") == {"daybook"}
    assert not drop_before(owner, "organization_list")


def edit(owner: Owner, sql: str, *values: Any) -> None:
    """What only a superuser can do to the log."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(sql.encode(), values)


def test_rows_that_are_missing_too_many_or_ahead_had_differed_too(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before = {table: rows(owner, table) for table in ("member_list", "journal")}
    one, other = before["member_list"][0][0], before["member_list"][1][0]
    owner.execute("DELETE FROM member_list WHERE membership_id = %s", (one,))
    owner.execute("UPDATE member_list SET version = version - 1 WHERE membership_id = %s", (other,))
    owner.execute(
        "INSERT INTO member_list SELECT gen_random_uuid(), version, gen_random_uuid(), user_id, live_user_id, role,"
        " joined_at, ended_at FROM member_list LIMIT 1"
    )
    [first, second] = [row[0] for row in before["journal"][2:4]]
    owner.execute("DELETE FROM journal WHERE position = %s", (first,))
    owner.execute("UPDATE journal SET position = -3 WHERE position = %s", (second,))
    assert remade(module_database, mapper, "member_list").differed == 3
    assert remade(module_database, mapper, "journal").differed == 3
    assert {table: rows(owner, table) for table in before} == before


def test_a_row_whose_events_cannot_be_read_stays_as_it_is(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before = rows(owner, "account_list")
    edit(owner, "UPDATE events SET name = 'NeverHeardOf' WHERE stream_id = %s AND version = 1", before[3][0])
    result = remade(module_database, mapper, "account_list")
    assert (result.unreadable, result.differed, rows(owner, "account_list")) == (1, 0, before)
    edit(owner, "UPDATE events SET name = 'SignedUp' WHERE stream_id = %s AND version = 1", before[3][0])


def test_entries_that_cannot_be_read_stay_and_those_that_can_are_set_aside_no_more(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    """Position 2 was entered once; 5 was set aside by a release that could not read it; 9 cannot be read at all."""
    before = rows(owner, "journal")
    unreadable = "UPDATE events e SET name = %s FROM log l WHERE (l.stream_id, l.version) = (e.stream_id, e.version)"
    unreadable += " AND l.position = %s AND l.position = %s"
    kept = {row[0]: row[2] for row in before}
    for position in (2, 9):
        edit(owner, unreadable, "NeverHeardOf", position, position)
    owner.execute("DELETE FROM journal WHERE position IN (5, 9)")
    owner.execute("INSERT INTO set_aside (follower, position, error) VALUES ('journal', 5, 'UnknownEvent')")
    try:
        result = remade(module_database, mapper, "journal")
        assert result.unreadable >= 2
        assert rows(owner, "journal") == [row for row in before if row[0] != 9]
        assert owner.execute("SELECT position, error FROM set_aside").fetchall() == [(9, "unreadable")]
    finally:
        for position in (2, 9):
            edit(owner, unreadable, kept[position], position, position)
    remade(module_database, mapper, "journal")
    assert rows(owner, "journal") == before
    assert owner.execute("SELECT FROM set_aside").fetchall() == []


def test_whoever_was_given_a_right_by_hand_keeps_it(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    owner.execute('CREATE ROLE "an analyst"')
    try:
        owner.execute('GRANT SELECT ON session_list TO "an analyst" WITH GRANT OPTION')
        before = structure(owner, "session_list")
        remade(module_database, mapper, "session_list")
        assert structure(owner, "session_list") == before
        assert ("an analyst", "SELECT") in before[2]
    finally:
        drop_before(owner, "session_list")
        owner.execute('DROP OWNED BY "an analyst"')
        owner.execute('DROP ROLE "an analyst"')


def test_events_that_break_a_rule_of_the_table_are_refused_by_its_name(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    """A person twice in an organization: only somebody who edits the log can do that."""
    [[_, body], [other, others_body]] = owner.execute(
        "SELECT stream_id, body FROM events WHERE name = 'MemberJoined' ORDER BY stream_id LIMIT 2"
    ).fetchall()
    before = rows(owner, "member_list")
    edit(owner, "UPDATE events SET body = %s WHERE stream_id = %s AND version = 1", body, other)
    try:
        with pytest.raises(RebuildRefused, match=r"The events break the rule already_member: run .* verify"):
            remade(module_database, mapper, "member_list")
        assert rows(owner, "member_list") == before
    finally:
        edit(owner, "UPDATE events SET body = %s WHERE stream_id = %s AND version = 1", others_body, other)
    assert remade(module_database, mapper, "member_list").rows == len(before)


def test_a_database_of_a_newer_release_is_left_alone(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    owner.execute("INSERT INTO migrations (number, step, name) VALUES (9999, 'pre', 'of tomorrow')")
    try:
        with pytest.raises(RebuildRefused, match="A newer release has migrated the database"):
            remade(module_database, mapper, "account_list")
    finally:
        owner.execute("DELETE FROM migrations WHERE number = 9999")


def test_one_whose_table_is_read_for_long_waits_and_lets_writers_go_on_meanwhile(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    """A backup, for instance, reads all tables in one transaction."""
    with psycopg.connect(module_database.application_url) as backup:
        backup.execute("SELECT FROM daybook.organization_list LIMIT 1")
        done = threading.Timer(2.0, backup.rollback)
        done.start()
        time.sleep(0.5)
        result = remade(module_database, mapper, "organization_list")
        done.join()
    assert result.seconds > 1.0
    # writers who come after one that waits for the backup wait as long: 0.3 s each time
    assert result.writers_waited < 0.3


def test_whoever_compares_events_with_rows_sees_both_of_one_moment_also_while_a_table_is_switched(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    """Rows of a table that took another's place after the first look would not be seen at all."""
    there = len(rows(owner, "member_list"))
    done = list[Rebuilt]()
    switching = threading.Thread(target=lambda: done.append(remade(module_database, mapper, "member_list")))
    with psycopg.connect(module_database.application_url, **connection_arguments("tests")) as looking:
        with one_moment(looking, "member_list"):
            [[events]] = looking.execute("SELECT count(*) FROM events WHERE name = 'MemberJoined'").fetchall()
            switching.start()
            time.sleep(1)
            [[members]] = looking.execute("SELECT count(*) FROM member_list").fetchall()
            assert done == []
        switching.join()
    assert events == members == there == done[0].rows


def test_a_rebuild_whose_database_goes_away_goes_on_where_it_was(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database
) -> None:
    before = rows(owner, "session_list")

    def hang_up(_table: str, _done: int, _total: int) -> None:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'daybook-rebuild' AND datname = current_database()"
        )

    with pytest.raises(psycopg.OperationalError):
        rebuild(module_database.owner_url, "session_list", mapper, anew=True, progress=hang_up)
    assert rows(owner, "session_list") == before
    result = remade(module_database, mapper, "session_list")
    assert (result.events, result.rows, result.differed) == (0, len(before), 0)
    assert rows(owner, "session_list") == before
