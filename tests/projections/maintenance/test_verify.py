"""Verify finds every row that does not say what its events say, and repair heals it."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any

import psycopg
import pytest

from domain.events.catalogue import EVENT_BY_NAME
from domain.store.connections import Values
from domain.store.mapper import SealingMapper
from projections import INLINE
from projections.maintenance.repair import repair
from projections.maintenance.verify import Verified, verify
from projections.trails import journal
from tests.databases import Database
from tests.lived import Lives

Owner = psycopg.Connection[Values]
TABLES = {one.table.name: (one.table.key, dict(one.table.types)) for one in INLINE} | {
    "journal": ("position", journal.COLUMNS)
}
OTHER = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({column}, '') || 'x'",
    "integer": "coalesce({column}, 0) + 1000",
    "bigint": "coalesce({column}, 0) + 100000",
    "boolean": "NOT {column}",
    "bytea": "coalesce({column}, '') || '\\x00'",
    "timestamptz": "coalesce({column}, 'epoch') + interval '1 millisecond'",
}
ENDABLE = (
    "account_list",
    "session_list",
    "organization_list",
    "member_list",
    "invitation_list",
    "mailed_link_list",
    "api_key_list",
)
UNIQUE = {
    "email_slot", "slug_slot", "personal_organization", "token_hash", "live_user_id", "stream_id", "seat", "place",
    "pending_slot", "link_hash", "slot", "key_hash",
}  # fmt: skip


def verified(owner: Owner, mapper: SealingMapper) -> Verified:
    with psycopg.connect(owner.info.dsn, autocommit=True, options="-c search_path=daybook") as connection:
        return verify(connection, mapper, lambda *_: None)


def differing(result: Verified) -> dict[str, list[str]]:
    return {one.table: [str(row.key) for row in one.differences] for one in result.tables if one.differing}


def test_whatever_there_is_was_lived_through(lives: Lives, owner: Owner) -> None:
    assert {name for [name] in owner.execute("SELECT name FROM events")} == set(EVENT_BY_NAME)
    reasons = {reason for [reason] in owner.execute("SELECT end_reason FROM session_list")}
    assert reasons == {None, "signed_out", "revoked", "replaced", "expired", "crowded_out"}
    revocations = owner.execute("SELECT body FROM events WHERE name = 'SessionsRevoked'").fetchall()
    assert {json.loads(body)["reason"] for [body] in revocations} == {
        "everywhere",
        "others",
        "password_changed",
        "password_reset",
    }
    [(changed, current)] = owner.execute("SELECT count(*), max(password_version) FROM credentials").fetchall()
    assert 1 < current < changed
    statuses = {status for [status] in owner.execute("SELECT status FROM invitation_list")}
    assert statuses == {"pending", "accepted", "rejected", "canceled", "expired"}
    [(seats, places, open_)] = owner.execute(
        "SELECT (SELECT count(seat) FROM member_list), (SELECT count(place) FROM invitation_list),"
        "       (SELECT count(*) FROM organization_list WHERE ended_at IS NULL AND personal_organization IS NULL)"
    ).fetchall()
    assert min(seats, places, open_) > 1


def test_a_history_that_was_lived_through_is_clean(lives: Lives, owner: Owner, mapper: SealingMapper) -> None:
    result = verified(owner, mapper)
    assert (result.clean, result.findings, differing(result)) == (True, [], {})
    [(events, commands, sealed)] = owner.execute(
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM commands),"
        "       (SELECT count(sealed) FROM events) + (SELECT count(sealed) FROM commands)"
    ).fetchall()
    [(gone,)] = owner.execute(
        "SELECT count(*)"
        "  FROM (SELECT subject_id, sealed FROM events UNION ALL SELECT subject_id, sealed FROM commands) s"
        "  JOIN subject_keys k USING (subject_id) WHERE k.wrapped IS NULL AND s.sealed IS NOT NULL"
    ).fetchall()
    assert gone > 10
    assert (result.events, result.commands, result.held, result.keys_gone) == (events, commands, sealed - gone, gone)
    for one in result.tables:
        assert (one.rows,) == owner.execute(f"SELECT count(*) FROM {one.table}".encode()).fetchone()
        assert one.must_be == one.is_there


class Corruptions:
    """Ways to spoil a row, each told by the keys it spoilt."""

    def __init__(self, owner: Owner, chances: Random) -> None:
        self._owner, self._chances = owner, chances

    def a_column_altered(self, table: str) -> list[Any]:
        key, columns = TABLES[table]
        column = self._chances.choice([name for name in columns if name != key])
        value = OTHER[columns[column]].format(column=column)
        return self._change(table, f"{column} = {value}", self._some(table))

    def a_value_lost(self, table: str) -> list[Any]:
        chosen = self._nullable(table)
        return self._change(table, f"{chosen} = NULL", self._some(table, f"{chosen} IS NOT NULL"))

    def a_row_missing(self, table: str) -> list[Any]:
        key, _ = TABLES[table]
        row = self._some(table)
        self._run(f"DELETE FROM {table} WHERE {key} = %s", row)
        return [row]

    def a_row_too_many(self, table: str) -> list[Any]:
        key, columns = TABLES[table]
        new = "-5" if table == "journal" else "gen_random_uuid()"
        given = dict.fromkeys(("token_hash", "link_hash", "key_hash"), "'\\x00'") | {"stream_id": "gen_random_uuid()"}
        values = {name: name for name in columns} | {key: new}
        for name in UNIQUE & values.keys():
            values[name] = given.get(name, "NULL")
        row = self._some(table)
        sql = f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {table}"
        return [self._run(f"{sql} WHERE {key} = %s RETURNING {key}", row)]

    def two_swapped(self, table: str) -> list[Any]:
        key, _ = TABLES[table]
        one, other = self._some(table), self._some(table)
        if one == other:
            return self.a_row_missing(table)
        spare = -7 if table == "journal" else "00000000-0000-7000-8000-000000000001"
        for before, after in ((one, spare), (other, one), (spare, other)):
            self._run(f"UPDATE {table} SET {key} = %s WHERE {key} = %s", after, before)
        return sorted([one, other])

    def an_old_version(self, table: str) -> list[Any]:
        if table == "journal":
            return self._change(table, "version = version + 1000", self._some(table))
        return self._change(table, "version = version - 1", self._some(table))

    def a_version_ahead(self, table: str) -> list[Any]:
        # of the journal, where the next one is another event's
        ahead = 1000 if table == "journal" else 1
        return self._change(table, f"version = version + {ahead}", self._some(table))

    def an_ended_thing_revived(self, table: str) -> list[Any]:
        return self._change("session_list", "ended_at = NULL", self._some("session_list", "ended_at IS NOT NULL"))

    def a_living_thing_ended(self, table: str) -> list[Any]:
        table = table if table in ENDABLE else "account_list"
        return self._change(table, "ended_at = now()", self._some(table, "ended_at IS NULL"))

    def a_later_end(self, table: str) -> list[Any]:
        longer = "expires_at = expires_at + interval '1 day'"
        return self._change("session_list", longer, self._some("session_list"))

    def a_right_not_given(self, table: str) -> list[Any]:
        return self._change("member_list", "role = 'admin'", self._some("member_list", "role <> 'admin'"))

    def anothers_session(self, table: str) -> list[Any]:
        row = self._some("session_list")
        other = "(SELECT a.user_id FROM account_list a WHERE a.user_id <> session_list.user_id LIMIT 1)"
        return self._change("session_list", f"user_id = {other}", row)

    def _some(self, table: str, condition: str = "true") -> Any:
        key, _ = TABLES[table]
        found = self._owner.execute(f"SELECT {key} FROM {table} WHERE {condition} ORDER BY {key}".encode()).fetchall()
        return self._chances.choice(found)[0]

    def _nullable(self, table: str) -> str:
        return {
            "account_list": "name", "session_list": "ip_address", "organization_list": "name",
            "member_list": "live_user_id", "invitation_list": "email", "journal": "person_id",
            "mailed_link_list": "callback_url", "api_key_list": "name",
        }[table]  # fmt: skip

    def _change(self, table: str, sets: str, key: Any) -> list[Any]:
        self._run(f"UPDATE {table} SET {sets} WHERE {TABLES[table][0]} = %s", key)
        return [key]

    def _run(self, sql: str, *values: Any) -> Any:
        cursor = self._owner.execute(sql.encode(), values)
        assert cursor.rowcount == 1
        return cursor.fetchall()[0][0] if cursor.description else None


KINDS: list[Callable[[Corruptions, str], list[Any]]] = [
    Corruptions.a_column_altered,
    Corruptions.a_column_altered,
    Corruptions.a_value_lost,
    Corruptions.a_row_missing,
    Corruptions.a_row_too_many,
    Corruptions.two_swapped,
    Corruptions.an_old_version,
    Corruptions.a_version_ahead,
    Corruptions.an_ended_thing_revived,
    Corruptions.a_living_thing_ended,
    Corruptions.a_later_end,
    Corruptions.a_right_not_given,
    Corruptions.anothers_session,
]


@pytest.mark.parametrize("round_", range(10))
def test_two_hundred_corruptions_are_found_and_healed(
    lives: Lives, owner: Owner, mapper: SealingMapper, module_database: Database, round_: int
) -> None:
    chances = Random(round_)
    before = {table: rows(owner, table) for table in TABLES}
    for number in range(20):
        kind, table = KINDS[(round_ * 20 + number) % len(KINDS)], chances.choice(list(TABLES))
        spoilt = kind(Corruptions(owner, chances), table)
        result = verified(owner, mapper)
        found = differing(result)
        assert sorted(key for keys in found.values() for key in keys) == sorted(map(str, spoilt)), (kind, table)
        assert len(found) == 1
        for compared in result.tables:
            repair(owner, mapper, compared)
        assert {name: rows(owner, name) for name in TABLES} == before
    assert verified(owner, mapper).clean


def rows(owner: Owner, table: str) -> list[Any]:
    return owner.execute(f"SELECT * FROM {table} ORDER BY {TABLES[table][0]}".encode()).fetchall()
