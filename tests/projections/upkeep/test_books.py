"""Whoever edits the books, as only a superuser can, is found out by verify, by the name of the rule that was broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.commands.credential import change_password
from domain.commands.session import revoke_other_sessions, sign_out
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.upkeep.rebuild import rebuild
from projections.upkeep.repair import repair
from projections.upkeep.verify import Verified, verify
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import Lives, context_over
from tests.people import PASSWORD

COMMITMENT = "what was stored matches its commitment"
READABLE = "what was stored can be read"
CONTIGUOUS = "versions of each stream are contiguous"
HAS_EVENT = "each entry of the log has its event"
IN_LOG = "each event is in the log or waits for it"
HAS_COMMAND = "each event has its command"
DID_SOMETHING = "each command has an event"
KNOWN_SUBJECT = "each subject of sealed data has its place among the keys"
KNOWN_KEY = "each key of a subject is wrapped by a known data key"
PASSWORD_VERSION = "each password hash is of its account's version"

# The session that Bo has ended is one of three events: started, its organization chosen, ended.
OF_THE_ENDED = "stream_id = (SELECT session_id FROM session_list WHERE ended_at IS NOT NULL)"
LAST = "position = (SELECT max(position) FROM log)"


class Books:
    """A little history, and a superuser's hand in it."""

    def __init__(self, database: Database, lives: Lives) -> None:
        self.database, self.lives = database, lives

    def edit(self, *statements: Any) -> None:
        """Triggers hold for everybody but those who replicate."""
        self.database.rows("SET session_replication_role = replica")
        for statement in statements:
            self.database.rows(*statement) if isinstance(statement, tuple) else self.database.rows(statement)
        self.database.rows("SET session_replication_role = origin")

    def verified(self) -> Verified:
        mapper = SealingMapper(self.lives.context.keyring)
        with psycopg.connect(self.database.application_url, **connection_arguments("tests")) as connection:
            return verify(connection, mapper, lambda *_: None)

    def findings(self) -> dict[str, tuple[int, str]]:
        result = self.verified()
        assert result.clean == (not result.findings and not differing(result))
        return {one.rule: (one.times, one.first) for one in result.findings}

    def text(self, sql: Any, *values: Any) -> str:
        return str(self.database.value(sql, *values))

    def ended(self) -> UUID:
        return UUID(self.text("SELECT session_id FROM session_list WHERE ended_at IS NOT NULL"))


def differing(result: Verified) -> dict[str, int]:
    return {one.table: one.differing for one in result.tables if one.differing}


@pytest.fixture
def books(database: Database) -> Iterator[Books]:
    """Ada and Bo have signed up; Bo has signed in again and out again."""
    with context_over(database) as context:
        lives = Lives(context, Random(5))
        lives.somebody_signs_up()
        lives.now += timedelta(hours=1)
        lives.somebody_signs_up()
        lives.now += timedelta(hours=1)
        lives.somebody_signs_in()
        session_id = list(lives.sessions)[-1]
        lives.now += timedelta(hours=1)
        sign_out(context, session_id=session_id, now=lives.now, where_from=lives.somewhere())
        caught_up(database)
        yield Books(database, lives)


def test_what_nobody_touched_is_whole(books: Books) -> None:
    assert books.findings() == {}
    assert books.verified().clean


def test_a_gap_in_the_log(books: Books) -> None:
    after = books.database.value("SELECT max(position) + 5 FROM log")
    books.edit(f"UPDATE log SET position = position + 5 WHERE {LAST}")
    assert books.findings() == {"positions of the log are contiguous": (1, str(after))}


def test_a_time_that_goes_back(books: Books) -> None:
    books.edit(f"UPDATE log SET recorded_at = recorded_at - interval '1 day' WHERE {LAST}")
    last = books.text("SELECT max(position) FROM log")
    assert books.findings() == {"times of the log never go back": (1, last)}


def test_two_events_of_a_stream_in_the_wrong_order(books: Books) -> None:
    first = books.text(f"SELECT min(position) FROM log WHERE {OF_THE_ENDED}")
    books.edit(
        f"UPDATE log SET version = -1 WHERE {OF_THE_ENDED} AND version = 1",
        f"UPDATE log SET version = 1 WHERE {OF_THE_ENDED} AND version = 2",
        f"UPDATE log SET version = 2 WHERE {OF_THE_ENDED} AND version = -1",
    )
    assert books.findings() == {"each stream is in order in the log": (2, first)}


