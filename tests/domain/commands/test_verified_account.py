"""That somebody is who they say is known of an account only by a check, and told of the session it lets them into."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.clock import now
from domain.commands.context import Context
from domain.commands.credential import change_password, reauthenticate
from domain.commands.session import sign_in
from domain.commands.verified_account import VerifiedAccount, verified_account
from domain.events.keys import token_hash
from domain.session import Way
from tests.databases import Database
from tests.faults.organizations.races import Person, people
from tests.faults.owners import HERE
from tests.lived import context_over
from tests.people import NOON, PASSWORD

NEW_PASSWORD = "battery staple 2"


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


@pytest.fixture(scope="module")
def ada(context: Context) -> Person:
    return people(context, 1)[0]


def verified(context: Context, whose: Person) -> VerifiedAccount:
    return verified_account(context, email=whose.email, password=PASSWORD, now=NOON)


def test_nobody_but_who_checks_can_say_that_an_account_is_verified(context: Context, ada: Person) -> None:
    account = context.lookups.account(ada.user_id)
    assert account is not None
    for said in (object(), None, True, account):
        with pytest.raises(TypeError):
            VerifiedAccount(account, Way.PASSWORD, NOON, said)


def test_what_was_checked_of_one_account_does_not_pass_to_another(context: Context, ada: Person) -> None:
    [bo] = people(context, 1)
    account = context.lookups.account(bo.user_id)
    of_ada: Any = verified(context, ada)
    with pytest.raises((TypeError, ValueError)):
        replace(of_ada, account=account)
    with pytest.raises(TypeError):
        replace(of_ada, account=account, checked=object())


def test_it_says_whose_account_by_which_way_and_when(context: Context, ada: Person) -> None:
    checked = verified(context, ada)
    assert (checked.account.person.user_id, checked.way, checked.at) == (ada.user_id, "password", NOON)


def session_of(context: Context, whose: Person, token: str) -> UUID:
    found = context.lookups.live_session(whose.user_id, session_id=None, token_hash=token_hash(token))
    assert found is not None
    return found


def ways(database: Database, session_id: UUID) -> list[tuple[str, str]]:
    """Of each proof the events of a session tell of: its event, and by which way."""
    rows = database.rows("SELECT name, body FROM events WHERE stream_id = %s ORDER BY version", session_id)
    return [(name, said["way"]) for name, body in rows if "way" in (said := json.loads(body))]


def test_a_session_records_the_way_of_the_check_that_let_it_in(
    context: Context, ada: Person, module_database: Database
) -> None:
    checked = verified(context, ada)
    signed_in = sign_in(context, checked, remembered=True, now=NOON, where_from=HERE)
    session_id = session_of(context, ada, signed_in.token)
    assert ways(module_database, session_id) == [("SessionStarted", checked.way)]
    assert module_database.value("SELECT way FROM session_list WHERE session_id = %s", session_id) == checked.way


def test_a_session_records_the_way_of_each_check_after_that(
    context: Context, ada: Person, module_database: Database
) -> None:
    reauthenticate(context, ada.acts(), password=PASSWORD)
    assert ways(module_database, ada.tabs[0]) == [
        ("SessionStarted", "password"),
        ("SessionReauthenticated", "password"),
    ]


def test_the_session_that_takes_another_ones_place_records_the_way_of_its_check(
    context: Context, module_database: Database
) -> None:
    [cy] = people(context, 1)
    changed = change_password(
        context, cy.acts(at=now()), current=PASSWORD, new=NEW_PASSWORD, revoking=True, organization_id=None
    )
    assert changed.token is not None
    assert ways(module_database, session_of(context, cy, changed.token)) == [("SessionStarted", "password")]
