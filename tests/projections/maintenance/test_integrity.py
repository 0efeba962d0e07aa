"""Whoever edits the log and the keys, as only a superuser can, is found out by verify, by the rule that was broken."""

from __future__ import annotations

import psycopg
import pytest

from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.rebuild import rebuild
from projections.maintenance.repair import repair
from tests.projections.maintenance.edited_log import (
    COMMITMENT,
    CONTIGUOUS,
    DID_SOMETHING,
    HAS_COMMAND,
    HAS_EVENT,
    IN_LOG,
    KNOWN_KEY,
    KNOWN_SUBJECT,
    LAST,
    OF_THE_ENDED,
    READABLE,
    EditedLog,
    differing,
)

GONE = "each key that is gone was destroyed by an erasure"


def test_what_nobody_touched_is_whole(log: EditedLog) -> None:
    assert log.findings() == {}
    assert log.verified().clean


def test_a_gap_in_the_log(log: EditedLog) -> None:
    after = log.database.value("SELECT max(position) + 5 FROM log")
    log.edit(f"UPDATE log SET position = position + 5 WHERE {LAST}")
    assert log.findings() == {"positions of the log are contiguous": (1, str(after))}


def test_a_time_that_goes_back(log: EditedLog) -> None:
    log.edit(f"UPDATE log SET recorded_at = recorded_at - interval '1 day' WHERE {LAST}")
    last = log.text("SELECT max(position) FROM log")
    assert log.findings() == {"times of the log never go back": (1, last)}


def test_two_events_of_a_stream_in_the_wrong_order(log: EditedLog) -> None:
    first = log.text(f"SELECT min(position) FROM log WHERE {OF_THE_ENDED}")
    log.edit(
        f"UPDATE log SET version = -1 WHERE {OF_THE_ENDED} AND version = 1",
        f"UPDATE log SET version = 1 WHERE {OF_THE_ENDED} AND version = 2",
        f"UPDATE log SET version = 2 WHERE {OF_THE_ENDED} AND version = -1",
    )
    assert log.findings() == {"each stream is in order in the log": (2, first)}


def test_an_event_taken_out(log: EditedLog) -> None:
    position = log.text(f"SELECT max(position) FROM log WHERE {OF_THE_ENDED}")
    sign_out_id = log.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    log.edit(f"DELETE FROM events WHERE {OF_THE_ENDED} AND version = 3")
    assert log.findings() == {HAS_EVENT: (1, position), DID_SOMETHING: (1, sign_out_id)}


def test_an_event_taken_out_of_the_middle(log: EditedLog) -> None:
    position = log.text(f"SELECT max(position) - 1 FROM log WHERE {OF_THE_ENDED}")
    log.edit(f"DELETE FROM events WHERE {OF_THE_ENDED} AND version = 2")
    ended = str(log.ended())
    assert log.findings() == {HAS_EVENT: (1, position), CONTIGUOUS: (1, ended), READABLE: (1, ended)}


def test_the_end_of_the_log_cut_off(log: EditedLog) -> None:
    [(stream_id, version)] = log.database.rows(f"SELECT stream_id, version FROM log WHERE {LAST}")
    log.edit(f"DELETE FROM log WHERE {LAST}")
    ahead = {"no follower is ahead of the log": (2, "deliveries")}
    assert log.findings() == {IN_LOG: (1, f"{stream_id} {version}")} | ahead


def test_an_event_that_waits_for_a_second_place(log: EditedLog) -> None:
    place = log.text("SELECT stream_id || ' ' || version FROM log WHERE position = 3")
    log.edit("INSERT INTO queue (stream_id, version) SELECT stream_id, version FROM log WHERE position = 3")
    assert log.findings() == {"no event waits that is in the log or not there": (1, place)}


def test_a_command_taken_out(log: EditedLog) -> None:
    place = f"{log.ended()} 3"
    log.edit(
        f"DELETE FROM commands WHERE command_id = (SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3)"
    )
    assert log.findings() == {HAS_COMMAND: (1, place), READABLE: (1, str(log.ended()))}


def test_a_command_put_in(log: EditedLog) -> None:
    columns = "at, actor_kind, actor_id, session_id, acting_for, subject_id, body, sealed"
    log.edit(
        f"INSERT INTO commands (command_id, {columns})"
        f" SELECT '00000000-0000-7000-8000-00000000000d', {columns} FROM commands ORDER BY at LIMIT 1"
    )
    findings = log.findings()
    assert findings.pop(DID_SOMETHING) == (1, "00000000-0000-7000-8000-00000000000d")
    # the box of another command does not open in its place
    assert findings == {READABLE: (1, "command 00000000-0000-7000-8000-00000000000d")}