def test_an_event_taken_out(books: Books) -> None:
    position = books.text(f"SELECT max(position) FROM log WHERE {OF_THE_ENDED}")
    sign_out_id = books.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    books.edit(f"DELETE FROM events WHERE {OF_THE_ENDED} AND version = 3")
    assert books.findings() == {HAS_EVENT: (1, position), DID_SOMETHING: (1, sign_out_id)}


def test_an_event_taken_out_of_the_middle(books: Books) -> None:
    position = books.text(f"SELECT max(position) - 1 FROM log WHERE {OF_THE_ENDED}")
    books.edit(f"DELETE FROM events WHERE {OF_THE_ENDED} AND version = 2")
    ended = str(books.ended())
    assert books.findings() == {HAS_EVENT: (1, position), CONTIGUOUS: (1, ended), READABLE: (1, ended)}


def test_the_end_of_the_log_cut_off(books: Books) -> None:
    [(stream_id, version)] = books.database.rows(f"SELECT stream_id, version FROM log WHERE {LAST}")
    books.edit(f"DELETE FROM log WHERE {LAST}")
    ahead = {"no follower is ahead of the log": (1, "journal")}
    assert books.findings() == {IN_LOG: (1, f"{stream_id} {version}")} | ahead


def test_an_event_that_waits_for_a_second_place(books: Books) -> None:
    place = books.text("SELECT stream_id || ' ' || version FROM log WHERE position = 3")
    books.edit("INSERT INTO queue (stream_id, version) SELECT stream_id, version FROM log WHERE position = 3")
    assert books.findings() == {"no event waits that is in the log or not there": (1, place)}


def test_a_command_taken_out(books: Books) -> None:
    place = f"{books.ended()} 3"
    books.edit(
        f"DELETE FROM commands WHERE command_id = (SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3)"
    )
    assert books.findings() == {HAS_COMMAND: (1, place), READABLE: (1, str(books.ended()))}


def test_a_command_put_in(books: Books) -> None:
    columns = "at, actor_kind, actor_id, session_id, acting_for, subject_id, body, sealed"
    books.edit(
        f"INSERT INTO commands (command_id, {columns})"
        f" SELECT '00000000-0000-7000-8000-00000000000d', {columns} FROM commands ORDER BY at LIMIT 1"
    )
    findings = books.findings()
    assert findings.pop(DID_SOMETHING) == (1, "00000000-0000-7000-8000-00000000000d")
    # the box of another command does not open in its place
    assert findings == {READABLE: (1, "command 00000000-0000-7000-8000-00000000000d")}


def test_a_key_wrapped_by_nobody_knows_what(books: Books) -> None:
    subject_id = books.text("SELECT min(subject_id::text) FROM subject_keys")
    books.edit(
        (
            "UPDATE subject_keys SET wrapped = '\\x00000009' || substr(wrapped, 5) WHERE subject_id::text = %s",
            subject_id,
        )
    )
    findings = books.findings()
    assert findings[KNOWN_KEY] == (1, subject_id)
    assert findings.keys() == {KNOWN_KEY, COMMITMENT, READABLE}


def test_a_key_that_was_not_destroyed_but_taken_away(books: Books) -> None:
    subject_id = books.text("SELECT min(subject_id::text) FROM subject_keys")
    books.edit(("DELETE FROM subject_keys WHERE subject_id::text = %s", subject_id))
    findings = books.findings()
    assert findings[KNOWN_SUBJECT] == (1, subject_id)
    assert findings.keys() == {KNOWN_SUBJECT, READABLE}


def test_rows_whose_key_got_lost_are_left_as_they_are(books: Books) -> None:
    before = books.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id")
    books.edit("DELETE FROM subject_keys")
    mapper, url = SealingMapper(books.lives.context.keyring), books.database.owner_url
    result = books.verified()
    assert {one.table: one.differing for one in result.tables} == dict.fromkeys(
        ("account_list", "session_list", "organization_list", "member_list", "invitation_list", "journal"), 0
    )
    with psycopg.connect(url, **connection_arguments("tests")) as connection:
        for compared in result.tables:
            repair(connection, mapper, compared)
    rebuild(url, "account_list", mapper, anew=True, progress=lambda *_: None)
    assert books.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id") == before
    assert all(email for _, email, _ in before)


def test_a_follower_ahead_of_the_log(books: Books) -> None:
    books.edit("UPDATE followers SET position = 1000")
    assert "no follower is ahead of the log" in books.findings()


def test_an_entry_set_aside_that_could_be_taken_in(books: Books) -> None:
    books.edit("DELETE FROM journal WHERE position = 1", "INSERT INTO set_aside VALUES ('journal', 1, 'x')")
    result = books.verified()
    assert [one.rule for one in result.findings] == ["nothing is set aside"]
    assert differing(result) == {"journal": 1}


