"""An address that somebody else opened an account with first: what went to it before proves nothing (wire.md A41)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from domain.commands.context import Context, EmailVerification
from domain.commands.email import verify_email
from domain.commands.mailed_link import note_sign_up, request_password_reset, request_verification
from domain.commands.password_reset import reset_password
from domain.commands.user import sign_up
from domain.events.catalogue import USER
from domain.mailed_link import Purpose
from domain.refusals import LinkNotFound
from domain.store.envelope import WhereFrom
from domain.user import User
from tests.databases import Database
from tests.lived import context_over
from tests.lived_by_mail import mailed
from tests.people import NOON, PASSWORD

HERE = WhereFrom("192.0.2.1", "Browser/1")
VERAS = "vera@example.com"
OPEN = "SELECT purpose FROM mailed_link_list WHERE ended_at IS NULL AND link_hash IS NOT NULL ORDER BY purpose"


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    with context_over(database) as context:
        yield replace(context, rules=replace(context.rules, email_verification=EmailVerification.REQUIRED))


@pytest.fixture
def squatted(context: Context) -> UUID:
    """Mallory's account with Vera's address."""
    return sign_up(
        context, email=VERAS, name="Mallory", image=None, password=PASSWORD, remembered=True, now=NOON, where_from=HERE
    ).person.user_id


def account(context: Context, user_id: UUID) -> User:
    state = context.store.load(USER, user_id).state
    assert isinstance(state, User)
    return state


def note(context: Context, *, telling: bool = True) -> None:
    note_sign_up(context, email=VERAS, now=NOON, where_from=HERE, telling=telling)


def ask(context: Context) -> None:
    request_verification(context, email=VERAS, callback_url="/in", now=NOON, where_from=HERE)


def events(database: Database) -> list[list[str]]:
    """What each command did after the account was opened."""
    rows = database.rows(
        "SELECT array_agg(e.name ORDER BY e.name) FROM events e JOIN commands c USING (command_id)"
        " GROUP BY command_id HAVING NOT 'SignedUp' = ANY(array_agg(e.name)) ORDER BY command_id"
    )
    return [names for [names] in rows]


@pytest.mark.parametrize("telling", [True, False])
def test_a_second_sign_up_withdraws_the_link_that_would_verify_in_its_own_commit(
    context: Context, database: Database, squatted: UUID, *, telling: bool
) -> None:
    link = mailed(context, squatted, Purpose.EMAIL_VERIFICATION)
    note(context, telling=telling)
    told = ["SignUpAttempted"] if telling else []
    assert events(database) == [["EmailContested", "MailedLinkWithdrawn", *told]]
    with pytest.raises(LinkNotFound):
        verify_email(context, link=link, now=NOON, where_from=HERE)
    assert not account(context, squatted).email_verified


def test_a_third_one_changes_nothing_more_and_is_told(context: Context, database: Database, squatted: UUID) -> None:
    note(context)
    note(context, telling=False)
    note(context)
    assert events(database)[1:] == [["SignUpAttempted"]]


def test_what_would_verify_it_afterwards_is_a_link_for_a_new_password(
    context: Context, database: Database, squatted: UUID
) -> None:
    note(context)
    ask(context)
    assert database.rows(OPEN) == [("password_reset",)]
    [[callback_url]] = database.rows("SELECT callback_url FROM mailed_link_list WHERE purpose = 'password_reset'")
    assert callback_url == ""
    link = mailed(context, squatted, Purpose.PASSWORD_RESET)
    reset_password(context, link=link, password="battery staple 2", now=NOON, where_from=HERE)
    vera = account(context, squatted)
    assert (vera.email_verified, vera.email_contested, vera.password_version, vera.session_epoch) == (True, False, 2, 1)


def test_a_link_that_was_open_all_the_same_verifies_nothing(context: Context, squatted: UUID) -> None:
    """As one that was asked for in the very moment, where there was none to withdraw."""
    ask(context)
    link = mailed(context, squatted, Purpose.EMAIL_VERIFICATION)
    note(context)
    context.store.statements.rows(
        "UPDATE mailed_link_list SET ended_at = NULL WHERE purpose = $1 RETURNING 1", Purpose.EMAIL_VERIFICATION
    )
    with pytest.raises(LinkNotFound):
        verify_email(context, link=link, now=NOON, where_from=HERE)


def test_where_no_link_went_out_yet_it_is_contested_too(database: Database) -> None:
    with context_over(database) as off:
        opened = sign_up(
            off, email=VERAS, name="Mallory", image=None, password=PASSWORD, remembered=True, now=NOON, where_from=HERE
        )
        note(off)
        assert events(database) == [["EmailContested", "SignUpAttempted"]]
        ask(off)
        assert database.rows(OPEN) == [("password_reset",)]
        assert account(off, opened.person.user_id).email_contested


def test_a_proved_address_is_contested_by_nobody(context: Context, database: Database, squatted: UUID) -> None:
    verify_email(context, link=mailed(context, squatted, Purpose.EMAIL_VERIFICATION), now=NOON, where_from=HERE)
    note(context)
    ask(context)
    assert events(database)[1:] == [["SignUpAttempted"]]
    assert not account(context, squatted).email_contested


def test_a_link_that_verified_before_answers_as_before(context: Context, squatted: UUID) -> None:
    link = mailed(context, squatted, Purpose.EMAIL_VERIFICATION)
    verify_email(context, link=link, now=NOON, where_from=HERE)
    note(context)
    assert verify_email(context, link=link, now=NOON, where_from=HERE) is None


def test_a_reset_that_was_asked_for_before_proves_it_too(context: Context, squatted: UUID) -> None:
    request_password_reset(context, email=VERAS, callback_url="/", now=NOON, where_from=HERE)
    note(context)
    link = mailed(context, squatted, Purpose.PASSWORD_RESET)
    reset_password(context, link=link, password="battery staple 2", now=NOON, where_from=HERE)
    assert account(context, squatted).email_verified
