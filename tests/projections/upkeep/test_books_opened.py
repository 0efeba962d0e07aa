"""Whoever edits what was stored, commands or passwords is found out by verify, by the rule that was broken."""

from __future__ import annotations

import pytest

from domain.commands.credential import change_password
from domain.commands.session import revoke_other_sessions
from domain.commands.user import update_user
from tests.keeping import caught_up
from tests.lived import through
from tests.people import PASSWORD
from tests.projections.upkeep.edited_books import (
    COMMITMENT,
    OF_THE_ENDED,
    PASSWORD_VERSION,
    READABLE,
    Books,
    alter_body,
    differing,
)


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


def renamed(books: Books) -> None:
    """One of them takes another name."""
    lives, session_id = books.lives, next(iter(books.lives.sessions))
    update_user(
        lives.context,
        through(lives.context, session_id, now=lives.now, where_from=lives.somewhere()),
        name="Ada King",
        image=None,
    )
    caught_up(books.database)


def test_two_boxes_of_one_person_exchanged(books: Books) -> None:
    """Both are of one key, but not of one place."""
    renamed(books)
    [(stream_id, one, box), (_, other, other_box)] = books.database.rows(
        "SELECT stream_id, version, sealed FROM events WHERE sealed IS NOT NULL AND stream_id ="
        " (SELECT stream_id FROM events WHERE sealed IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1)"
        " ORDER BY version LIMIT 2"
    )
    change = "UPDATE events SET sealed = %s WHERE stream_id = %s AND version = %s"
    books.edit((change, other_box, stream_id, one), (change, box, stream_id, other))
    assert books.findings() == {COMMITMENT: (2, f"{stream_id} {one}"), READABLE: (1, str(stream_id))}


def test_one_thing_that_happened_made_another(books: Books) -> None:
    """A change of a name shall pass for one of the picture: both hold one text, and nothing else."""
    renamed(books)
    where = "name = 'NameChanged' AND sealed IS NOT NULL"
    stream_id, version = books.text(f"SELECT min(stream_id::text || ' ' || version) FROM events WHERE {where}").split()
    books.edit(
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
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} {version}"), READABLE: (1, stream_id)}


def test_another_commitment(books: Books) -> None:
    stream_id = books.text(f"SELECT min(stream_id::text) FROM events WHERE {SEALED}")
    alter_body(books, "events", f"stream_id = '{stream_id}' AND version = 1", commitment="A" * 43 + "=")
    assert books.findings() == {COMMITMENT: (1, f"{stream_id} 1"), READABLE: (1, stream_id)}


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
    assert books.findings() == {READABLE: (1, f"command {command_id}")}


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
        books.lives.context,
        through(books.lives.context, session_id, now=books.lives.now, where_from=books.lives.somewhere()),
        current=PASSWORD,
        new="battery staple 2",
        revoking=True,
        organization_id=None,
    )
    [after] = books.database.rows(sql, user_id)
    assert (before[0], after[0], before[1] == after[1]) == (1, 2, False)
    assert books.findings() == {}
    books.edit(("UPDATE credentials SET password_version = %s, hash = %s WHERE user_id = %s", *before, user_id))
    assert books.findings() == {PASSWORD_VERSION: (1, str(user_id))}


def test_sessions_that_were_ended_and_said_not_to_be(books: Books) -> None:
    """All of a person's but one: their account is at the next epoch, and so is that session."""
    session_id = next(iter(books.lives.sessions))
    user_id = books.lives.sessions[session_id]
    revoke_other_sessions(
        books.lives.context,
        through(books.lives.context, session_id, now=books.lives.now, where_from=books.lives.somewhere()),
    )
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
