"""Whoever takes a picture away, exchanges or adds one behind the history's back is found out by verify."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.commands.user import update_user
from domain.pictures import Picture
from tests.keeping import caught_up
from tests.lived import through
from tests.pictures import GIF, png
from tests.projections.maintenance.edited_log import EditedLog

SHOWN, KEPT = "each picture is shown by its owner", "each picture is what was kept"


@pytest.fixture
def owners(log: EditedLog) -> list[str]:
    """Ada and Bo, each with a picture."""
    lives, shown = log.lives, dict[UUID, Picture]()
    for session_id, content in zip(list(lives.sessions)[:2], (png(), GIF), strict=True):
        command = through(lives.context, session_id, now=lives.now, where_from=lives.somewhere())
        update_user(lives.context, command, name=None, image=Picture(content))
        shown[command.user_id] = Picture(content)
    assert len(shown) == 2
    caught_up(log.database)
    return sorted(map(str, shown))


def test_pictures_that_are_shown_are_whole(log: EditedLog, owners: list[str]) -> None:
    assert log.findings() == {}


def test_one_that_is_shown_no_more(log: EditedLog, owners: list[str]) -> None:
    """As if it had been put back after its owner took it away."""
    [kept] = log.database.rows("SELECT link, sealed FROM pictures WHERE owner_id = %s", UUID(owners[0]))
    lives = log.lives
    for session_id in list(lives.sessions)[:2]:
        command = through(lives.context, session_id, now=lives.now, where_from=lives.somewhere())
        update_user(lives.context, command, name=None, image="")
    caught_up(log.database)
    assert log.findings() == {}
    log.edit(("UPDATE pictures SET link = %s, sealed = %s WHERE owner_id = %s", *kept, UUID(owners[0])))
    assert log.findings() == {SHOWN: (1, owners[0])}


def test_a_bit_of_one(log: EditedLog, owners: list[str]) -> None:
    log.edit("UPDATE pictures SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)")
    assert log.findings() == {KEPT: (2, owners[0])}


def test_two_exchanged(log: EditedLog, owners: list[str]) -> None:
    rows = log.database.rows("SELECT sealed, owner_id FROM pictures ORDER BY owner_id")
    for (sealed, _), (_, owner_id) in zip(rows, reversed(rows), strict=True):
        log.edit(("UPDATE pictures SET sealed = %s WHERE owner_id = %s", sealed, owner_id))
    assert log.findings() == {KEPT: (2, owners[0])}


def test_one_under_another_link(log: EditedLog, owners: list[str]) -> None:
    log.edit(("UPDATE pictures SET link = repeat('f', 32) WHERE owner_id = %s", UUID(owners[1])))
    assert log.findings() == {SHOWN: (1, owners[1]), KEPT: (1, owners[1])}


def test_one_of_somebody_whose_key_is_gone(log: EditedLog, owners: list[str]) -> None:
    log.edit(("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", UUID(owners[0])))
    assert log.findings()[KEPT] == (1, owners[0])
