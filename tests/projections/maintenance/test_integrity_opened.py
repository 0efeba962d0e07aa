"""Whoever edits what was stored, commands or passwords is found out by verify, by the rule that was broken."""

from __future__ import annotations

import pytest

from domain.commands.credential import change_password
from domain.commands.session import revoke_other_sessions
from domain.commands.user import update_user
from tests.keeping import caught_up
from tests.lived import through
from tests.people import PASSWORD
from tests.projections.maintenance.edited_log import (
    COMMITMENT,
    OF_THE_ENDED,
    PASSWORD_VERSION,
    READABLE,
    EditedLog,
    alter_body,
    differing,
)


def test_a_body_that_is_no_json(log: EditedLog) -> None:
    log.edit(f"UPDATE events SET body = '\\x7b' || body WHERE {OF_THE_ENDED} AND version = 1")
    ended = str(log.ended())
    assert log.findings() == {READABLE: (1, ended), COMMITMENT: (1, f"{ended} 1")}


def test_a_public_word_in_a_body(log: EditedLog) -> None:
    alter_body(log, "events", f"{OF_THE_ENDED} AND version = 1", expires_at="2036-03-14T12:00:00Z")
    result = log.verified()
    assert result.findings == []
    [table] = [one for one in result.tables if one.differing]
    assert [(one.key, one.columns) for one in table.differences] == [(log.ended(), ("expires_at",))]
    assert not result.clean


def test_an_event_under_a_name_nobody_knows(log: EditedLog) -> None:
    log.edit(f"UPDATE events SET name = 'NeverHeardOf' WHERE {OF_THE_ENDED} AND version = 3")
    ended = str(log.ended())
    assert log.findings() == {"each event has a name that is known": (1, f"{ended} 3"), READABLE: (1, ended)}
    assert not differing(log.verified())


SEALED = "sealed IS NOT NULL AND name = 'SignedUp'"


def test_a_bit_of_a_sealed_box(log: EditedLog) -> None:
    stream_id = log.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    log.edit(
        (
            "UPDATE events SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
            " WHERE stream_id::text = %s AND version = 1",
            stream_id,
        )
    )
    assert log.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}


def renamed(log: EditedLog) -> None:
    """One of them takes another name."""
    lives, session_id = log.lives, next(iter(log.lives.sessions))
    update_user(
        lives.context,
        through(lives.context, session_id, now=lives.now, where_from=lives.somewhere()),
        name="Ada King",
        image=None,
    )
    caught_up(log.database)


def test_two_boxes_of_one_person_exchanged(log: EditedLog) -> None:
    """Both are of one key, but not of one place."""
    renamed(log)
    [(stream_id, one, box), (_, other, other_box)] = log.database.rows(
        "SELECT stream_id, version, sealed FROM events WHERE sealed IS NOT NULL AND stream_id ="
        " (SELECT stream_id FROM events WHERE sealed IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1)"
        " ORDER BY version LIMIT 2"
    )
    change = "UPDATE events SET sealed = %s WHERE stream_id = %s AND version = %s"
    log.edit((change, other_box, stream_id, one), (change, box, stream_id, other))
    assert log.findings() == {COMMITMENT: (2, f"{stream_id} {one}"), READABLE: (1, str(stream_id))}


def test_one_thing_that_happened_made_another(log: EditedLog) -> None:
    """A change of a name shall pass for one of the picture: both hold one text, and nothing else."""
    renamed(log)
    where = "name = 'NameChanged' AND sealed IS NOT NULL"
    stream_id, version = log.text(f"SELECT min(stream_id::text || ' ' || version) FROM events WHERE {where}").split()
    log.edit(
        (
            "UPDATE events SET name = 'ImageChanged' WHERE stream_id::text = %s AND version = %s",
            stream_id,
            int(version),
        ),
        (
            "UPDATE journal SET event = 'ImageChanged' WHERE stream_id::text = %s AND version = %s",
            stream_id,
            int(version),
        ),
    )
    assert log.findings() == {COMMITMENT: (1, f"{stream_id} {version}"), READABLE: (1, stream_id)}


def test_another_commitment(log: EditedLog) -> None:
    stream_id = log.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    alter_body(log, "events", f"stream_id = '{stream_id}' AND version = 1", commitment="A" * 43 + "=")
    assert log.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}


def test_a_box_taken_out(log: EditedLog) -> None:
    stream_id = log.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    log.edit(("UPDATE events SET sealed = NULL WHERE stream_id::text = %s AND version = 1", stream_id))
    assert log.findings() == {COMMITMENT: (1, f"{stream_id} 1")}