def test_a_book_that_can_be_rewritten(books: Books) -> None:
    books.edit("ALTER TABLE events DISABLE TRIGGER append_only")
    assert books.findings() == {"the books are append-only": (1, "a trigger is missing or off")}


def test_a_key_said_to_be_another_persons(books: Books) -> None:
    people = "subject_id IN (SELECT user_id FROM account_list)"
    books.edit(f"UPDATE subject_keys SET person_id = gen_random_uuid() WHERE {people}")
    assert "a person's own key is theirs" in books.findings()


def test_a_destroyed_key_is_only_counted(books: Books) -> None:
    [(subject_id, sealed)] = books.database.rows(
        "SELECT subject_id, count(*) FROM (SELECT subject_id, sealed FROM events UNION ALL"
        " SELECT subject_id, sealed FROM commands) s WHERE sealed IS NOT NULL GROUP BY subject_id"
        " ORDER BY subject_id LIMIT 1"
    )
    before = books.verified()
    for sql in (
        "UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s",
        "UPDATE account_list SET email = NULL, name = NULL, image = NULL WHERE user_id = %s",
        "UPDATE session_list SET ip_address = NULL, user_agent = NULL WHERE user_id = %s",
        "UPDATE organization_list SET name = NULL WHERE personal_organization = %s",
    ):
        books.edit((sql, subject_id))
    after = books.verified()
    assert (after.findings, differing(after), after.clean) == ([], {}, True)
    assert sealed > 2
    assert (after.keys_gone, after.held) == (sealed, before.held - sealed)


def test_a_body_that_is_no_json(books: Books) -> None:
    books.edit(f"UPDATE events SET body = '\\x7b' || body WHERE {OF_THE_ENDED} AND version = 1")
    ended = str(books.ended())
    assert books.findings() == {READABLE: (1, ended), COMMITMENT: (1, f"{ended} 1")}


def test_a_public_word_in_a_body(books: Books) -> None:
    alter_body(books, "events", f"{OF_THE_ENDED} AND version = 1", expires_at="2036-03-14T12:00:00Z")
    result = books.verified()
    assert result.findings == []
    [table] = [one for one in result.tables if one.differing]
    assert [(one.key, one.columns) for one in table.differences] == [(books.ended(), ("expires_at",))]
    assert not result.clean


def test_an_event_under_a_name_nobody_knows(books: Books) -> None:
    books.edit(f"UPDATE events SET name = 'NeverHeardOf' WHERE {OF_THE_ENDED} AND version = 3")
    ended = str(books.ended())
    assert books.findings() == {"each event has a name that is known": (1, f"{ended} 3"), READABLE: (1, ended)}
    assert not differing(books.verified())


SEALED = "sealed IS NOT NULL AND name = 'SignedUp'"


def test_a_bit_of_a_sealed_box(books: Books) -> None:
    stream_id = books.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    books.edit(
        (
            "UPDATE events SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
            " WHERE stream_id::text = %s AND version = 1",
            stream_id,
        )
    )
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}


def test_two_boxes_of_one_person_exchanged(books: Books) -> None:
    """Ada's two boxes are of one key, but not of one place."""
    [(one, box), (other, other_box)] = books.database.rows(
        "SELECT stream_id, sealed FROM events WHERE sealed IS NOT NULL AND version = 1"
        " AND subject_id = (SELECT min(subject_id::text)::uuid FROM subject_keys)"
    )
    change = "UPDATE events SET sealed = %s WHERE stream_id = %s AND version = 1"
    books.edit((change, other_box, one), (change, box, other))
    first = min(str(one), str(other))
    assert books.findings() == {COMMITMENT: (2, f"{first} 1"), READABLE: (2, first)}


def test_another_commitment(books: Books) -> None:
    stream_id = books.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    alter_body(books, "events", f"stream_id = '{stream_id}' AND version = 1", commitment="A" * 43 + "=")
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} 1")}


def test_a_box_taken_out(books: Books) -> None:
    stream_id = books.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    books.edit(("UPDATE events SET sealed = NULL WHERE stream_id::text = %s AND version = 1", stream_id))
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} 1")}


def test_sealed_data_said_to_be_nobodys(books: Books) -> None:
    """It must not pass for that of an erased person."""
    stream_id = books.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    books.edit(("UPDATE events SET subject_id = NULL WHERE stream_id::text = %s AND version = 1", stream_id))
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}
    assert books.verified().keys_gone == 0


