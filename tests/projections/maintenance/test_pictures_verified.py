"""Whoever takes a picture away, exchanges or adds one behind the history's back is found out by verify."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.commands.organization import close_organization, found_organization
from domain.commands.user import update_user
from domain.pictures import Picture
from tests.keeping import caught_up
from tests.lived import through
from tests.pictures import GIF, png
from tests.projections.maintenance.edited_log import EditedLog

SHOWN, KEPT = "each picture is shown by its owner", "each picture is what was kept"
THERE = "each picture that is shown is there"


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
    assert log.findings() == {SHOWN: (1, owners[1]), KEPT: (1, owners[1]), THERE: (1, owners[1])}


def test_one_of_somebody_whose_key_is_gone(log: EditedLog, owners: list[str]) -> None:
    log.edit(("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", UUID(owners[0])))
    assert log.findings()[KEPT] == (1, owners[0])


@pytest.mark.parametrize(
    "instead", ["UPDATE account_list SET image = left(image, -32) || md5('x')", "DELETE FROM pictures"]
)
def test_one_that_is_shown_and_not_there(log: EditedLog, owners: list[str], instead: str) -> None:
    log.edit(f"{instead} WHERE {'user' if 'account' in instead else 'owner'}_id = '{owners[0]}'")
    assert log.findings()[THERE] == (1, owners[0])


def test_all_of_them(log: EditedLog, owners: list[str]) -> None:
    log.edit("DELETE FROM pictures")
    assert log.findings() == {THERE: (2, owners[0])}


def test_a_logo_that_is_not_there_matters_until_its_organization_is_closed(log: EditedLog) -> None:
    lives = log.lives
    session_id = next(iter(lives.sessions))
    command = through(lives.context, session_id, now=lives.now, where_from=lives.somewhere())
    founded, _ = found_organization(
        lives.context, command, name="Acme", slug="acme", logo=Picture(GIF), metadata=None, turning=False
    )
    caught_up(log.database)
    assert log.findings() == {}
    log.edit("UPDATE pictures SET link = NULL, sealed = NULL")
    assert log.findings() == {THERE: (1, str(founded))}
    command = through(lives.context, session_id, now=lives.now, where_from=lives.somewhere())
    close_organization(lives.context, command, organization_id=founded)
    caught_up(log.database)
    assert log.findings() == {}


def test_an_address_elsewhere_is_nobodys_business(log: EditedLog, owners: list[str]) -> None:
    lives = log.lives
    for session_id, address in zip(
        list(lives.sessions)[:2], ("https://x.io/picture/ada.png", "/api/auth/ada.png"), strict=True
    ):
        command = through(lives.context, session_id, now=lives.now, where_from=lives.somewhere())
        update_user(lives.context, command, name=None, image=address)
    caught_up(log.database)
    assert log.findings() == {}
