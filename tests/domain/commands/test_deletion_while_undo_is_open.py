"""A deletion while a change of address can be undone: who had the account first is asked, and told (decision 48)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands.deletion_request import request_deletion
from domain.commands.email import request_email_change, verify_email
from domain.commands.erasure import delete_account, erase_person
from domain.commands.password_reset import reset_password
from domain.commands.principal import Operator
from domain.mailed_link import UNDO_LIFETIME, Purpose
from domain.refusals import LinkNotFound
from tests.domain.commands.going import ADAS, THEIRS, Town
from tests.lived_by_mail import mailed
from tests.people import PASSWORD

THIEFS, AGAIN = "thief@example.net", "thief.again@example.net"
MAILED_TO = "SELECT email_hash FROM mailed_link_list WHERE purpose = 'account_deletion'"


@pytest.fixture
def ada(town: Town) -> UUID:
    return town.signs_up(ADAS, "Ada")


def change(town: Town, user_id: UUID, email: str) -> None:
    request_email_change(town.context, town.by(user_id), email=email, callback_url="")
    verify_email(
        town.context, link=mailed(town.context, user_id, Purpose.EMAIL_CHANGE), now=town.now, where_from=THEIRS
    )


def asked(town: Town, user_id: UUID) -> list[str]:
    """Which addresses were asked whether the account may be deleted, by the request's own word."""
    addresses = list[str]()

    def admitted(address: str) -> bool:
        addresses.append(address)
        return True

    elsewhere = request_deletion(town.context, town.by(user_id), password=None, callback_url="", admitted=admitted)
    assert elsewhere == (
        town.database.value("SELECT email FROM account_list WHERE user_id = %s", user_id) != addresses[0]
    )
    [[email_hash]] = town.database.rows(MAILED_TO)
    assert email_hash == town.context.keyring.email_hash(addresses[0])
    return addresses


def delete(town: Town, user_id: UUID) -> None:
    link = mailed(town.context, user_id, Purpose.ACCOUNT_DELETION)
    delete_account(town.context, town.by(user_id), password=None, link=link)


def told(town: Town) -> list[str]:
    """To whom the last message goes."""
    rows = town.database.rows("SELECT sealed, stream_id, version FROM farewells")
    keyring = town.context.keyring
    return sorted(keyring.open_address(sealed, stream_id=one, version=version) for sealed, one, version in rows)


def test_without_a_change_the_accounts_own_address_is_asked(town: Town, ada: UUID) -> None:
    assert asked(town, ada) == [ADAS]
    delete(town, ada)
    assert told(town) == [ADAS]


def test_whoever_had_the_account_first_is_asked_however_often_the_address_changed(town: Town, ada: UUID) -> None:
    for email in (THIEFS, AGAIN):
        change(town, ada, email)
        assert asked(town, ada) == [ADAS]
    delete(town, ada)
    assert told(town) == [ADAS, AGAIN]


def test_a_link_that_went_to_the_account_before_its_address_changed_is_still_its_holders(town: Town, ada: UUID) -> None:
    assert asked(town, ada) == [ADAS]
    change(town, ada, THIEFS)
    delete(town, ada)


def test_once_the_change_cannot_be_undone_the_new_address_is_asked_and_older_links_are_void(
    town: Town, ada: UUID
) -> None:
    change(town, ada, THIEFS)
    town.now += UNDO_LIFETIME - timedelta(minutes=3)
    assert asked(town, ada) == [ADAS]
    town.now += timedelta(minutes=2)
    with pytest.raises(LinkNotFound):
        delete(town, ada)
    assert asked(town, ada) == [THIEFS]
    delete(town, ada)
    assert told(town) == [THIEFS]


def test_once_it_was_undone_nothing_goes_to_who_lost_the_address(town: Town, ada: UUID) -> None:
    change(town, ada, THIEFS)
    change(town, ada, AGAIN)
    [[first, command_id]] = town.database.rows(
        "SELECT stream_id, command_id FROM events WHERE name = 'EmailChangeUndoOffered' ORDER BY stream_id LIMIT 1"
    )
    reset_password(
        town.context,
        link=town.context.keyring.mailed_link(first, 1, command_id),
        password=PASSWORD,
        now=town.now,
        where_from=THEIRS,
    )
    town.signs_in(ADAS)
    assert asked(town, ada) == [ADAS]
    delete(town, ada)
    assert told(town) == [ADAS]


@pytest.mark.parametrize("by_the_operator", [True, False])
def test_who_had_the_account_first_is_told_whoever_deletes_it_and_however(
    town: Town, ada: UUID, *, by_the_operator: bool
) -> None:
    change(town, ada, THIEFS)
    if by_the_operator:
        erase_person(town.context, Operator(at=town.now), user_id=ada)
    else:
        delete_account(town.context, town.by(ada), password=PASSWORD)
    assert told(town) == [ADAS, THIEFS]
    [[ended_at, version]] = town.database.rows(
        "SELECT ended_at, version FROM mailed_link_list WHERE purpose = 'email_change_undo'"
    )
    assert (ended_at, version) == (town.now, 2)


def test_who_is_erased_again_after_a_restore_hears_nothing_at_any_address(town: Town, ada: UUID) -> None:
    change(town, ada, THIEFS)
    erase_person(town.context, Operator(at=town.now), user_id=ada, certificate="{}")
    assert told(town) == []
