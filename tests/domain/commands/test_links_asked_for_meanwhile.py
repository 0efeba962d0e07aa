"""A link that is asked for while the account moves on: it is good for the account as it is, or was never the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.lookups import Account
from domain.commands.mailed_link import request_password_reset
from domain.commands.password_reset import reset_password
from domain.commands.user import sign_up
from domain.mailed_link import Purpose
from domain.store.connections import Statements
from domain.store.envelope import WhereFrom
from projections.lookups import ListLookups
from tests.databases import Database
from tests.lived import context_over
from tests.lived_by_mail import mailed
from tests.people import NOON, PASSWORD

HOME = WhereFrom("192.0.2.1", "Browser/1")
EMAIL = "ada@example.com"


class Meanwhile(ListLookups):
    """The real look-ups, with something that happens once, just after the account was looked up by its address."""

    def __init__(self, read: Statements, happens: Callable[[], object]) -> None:
        super().__init__(read)
        self._happens: Callable[[], object] | None = happens

    def account_by_email(self, email_hash: bytes) -> Account | None:
        """What was asked for, before it happened."""
        found = super().account_by_email(email_hash)
        if self._happens is not None:
            happens, self._happens = self._happens, None
            happens()
        return found


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    with context_over(database) as context:
        yield context


@pytest.fixture
def ada(context: Context) -> UUID:
    return sign_up(
        context, email=EMAIL, name="Ada", image=None, password=PASSWORD, remembered=True, now=NOON, where_from=HOME
    ).person.user_id


def ask(context: Context) -> None:
    request_password_reset(context, email=EMAIL, callback_url="/", now=NOON, where_from=HOME)


def reset(context: Context, ada: UUID, password: str) -> None:
    link = mailed(context, ada, Purpose.PASSWORD_RESET)
    reset_password(context, link=link, password=password, now=NOON, where_from=HOME)


def test_a_link_asked_for_while_the_one_before_is_used_sets_a_password(context: Context, ada: UUID) -> None:
    ask(context)
    used = Meanwhile(context.store.statements, lambda: reset(context, ada, "battery staple 1"))
    ask(replace(context, lookups=used))
    reset(context, ada, "battery staple 2")
