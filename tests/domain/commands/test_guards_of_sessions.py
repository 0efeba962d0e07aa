"""A session revoked while its command is decided changes nothing: what was read is guarded until it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.credential import change_password, reauthenticate
from domain.commands.lookups import Account
from domain.commands.session import revoke_other_sessions, revoke_session, revoke_sessions, sign_in
from domain.commands.user import sign_up, update_user
from domain.commands.verified_account import verified_account
from domain.refusals import SessionOver
from domain.store.connections import Statements
from domain.store.envelope import WhereFrom
from projections.lookups import ListLookups
from tests.databases import Database
from tests.lived import context_over, through
from tests.people import NOON, PASSWORD

HOME = WhereFrom("192.0.2.1", "Browser/1")
NEW = "battery staple 2"

Act = Callable[[Context, UUID], Any]


class Meanwhile(ListLookups):
    """The real look-ups, with something that happens once, just before the account is looked up."""

    def __init__(self, read: Statements, happens: Callable[[], object]) -> None:
        super().__init__(read)
        self._happens: Callable[[], object] | None = happens

    def account(self, user_id: UUID) -> Account | None:
        """What was asked for, after it happened."""
        if self._happens is not None:
            happens, self._happens = self._happens, None
            happens()
        return super().account(user_id)


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    with context_over(database) as context:
        yield context


def session_of(context: Context, token: str) -> UUID:
    [[session_id]] = context.store.statements.rows(
        "SELECT session_id FROM session_list WHERE token_hash = sha256($1::text::bytea)", token
    )
    found: UUID = session_id
    return found


def renaming(context: Context, thief: UUID) -> object:
    return update_user(context, through(context, thief, now=NOON, where_from=HOME), name="Mallory", image=None)


def changing_the_password(context: Context, thief: UUID) -> object:
    return change_password(
        context,
        through(context, thief, now=NOON, where_from=HOME),
        current=PASSWORD,
        new=NEW,
        revoking=False,
        organization_id=None,
    )


def confirming_the_password(context: Context, thief: UUID) -> object:
    return reauthenticate(context, through(context, thief, now=NOON, where_from=HOME), password=PASSWORD)


def revoking_it(context: Context, owner: UUID, thief: UUID) -> object:
    return revoke_session(context, through(context, owner, now=NOON, where_from=HOME), named=thief.hex)


def revoking_all(context: Context, owner: UUID, _thief: UUID) -> object:
    return revoke_sessions(context, through(context, owner, now=NOON, where_from=HOME))


def revoking_the_others(context: Context, owner: UUID, _thief: UUID) -> object:
    return revoke_other_sessions(context, through(context, owner, now=NOON, where_from=HOME))


@pytest.mark.parametrize("revoke", [revoking_it, revoking_all, revoking_the_others])
@pytest.mark.parametrize("act", [renaming, changing_the_password, confirming_the_password])
def test_who_is_revoked_in_the_middle_of_it_does_nothing(
    context: Context, act: Act, revoke: Callable[[Context, UUID, UUID], object]
) -> None:
    signed_up = sign_up(
        context,
        email="ada@example.com",
        name="Ada",
        image=None,
        password=PASSWORD,
        remembered=True,
        now=NOON,
        where_from=HOME,
    ).session
    account = verified_account(context, email="ada@example.com", password=PASSWORD, now=NOON)
    stolen = sign_in(context, account, remembered=True, now=NOON, where_from=HOME)
    owner, thief = session_of(context, signed_up.token), session_of(context, stolen.token)
    meanwhile = Meanwhile(context.store.statements, lambda: revoke(context, owner, thief))
    with pytest.raises(SessionOver):
        act(replace(context, lookups=meanwhile), thief)
    unchanged = verified_account(context, email="ada@example.com", password=PASSWORD, now=NOON)
    assert (unchanged.account.person.name, unchanged.account.password_version) == ("Ada", 1)
    [[fresh_at]] = context.store.statements.rows(
        "SELECT count(*) FROM events WHERE stream_id = $1 AND name = 'SessionReauthenticated'", thief
    )
    assert fresh_at == 0
