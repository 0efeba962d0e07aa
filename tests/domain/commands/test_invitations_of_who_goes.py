"""What becomes of invitations to an address when an account with it is deleted that never proved it (decision 49)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands.context import EmailVerification
from domain.commands.email import request_email_change, verify_email
from domain.commands.erasure import addresses_hashed, erase_person
from domain.commands.principal import Operator
from domain.commands.received_invitation import accept
from domain.mailed_link import UNDO_LIFETIME, Purpose
from tests.databases import Database
from tests.domain.commands.going import ADAS, BOS, CYS, THEIRS, Town
from tests.lived import context_over
from tests.lived_by_mail import mailed


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    """Where addresses are to be proved."""
    with context_over(database) as context:
        rules = replace(context.rules, email_verification=EmailVerification.ASKED)
        yield Town(replace(context, rules=rules), database)


@pytest.fixture
def invited(town: Town) -> str:
    """Cy's address is invited by Bo; the id in what was sent."""
    bo = town.signs_up(BOS, "Bo")
    return town.invites(bo, town.founds(bo, "Acme", "acme"), CYS)


def verify(town: Town, user_id: UUID, purpose: Purpose = Purpose.EMAIL_VERIFICATION) -> None:
    verify_email(town.context, link=mailed(town.context, user_id, purpose), now=town.now, where_from=THEIRS)


def waiting(town: Town) -> list[tuple[Any, ...]]:
    return town.database.rows("SELECT status, email FROM invitation_list ORDER BY invitation_id")


@pytest.mark.parametrize("by_the_operator", [True, False])
def test_a_stranger_who_signs_up_with_an_address_ends_nothing_that_was_sent_there(
    town: Town, invited: str, *, by_the_operator: bool
) -> None:
    stranger = town.signs_up(CYS, "Stranger")
    if by_the_operator:
        # who gives commands on a terminal knows no settings of the service
        rules = replace(town.context.rules, email_verification=EmailVerification.OFF)
        erase_person(replace(town.context, rules=rules), Operator(at=town.now), user_id=stranger)
    else:
        town.goes(stranger)
    assert waiting(town) == [("pending", CYS)]
    cy = town.signs_up(CYS, "Cy")
    accept(town.context, town.by(cy), link=invited)
    assert waiting(town) == [("accepted", CYS)]


def test_who_proved_the_address_ends_it_and_is_forgotten(town: Town, invited: str) -> None:
    cy = town.signs_up(CYS, "Cy")
    verify(town, cy)
    town.goes(cy)
    assert waiting(town) == [("rejected", None)]


def test_an_address_that_was_changed_before_it_was_proved_was_never_theirs(town: Town, invited: str) -> None:
    stranger = town.signs_up(CYS, "Stranger")
    request_email_change(town.context, town.by(stranger), email=ADAS, callback_url="")
    verify(town, stranger, Purpose.EMAIL_CHANGE)
    bo = town.database.value("SELECT user_id FROM account_list WHERE email = %s", BOS)
    town.invites(bo, town.founds(bo, "Works", "works"), ADAS)
    hashes = [town.context.keyring.email_hash(ADAS)]
    assert list(addresses_hashed(town.context, stranger)) == hashes
    town.goes(stranger)
    assert waiting(town) == [("pending", CYS), ("rejected", None)]
    # what is asked of after a restore is the same
    assert list(addresses_hashed(town.context, stranger)) == hashes


def test_what_the_stranger_accepted_goes_with_them(town: Town, invited: str) -> None:
    stranger = town.signs_up(CYS, "Stranger")
    accept(town.context, town.by(stranger), link=invited)
    town.goes(stranger)
    assert waiting(town) == [("accepted", None)]


def test_where_nobody_is_to_prove_an_address_it_is_who_says_sos(database: Database) -> None:
    with context_over(database) as context:
        off = Town(context, database)
        bo = off.signs_up(BOS, "Bo")
        off.invites(bo, off.founds(bo, "Acme", "acme"), CYS)
        off.goes(off.signs_up(CYS, "Cy"))
        assert waiting(off) == [("rejected", None)]


def moves(town: Town, user_id: UUID, email: str) -> None:
    request_email_change(town.context, town.by(user_id), email=email, callback_url="")
    verify(town, user_id, Purpose.EMAIL_CHANGE)


SALES, HOME, HOTEL = "sales@firm.example", "private@home.example", "away@hotel.example"


@pytest.mark.parametrize("proofs", [EmailVerification.OFF, EmailVerification.ASKED])
def test_who_has_an_address_after_them_stays_invited(town: Town, proofs: EmailVerification) -> None:
    """A role's address is given up, and who comes after is invited by it."""
    rules = replace(town.context.rules, email_verification=proofs)
    town = Town(replace(town.context, rules=rules), town.database, town.now)
    boss, cy = town.signs_up(BOS, "Bo"), town.signs_up(SALES, "Cy")
    if proofs is not EmailVerification.OFF:
        verify(town, cy)
    before, after = town.founds(boss, "Acme", "acme"), town.founds(boss, "Works", "works")
    town.invites(boss, before, SALES)
    moves(town, cy, HOME)
    town.now += timedelta(minutes=5)
    invited = town.invites(boss, after, SALES)
    town.invites(boss, after, HOME)
    town.now += UNDO_LIFETIME
    town.signs_in(HOME)
    town.goes(cy)
    assert waiting(town) == [("rejected", None), ("pending", SALES), ("rejected", None)]
    # who comes after them takes it up
    if proofs is EmailVerification.OFF:
        accept(town.context, town.by(town.signs_up(SALES, "Dee")), link=invited)
        assert waiting(town)[1] == ("accepted", SALES)


def test_clocks_that_differ_a_little_leave_nothing_of_theirs(town: Town) -> None:
    """What was sent just before they gave the address up may be dated just after it."""
    boss, cy = town.signs_up(BOS, "Bo"), town.signs_up(SALES, "Cy")
    verify(town, cy)
    acme = town.founds(boss, "Acme", "acme")
    moves(town, cy, HOME)
    town.invites(boss, acme, SALES)
    town.goes(cy)
    assert waiting(town) == [("rejected", None)]


def test_an_address_that_they_took_again_is_theirs_throughout(town: Town) -> None:
    boss, cy = town.signs_up(BOS, "Bo"), town.signs_up(SALES, "Cy")
    acme = town.founds(boss, "Acme", "acme")
    moves(town, cy, HOME)
    town.now += timedelta(minutes=10)
    town.invites(boss, acme, SALES)
    moves(town, cy, SALES)
    town.goes(cy)
    assert waiting(town) == [("rejected", None)]


def test_what_an_export_says_widens_nothing_that_their_own_events_say(town: Town) -> None:
    """An address that only the export knows was theirs until they were erased."""
    boss, cy = town.signs_up(BOS, "Bo"), town.signs_up(SALES, "Cy")
    verify(town, cy)
    acme, works = town.founds(boss, "Acme", "acme"), town.founds(boss, "Works", "works")
    moves(town, cy, HOME)
    town.now += timedelta(minutes=10)
    town.invites(boss, acme, SALES)
    town.invites(boss, acme, HOTEL)
    erased_at = town.by(cy).at
    town.invites(boss, works, HOTEL)
    exported = dict.fromkeys(map(town.context.keyring.email_hash, (SALES, HOME, HOTEL)), erased_at)
    erase_person(town.context, Operator(at=town.now), user_id=cy, email_hashes=exported)
    assert waiting(town) == [("pending", SALES), ("rejected", None), ("pending", HOTEL)]