@pytest.mark.parametrize(
    "change",
    [
        "at = at - interval '1 day'",
        "actor_kind = 'system'",
        "actor_id = NULL",
        "session_id = NULL",
        "acting_for = command_id",
    ],
)
def test_a_column_of_a_command(books: Books, change: str) -> None:
    command_id = books.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    books.edit((f"UPDATE commands SET {change} WHERE command_id::text = %s", command_id))
    assert books.findings() == {COMMITMENT: (1, f"command {command_id}")}


def test_an_actor_of_no_known_kind(books: Books) -> None:
    command_id = books.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    books.edit(("UPDATE commands SET actor_kind = 'nobody' WHERE command_id::text = %s", command_id))
    assert books.findings() == {COMMITMENT: (1, f"command {command_id}"), READABLE: (1, str(books.ended()))}


def test_the_public_part_of_a_command(books: Books) -> None:
    command_id = books.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    alter_body(books, "commands", f"command_id = '{command_id}'", actor_kind="operator")
    assert books.findings() == {COMMITMENT: (1, f"command {command_id}")}


def test_where_a_command_came_from(books: Books) -> None:
    command_id = books.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 1")
    change = "UPDATE commands SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE command_id::text = %s"
    books.edit((change, command_id))
    # the session's row shows where it was started from
    assert books.findings() == {READABLE: (2, str(min(str(books.ended()), f"command {command_id}")))}


def test_a_password_of_another_version(books: Books) -> None:
    user_id = books.text("SELECT min(user_id::text) FROM credentials")
    books.edit(("UPDATE credentials SET password_version = password_version + 1 WHERE user_id::text = %s", user_id))
    assert books.findings() == {PASSWORD_VERSION: (1, user_id)}


def test_a_password_put_back_to_the_one_before(books: Books) -> None:
    session_id = next(iter(books.lives.sessions))
    user_id = books.lives.sessions[session_id]
    sql = "SELECT password_version, hash FROM credentials WHERE user_id = %s"
    [before] = books.database.rows(sql, user_id)
    change_password(
        books.lives.context, session_id=session_id, current=PASSWORD, new="battery staple 2", revoking=True,
        organization_id=None, now=books.lives.now, where_from=books.lives.somewhere(),
    )  # fmt: skip
    [after] = books.database.rows(sql, user_id)
    assert (before[0], after[0], before[1] == after[1]) == (1, 2, False)
    assert books.findings() == {}
    books.edit(("UPDATE credentials SET password_version = %s, hash = %s WHERE user_id = %s", *before, user_id))
    assert books.findings() == {PASSWORD_VERSION: (1, str(user_id))}


def test_sessions_that_were_ended_and_said_not_to_be(books: Books) -> None:
    """All of a person's but one: their account is at the next epoch, and so is that session."""
    session_id = next(iter(books.lives.sessions))
    user_id = books.lives.sessions[session_id]
    revoke_other_sessions(books.lives.context, by=session_id, now=books.lives.now, where_from=books.lives.somewhere())
    assert books.findings() == {}
    assert books.verified().clean
    for table, key, name, column in (
        ("account_list", user_id, "SessionsRevoked", "session_epoch"),
        ("session_list", session_id, "SessionKept", "epoch"),
    ):
        where = f"stream_id = '{key}' AND name = '{name}'"
        alter_body(books, "events", where, epoch=0)
        tables = books.verified().tables
        differences = [(one.table, row.key, row.columns) for one in tables for row in one.differences]
        assert differences == [(table, key, (column,))]
        alter_body(books, "events", where, epoch=1)


def test_a_password_taken_away(books: Books) -> None:
    user_id = books.text("SELECT max(user_id::text) FROM credentials")
    books.edit(("DELETE FROM credentials WHERE user_id::text = %s", user_id))
    assert books.findings() == {PASSWORD_VERSION: (1, user_id)}


def test_a_password_of_nobody(books: Books) -> None:
    nobody = "00000000-0000-7000-8000-00000000000e"
    books.edit(("INSERT INTO credentials (user_id, password_version, hash) VALUES (%s, 1, '')", nobody))
    assert books.findings() == {PASSWORD_VERSION: (1, nobody)}


def alter_body(books: Books, table: str, where: str, **words: object) -> None:
    """Other words in a public part that was written as JSON."""
    body = json.loads(bytes(books.database.value(f"SELECT body FROM {table} WHERE {where}")))
    assert words.keys() <= body.keys()
    books.edit((f"UPDATE {table} SET body = %s WHERE {where}", json.dumps(body | words).encode()))
