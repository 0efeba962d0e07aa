"""`daybook user change-email`, and what the commands around it say of a change of address that can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.edge.wire_time import to_wire
from domain.clock import now
from domain.commands.email import request_email_change, verify_email
from domain.mailed_link import UNDO_LIFETIME, Purpose
from tests.api.cli.terminal import Terminal
from tests.databases import Database
from tests.domain.commands.going import ADAS, BOS, THEIRS, Town
from tests.lived import context_over
from tests.lived_by_mail import mailed

THIEFS = "thief@example.net"


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    # the program has a clock of its own, and offers to undo are to be open on both
    with context_over(database) as context:
        yield Town(context, database, now() - timedelta(hours=1))


@pytest.fixture
def terminal(database: Database) -> Terminal:
    return Terminal(database)


@pytest.fixture
def ada(town: Town) -> UUID:
    """Whose address a thief has changed."""
    ada = town.signs_up(ADAS, "Ada")
    request_email_change(town.context, town.by(ada), email=THIEFS, callback_url="")
    verify_email(town.context, link=mailed(town.context, ada, Purpose.EMAIL_CHANGE), now=town.now, where_from=THEIRS)
    return ada


@pytest.fixture
def until(town: Town, ada: UUID) -> str:
    """When it can be undone no more."""
    return to_wire(town.now + UNDO_LIFETIME)


def test_the_account_has_it_at_once(terminal: Terminal, ada: UUID) -> None:
    assert terminal.told("user", "change-email", "--email", THIEFS, ADAS.upper()) == {"id": ada.hex, "withdrawn": 1}
    shown = terminal.told("user", "show", "--email", ADAS)
    assert (shown["id"], shown["emailVerified"], shown["sessions"]) == (ada.hex, True, 0)
    code, said, _ = terminal.run("user", "change-email", "--user", ada.hex, "ada@example.org")
    assert (code, said.splitlines()) == (
        0,
        [
            f"The account {ada.hex} has another address, and all of its sessions were ended.",
            "Links that were sent for it and open nothing any more: 0.",
            "Its password is as it was: if somebody else may know it, see `daybook user reset-password`.",
        ],
    )
    # what was reserved is free again
    assert set(terminal.told("user", "create", "--email", ADAS)) == {"id", "password"}


def test_what_cannot_be_had_is_refused_in_one_sentence(town: Town, terminal: Terminal, ada: UUID, until: str) -> None:
    town.signs_up(BOS, "Bo")
    change = ("user", "change-email", "--email", BOS)
    assert terminal.refused(*change, THIEFS) == "This address has an account."
    assert terminal.refused(*change, BOS) == "The account has this address already."
    assert terminal.refused(*change, "no address").startswith("This is no address that is accepted")
    reserved = f"Nobody else can have this address: the account {ada.hex} may have it back until {until}."
    assert terminal.refused(*change, ADAS) == reserved


def test_a_reset_says_that_the_change_can_still_be_undone(terminal: Terminal, ada: UUID, until: str) -> None:
    code, said, _ = terminal.run("user", "reset-password", "--user", ada.hex)
    assert (code, said.splitlines()[-1]) == (
        0, f"A change of address can still be undone until {until}; see `daybook user change-email`."
    )  # fmt: skip
    assert terminal.told("user", "reset-password", "--user", ada.hex)["undoableUntil"] == until
    terminal.told("user", "change-email", "--user", ada.hex, ADAS)
    assert set(terminal.told("user", "reset-password", "--user", ada.hex)) == {"id", "password"}


def test_an_address_that_somebody_may_have_back_is_said_to_be_theirs(terminal: Terminal, ada: UUID, until: str) -> None:
    theirs = f"the account {ada.hex} may have it back until {until}."
    asked = terminal.refused("user", "show", "--email", ADAS.upper())
    assert asked == f"Nobody has an account with this address, but {theirs}"
    assert terminal.refused("user", "create", "--email", ADAS.upper()) == f"Nobody else can have this address: {theirs}"