def test_a_key_wrapped_by_nobody_knows_what(log: EditedLog) -> None:
    subject_id = log.text("SELECT min(subject_id::text) FROM subject_keys")
    log.edit(
        (
            "UPDATE subject_keys SET wrapped = '\\x00000009' || substr(wrapped, 5) WHERE subject_id::text = %s",
            subject_id,
        )
    )
    findings = log.findings()
    assert findings[KNOWN_KEY] == (1, subject_id)
    assert findings.keys() == {KNOWN_KEY, COMMITMENT, READABLE}


def test_a_key_that_was_not_destroyed_but_taken_away(log: EditedLog) -> None:
    subject_id = log.text("SELECT min(subject_id::text) FROM subject_keys")
    log.edit(("DELETE FROM subject_keys WHERE subject_id::text = %s", subject_id))
    findings = log.findings()
    assert findings[KNOWN_SUBJECT] == (1, subject_id)
    assert findings.keys() == {KNOWN_SUBJECT, READABLE}


def test_rows_whose_key_got_lost_are_left_as_they_are(log: EditedLog) -> None:
    before = log.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id")
    log.edit("DELETE FROM subject_keys")
    mapper, url = SealingMapper(log.lives.context.keyring), log.database.owner_url
    result = log.verified()
    assert {one.table: one.differing for one in result.tables} == dict.fromkeys(
        (
            "account_list",
            "session_list",
            "organization_list",
            "member_list",
            "invitation_list",
            "mailed_link_list",
            "api_key_list",
            "journal",
        ),
        0,
    )
    with psycopg.connect(url, **connection_arguments("tests")) as connection:
        for compared in result.tables:
            repair(connection, mapper, compared)
    rebuild(url, "account_list", mapper, anew=True, progress=lambda *_: None)
    assert log.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id") == before
    assert all(email for _, email, _ in before)


def test_a_follower_ahead_of_the_log(log: EditedLog) -> None:
    log.edit("UPDATE followers SET position = 1000")
    assert "no follower is ahead of the log" in log.findings()


def test_an_entry_set_aside_that_could_be_taken_in(log: EditedLog) -> None:
    log.edit("DELETE FROM journal WHERE position = 1", "INSERT INTO set_aside VALUES ('journal', 1, 'x')")
    result = log.verified()
    assert [one.rule for one in result.findings] == ["nothing is set aside"]
    assert differing(result) == {"journal": 1}


def test_a_book_that_can_be_rewritten(log: EditedLog) -> None:
    log.edit("ALTER TABLE events DISABLE TRIGGER append_only")
    assert log.findings() == {"the log is append-only": (1, "a trigger is missing or off")}


def test_a_key_said_to_be_another_persons(log: EditedLog) -> None:
    people = "subject_id IN (SELECT user_id FROM account_list)"
    log.edit(f"UPDATE subject_keys SET person_id = gen_random_uuid() WHERE {people}")
    assert log.findings().keys() == {"each key is whose the events say"}


def test_a_key_that_an_erasure_left(log: EditedLog) -> None:
    keys = log.database.rows("SELECT subject_id, wrapped FROM subject_keys WHERE subject_id = person_id")
    user_id, wrapped = keys[0]
    erase_person(log.lives.context, Operator(at=log.lives.now), user_id=user_id)
    assert log.findings() == {}
    log.edit(("UPDATE subject_keys SET wrapped = %s WHERE subject_id = %s", wrapped, user_id))
    assert log.findings()["each key of who was erased is gone"] == (1, str(user_id))


@pytest.mark.parametrize("edit", ["DELETE FROM erasures", "UPDATE erasures SET version = version + 1"])
def test_an_erasure_that_is_not_written_down_as_it_was(log: EditedLog, edit: str) -> None:
    [user_id, *_] = log.lives.people.values()
    erase_person(log.lives.context, Operator(at=log.lives.now), user_id=user_id)
    log.edit(edit)
    assert log.findings().keys() == {"each erasure is written down"}


def test_a_key_that_no_erasure_destroyed_got_lost_and_repair_keeps_what_can_still_be_read(log: EditedLog) -> None:
    before = log.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id")
    log.edit("UPDATE subject_keys SET wrapped = NULL")
    mapper, url = SealingMapper(log.lives.context.keyring), log.database.owner_url
    result = log.verified()
    assert GONE in {one.rule for one in result.findings}
    assert not differing(result)
    with psycopg.connect(url, **connection_arguments("tests")) as connection:
        for compared in result.tables:
            repair(connection, mapper, compared)
    rebuild(url, "account_list", mapper, anew=True, progress=lambda *_: None)
    assert log.database.rows("SELECT user_id, email, name FROM account_list ORDER BY user_id") == before
    assert all(email for _, email, _ in before)
    assert log.verified().keys_gone > 0