def test_sealed_data_said_to_be_nobodys(log: EditedLog) -> None:
    """It must not pass for that of an erased person."""
    stream_id = log.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    log.edit(("UPDATE events SET subject_id = NULL WHERE stream_id::text = %s AND version = 1", stream_id))
    assert log.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}
    assert log.verified().keys_gone == 0


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
def test_a_column_of_a_command(log: EditedLog, change: str) -> None:
    command_id = log.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    log.edit((f"UPDATE commands SET {change} WHERE command_id::text = %s", command_id))
    assert log.findings() == {COMMITMENT: (1, f"command {command_id}")}


def test_an_actor_of_no_known_kind(log: EditedLog) -> None:
    command_id = log.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    log.edit(("UPDATE commands SET actor_kind = 'nobody' WHERE command_id::text = %s", command_id))
    assert log.findings() == {COMMITMENT: (1, f"command {command_id}"), READABLE: (1, str(log.ended()))}


def test_the_public_part_of_a_command(log: EditedLog) -> None:
    command_id = log.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 3")
    alter_body(log, "commands", f"command_id = '{command_id}'", actor_kind="operator")
    assert log.findings() == {READABLE: (1, f"command {command_id}")}


def test_where_a_command_came_from(log: EditedLog) -> None:
    command_id = log.text(f"SELECT command_id FROM events WHERE {OF_THE_ENDED} AND version = 1")
    change = "UPDATE commands SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE command_id::text = %s"
    log.edit((change, command_id))
    # the session's row shows where it was started from
    assert log.findings() == {READABLE: (2, str(min(str(log.ended()), f"command {command_id}")))}


def test_a_password_of_another_version(log: EditedLog) -> None:
    user_id = log.text("SELECT min(user_id::text) FROM credentials")
    log.edit(("UPDATE credentials SET password_version = password_version + 1 WHERE user_id::text = %s", user_id))
    assert log.findings() == {PASSWORD_VERSION: (1, user_id)}


def test_a_password_put_back_to_the_one_before(log: EditedLog) -> None:
    session_id = next(iter(log.lives.sessions))
    user_id = log.lives.sessions[session_id]
    sql = "SELECT password_version, hash FROM credentials WHERE user_id = %s"
    [before] = log.database.rows(sql, user_id)
    change_password(
        log.lives.context,
        through(log.lives.context, session_id, now=log.lives.now, where_from=log.lives.somewhere()),
        current=PASSWORD,
        new="battery staple 2",
        revoking=True,
        organization_id=None,
    )
    [after] = log.database.rows(sql, user_id)
    assert (before[0], after[0], before[1] == after[1]) == (1, 2, False)
    assert log.findings() == {}
    log.edit(("UPDATE credentials SET password_version = %s, hash = %s WHERE user_id = %s", *before, user_id))
    assert log.findings() == {PASSWORD_VERSION: (1, str(user_id))}


def test_sessions_that_were_ended_and_said_not_to_be(log: EditedLog) -> None:
    """All of a person's but one: their account is at the next epoch, and so is that session."""
    session_id = next(iter(log.lives.sessions))
    user_id = log.lives.sessions[session_id]
    revoke_other_sessions(
        log.lives.context,
        through(log.lives.context, session_id, now=log.lives.now, where_from=log.lives.somewhere()),
    )
    assert log.findings() == {}
    assert log.verified().clean
    for table, key, name, column in (
        ("account_list", user_id, "SessionsRevoked", "session_epoch"),
        ("session_list", session_id, "SessionKept", "epoch"),
    ):
        where = f"stream_id = '{key}' AND name = '{name}'"
        alter_body(log, "events", where, epoch=0)
        tables = log.verified().tables
        differences = [(one.table, row.key, row.columns) for one in tables for row in one.differences]
        assert differences == [(table, key, (column,))]
        alter_body(log, "events", where, epoch=1)


def test_a_password_taken_away(log: EditedLog) -> None:
    user_id = log.text("SELECT max(user_id::text) FROM credentials")
    log.edit(("DELETE FROM credentials WHERE user_id::text = %s", user_id))
    assert log.findings() == {PASSWORD_VERSION: (1, user_id)}


def test_a_password_of_nobody(log: EditedLog) -> None:
    nobody = "00000000-0000-7000-8000-00000000000e"
    log.edit(("INSERT INTO credentials (user_id, password_version, hash) VALUES (%s, 1, '')", nobody))
    assert log.findings() == {PASSWORD_VERSION: (1, nobody)}


def test_another_credential_than_a_password_is_nobodys_password(log: EditedLog) -> None:
    log.edit(
        "INSERT INTO credentials (user_id, kind, id, password_version, hash)"
        " SELECT user_id, other, '', password_version + 1, hash"
        "   FROM credentials, unnest('{passkey,provider}'::text[]) AS other WHERE kind = 'password'"
    )
    assert log.findings() == {}
