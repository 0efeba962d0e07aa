"""What an account invited to while it was not its person's ends when it is theirs (again)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands import left_pending
from domain.commands.context import EmailVerification, Rules
from domain.commands.email import request_email_change, verify_email
from domain.commands.mailed_link import request_password_reset
from domain.commands.password_reset import reset_password
from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.mailed_link import Purpose
from domain.refusals import LinkNotFound
from tests.domain.commands.going import ADAS, BOS, THEIRS, Town
from tests.lived_by_mail import mailed

NEW = "battery staple 2"
STATUS = "SELECT email, status FROM invitation_list ORDER BY invitation_id"
TAKEN_BACK = "SELECT count(*) FROM events WHERE name = 'InvitationCanceled'"


def asking_for_proofs(town: Town) -> None:
    """Whoever signs up is asked to prove their address."""
    town.context = replace(town.context, rules=Rules(email_verification=EmailVerification.ASKED))


def asked(town: Town, user_id: UUID, email: str) -> str:
    town.now += timedelta(minutes=1)
    request_password_reset(town.context, email=email, callback_url="/", now=town.now, where_from=THEIRS)
    return mailed(town.context, user_id, Purpose.PASSWORD_RESET)


def resets(town: Town, link: str, password: str = NEW) -> None:
    town.now += timedelta(minutes=1)
    reset_password(town.context, link=link, password=password, now=town.now, where_from=THEIRS)


def moved(town: Town, user_id: UUID, email: str) -> str:
    """The account has this address; the link that undoes it."""
    request_email_change(town.context, town.by(user_id), email=email, callback_url="/")
    link = mailed(town.context, user_id, Purpose.EMAIL_CHANGE)
    verify_email(town.context, link=link, now=town.now, where_from=THEIRS)
    return mailed(town.context, user_id, Purpose.EMAIL_CHANGE_UNDO)


def test_what_was_sent_since_the_change_that_is_undone_is_taken_back_and_nothing_else(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    works, engines = town.founds(ada, "Works", "works"), town.founds(bo, "Engines", "engines")
    town.invites(ada, works, "before@example.com")
    town.now += timedelta(minutes=5)
    # the session that is stolen, in which somebody was invited before the address was changed
    town.signs_in(ADAS)
    town.invites(ada, works, "first@example.net")
    undo = moved(town, ada, "thief@example.net")
    town.invites(ada, works, "accomplice@example.net")
    town.invites(ada, works, "further@example.net")
    town.takes_in(ada, works, bo)
    town.invites(bo, engines, "of.bo@example.com")
    resets(town, undo)
    assert town.database.rows(STATUS) == [
        ("before@example.com", "pending"),
        ("first@example.net", "canceled"),
        ("accomplice@example.net", "canceled"),
        ("further@example.net", "canceled"),
        (BOS, "accepted"),
        ("of.bo@example.com", "pending"),
    ]
    [[command]] = town.database.rows("SELECT command_id FROM events WHERE name = 'EmailRestored'")
    said = "SELECT command_id, convert_from(body, 'UTF8') FROM events WHERE name = 'InvitationCanceled'"
    assert town.database.rows(said) == [(command, '{"because":"change_undone"}')] * 3


def test_where_nobody_is_asked_to_prove_an_address_a_forgotten_password_takes_nothing_back(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    works = town.founds(ada, "Works", "works")
    town.invites(ada, works, "guest@example.net")
    resets(town, asked(town, ada, ADAS))
    assert town.database.rows(STATUS) == [("guest@example.net", "pending")]


def test_the_first_reset_that_proves_the_address_takes_all_back_and_no_later_one(town: Town) -> None:
    asking_for_proofs(town)
    ada = town.signs_up(ADAS, "Ada")
    works = town.founds(ada, "Works", "works")
    town.invites(ada, works, "accomplice@example.net")
    resets(town, asked(town, ada, ADAS))
    assert town.database.rows(STATUS) == [("accomplice@example.net", "canceled")]
    town.now += timedelta(minutes=1)
    account = verified_account(town.context, email=ADAS, password=NEW, now=town.now)
    sign_in(town.context, account, remembered=True, now=town.now, where_from=THEIRS)
    town.invites(ada, works, "guest@example.net")
    resets(town, asked(town, ada, ADAS), "another " + NEW)
    assert town.database.rows(STATUS)[1:] == [("guest@example.net", "pending")]
    [[body]] = town.database.rows("SELECT convert_from(body, 'UTF8') FROM events WHERE name = 'InvitationCanceled'")
    assert body == '{"because":"address_proved"}'


def test_of_an_account_whose_address_was_proved_a_forgotten_password_takes_nothing_back(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    works = town.founds(ada, "Works", "works")
    moved(town, ada, "ada@example.org")
    town.invites(ada, works, "guest@example.net")
    resets(town, asked(town, ada, "ada@example.org"))
    assert town.database.rows(STATUS) == [("guest@example.net", "pending")]


def test_more_than_one_append_takes_are_taken_back_before_and_the_reset_with_the_last_of_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_pending, "AT_ONCE", 3)
    ada = town.signs_up(ADAS, "Ada")
    works = town.founds(ada, "Works", "works")
    undo = moved(town, ada, "thief@example.net")
    for number in range(8):
        town.invites(ada, works, f"guest{number}@example.net")
    resets(town, undo)
    assert [status for _, status in town.database.rows(STATUS)] == ["canceled"] * 8
    by_command = "SELECT count(*) FROM events WHERE name = 'InvitationCanceled' GROUP BY command_id ORDER BY 1"
    assert town.database.rows(by_command) == [(2,), (3,), (3,)]
    with pytest.raises(LinkNotFound):
        resets(town, undo)
    assert town.database.value(TAKEN_BACK) == 8


def test_who_has_no_right_link_takes_nothing_back(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    works = town.founds(ada, "Works", "works")
    undo = moved(town, ada, "thief@example.net")
    town.invites(ada, works, "guest@example.net")
    town.now += timedelta(hours=72)
    with pytest.raises(LinkNotFound):
        resets(town, undo)
    assert town.database.rows(STATUS) == [("guest@example.net", "pending")]
