"""A change of address that a thief asked for: void once the session is ended, in order whatever the clocks say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands.credential import change_password
from domain.commands.email import request_email_change, verify_email
from domain.commands.password_reset import reset_password
from domain.commands.session import revoke_session, sign_out
from domain.mailed_link import Purpose
from domain.refusals import LinkNotFound
from tests.domain.commands.going import ADAS, THEIRS, Town
from tests.lived_by_mail import mailed
from tests.people import PASSWORD

THIEFS, FURTHER, NEW = "thief@example.net", "thief.further@example.net", "battery staple 2"


@pytest.fixture
def ada(town: Town) -> UUID:
    return town.signs_up(ADAS, "Ada")


def asks(town: Town, user_id: UUID, email: str) -> str:
    """The link that went to the new address."""
    request_email_change(town.context, town.by(user_id), email=email, callback_url="")
    return mailed(town.context, user_id, Purpose.EMAIL_CHANGE)


def opens(town: Town, link: str) -> None:
    verify_email(town.context, link=link, now=town.now, where_from=THEIRS)


def undoes(town: Town, link: str) -> None:
    reset_password(town.context, link=link, password=NEW, now=town.now, where_from=THEIRS)


def the_owner_ends_it(town: Town, ada: UUID) -> None:
    stolen = town.by(ada).session_id
    town.signs_in(ADAS)
    revoke_session(town.context, town.by(ada), named=stolen.hex)


def it_signs_out(town: Town, ada: UUID) -> None:
    sign_out(town.context, session_id=town.by(ada).session_id, now=town.now, where_from=THEIRS)


def the_owner_sets_another_password(town: Town, ada: UUID) -> None:
    town.signs_in(ADAS)
    change_password(
        town.context, town.by(ada), current=PASSWORD, new=NEW, revoking=False, organization_id=None
    )  # fmt: skip


@pytest.mark.parametrize("ends", [the_owner_ends_it, it_signs_out, the_owner_sets_another_password])
def test_what_was_asked_for_in_a_session_is_void_once_it_is_over_or_the_password_is_another(
    town: Town, ada: UUID, ends: Callable[[Town, UUID], None]
) -> None:
    link = asks(town, ada, THIEFS)
    ends(town, ada)
    with pytest.raises(LinkNotFound):
        opens(town, link)
    assert town.database.value("SELECT email FROM account_list WHERE user_id = %s", ada) == ADAS


def test_a_node_whose_clock_is_behind_does_not_put_a_later_change_before_the_first(town: Town, ada: UUID) -> None:
    opens(town, asks(town, ada, THIEFS))
    to_ada = mailed(town.context, ada, Purpose.EMAIL_CHANGE_UNDO)
    town.now -= timedelta(minutes=4)
    opens(town, asks(town, ada, FURTHER))
    [[sent_by_the_slow_one]] = town.database.rows(
        "SELECT stream_id FROM events WHERE name = 'EmailChangeUndoOffered' AND stream_id <>"
        " (SELECT mailed_link_id FROM mailed_link_list WHERE link_hash = %s)",
        town.context.keyring.link_hash(to_ada),
    )
    place = sent_by_the_slow_one, 1
    command_id = town.context.store.recorded([place])[place].command.command_id
    to_thief = town.context.keyring.mailed_link(*place, command_id)
    town.now += timedelta(minutes=10)
    undoes(town, to_ada)
    with pytest.raises(LinkNotFound):
        undoes(town, to_thief)
    assert town.database.value("SELECT email FROM account_list WHERE user_id = %s", ada) == ADAS


def test_the_same_place_in_another_history_has_another_link(town: Town, ada: UUID) -> None:
    first = asks(town, ada, THIEFS)
    [[stream_id, version]] = town.database.rows(
        "SELECT mailed_link_id, version FROM mailed_link_list WHERE purpose = 'email_change'"
    )
    # as if what was asked for had never been written: a backup of before was restored
    other = town.by(ada).session_id
    assert town.context.keyring.mailed_link(stream_id, version, other) != first
    assert town.context.keyring.mailed_link_of_before(stream_id, version) != first
