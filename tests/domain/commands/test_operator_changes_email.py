"""An operator gives an account another address: whoever had it meanwhile cannot get it back (decision 48)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.commands.deletion_request import request_deletion
from domain.commands.email import request_email_change, verify_email
from domain.commands.erasure import delete_account
from domain.commands.mailed_link import request_password_reset
from domain.commands.operator import change_email
from domain.commands.password_reset import reset_password
from domain.commands.principal import Operator
from domain.commands.session import use_session
from domain.mailed_link import Purpose
from domain.refusals import AccountNotFound, EmailTaken, LinkNotFound, MalformedEmail, SameEmail, SessionOver
from tests.domain.commands.going import ADAS, BOS, CYS, THEIRS, Town
from tests.lived_by_mail import mailed

THIEFS, FURTHER = "thief@example.net", "thief.further@example.net"
OPEN = "SELECT purpose FROM mailed_link_list WHERE ended_at IS NULL AND link_hash IS NOT NULL ORDER BY purpose"
ADDRESS = "SELECT email, email_verified FROM account_list WHERE user_id = %s"


@pytest.fixture
def ada(town: Town) -> UUID:
    return town.signs_up(ADAS, "Ada")


def opens(town: Town, user_id: UUID, link: str) -> None:
    verify_email(town.context, link=link, now=town.now, where_from=THEIRS)


def asks_to_change(town: Town, user_id: UUID, email: str) -> str:
    request_email_change(town.context, town.by(user_id), email=email, callback_url="")
    return mailed(town.context, user_id, Purpose.EMAIL_CHANGE)


def resets(town: Town, link: str) -> None:
    reset_password(town.context, link=link, password="battery staple 2", now=town.now, where_from=THEIRS)


def gives(town: Town, user_id: UUID, email: str = ADAS) -> int:
    return change_email(town.context, Operator(at=town.now), user_id=user_id, email=email)


def test_no_link_that_went_to_a_thief_undoes_it(town: Town, ada: UUID) -> None:
    opens(town, ada, asks_to_change(town, ada, THIEFS))
    opens(town, ada, asks_to_change(town, ada, FURTHER))
    links = [mailed(town.context, ada, Purpose.EMAIL_CHANGE_UNDO)]
    request_password_reset(town.context, email=FURTHER, callback_url="", now=town.now, where_from=THEIRS)
    links.append(mailed(town.context, ada, Purpose.PASSWORD_RESET))
    links.append(asks_to_change(town, ada, CYS))
    request_deletion(town.context, town.by(ada), password=None, callback_url="")
    assert gives(town, ada) == 5
    assert town.database.rows(OPEN) == []
    assert town.database.rows(ADDRESS, ada) == [(ADAS, True)]
    for link in links:
        with pytest.raises(LinkNotFound):
            resets(town, link)
        with pytest.raises(LinkNotFound):
            opens(town, ada, link)
    # and the address that the account had is free for whoever has it
    assert town.signs_up(FURTHER, "Dee") != ada


def test_every_session_is_over_and_the_operator_is_named(town: Town, ada: UUID) -> None:
    before = town.by(ada)
    gives(town, ada, CYS)
    with pytest.raises(SessionOver):
        use_session(
            town.context, session_id=before.session_id, extending=True, reading=False, now=town.now, where_from=THEIRS
        )
    assert town.database.rows(
        "SELECT c.actor_kind, e.name FROM events e JOIN commands c USING (command_id) WHERE e.stream_id = %s"
        " ORDER BY e.version DESC LIMIT 3",
        ada,
    ) == [("operator", "ApiKeysRevoked"), ("operator", "SessionsRevoked"), ("operator", "EmailChanged")]
    assert town.signs_in(CYS) == ada


def test_what_cannot_be_had_is_refused_and_nothing_is_written(town: Town, ada: UUID) -> None:
    bo = town.signs_up(BOS, "Bo")
    opens(town, bo, asks_to_change(town, bo, THIEFS))
    gone = town.signs_up(CYS, "Cy")
    delete_account(town.context, town.by(gone), password=None)
    events = town.database.value("SELECT count(*) FROM events")
    for user_id, email, refusal in (
        (ada, THIEFS, EmailTaken),
        # who gave it up may have it back
        (ada, BOS, EmailTaken),
        (ada, ADAS, SameEmail),
        (ada, "no address", MalformedEmail),
        (gone, "new@example.com", AccountNotFound),
        (UUID(int=1), "new@example.com", AccountNotFound),
    ):
        with pytest.raises(refusal):
            gives(town, user_id, email)
    assert town.database.value("SELECT count(*) FROM events") == events


@pytest.mark.parametrize("rival", ["a change", "an undoing", "a request", "a reset"])
def test_what_a_thief_does_at_the_same_moment_leaves_them_nothing(town: Town, ada: UUID, rival: str) -> None:
    """It is committed after the operator's command has looked which links are open."""
    opens(town, ada, asks_to_change(town, ada, THIEFS))
    undo = mailed(town.context, ada, Purpose.EMAIL_CHANGE_UNDO)
    change = asks_to_change(town, ada, FURTHER)
    request_password_reset(town.context, email=THIEFS, callback_url="", now=town.now, where_from=THEIRS)
    reset = mailed(town.context, ada, Purpose.PASSWORD_RESET)
    thief, made = town.by(ada), list[str]()
    asked = town.context.lookups.open_links_of

    def meanwhile(*args: Any, **given: Any) -> Any:
        found = asked(*args, **given)
        if not made:
            if rival == "a change":
                opens(town, ada, change)
                made.append(mailed(town.context, ada, Purpose.EMAIL_CHANGE_UNDO))
            elif rival == "an undoing":
                resets(town, undo)
                made.append(undo)
            elif rival == "a reset":
                resets(town, reset)
                made.append(reset)
            else:
                request_email_change(town.context, thief, email="thief.at.last@example.net", callback_url="")
                made.append(mailed(town.context, ada, Purpose.EMAIL_CHANGE))
        return found

    lookups: Any = town.context.lookups
    lookups.open_links_of = meanwhile
    change_email(
        replace(town.context, lookups=lookups), Operator(at=town.now), user_id=ada, email="ada.new@example.com"
    )
    assert made
    assert town.database.rows(ADDRESS, ada) == [("ada.new@example.com", True)]
    for link in (undo, change, reset, *made):
        with pytest.raises(LinkNotFound):
            resets(town, link)
        with pytest.raises(LinkNotFound):
            opens(town, ada, link)
    assert town.database.rows(OPEN) == []
