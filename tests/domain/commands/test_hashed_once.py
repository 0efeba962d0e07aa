"""A command that is decided again judges and hashes no password again (architecture.md §3: reload and decide)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import psycopg
import pytest

from domain.clock import now
from domain.commands import credential, user
from domain.commands.context import Context
from domain.password_strength import Familiar
from domain.passwords import Hasher
from domain.store import Store
from domain.store.conflicts import StreamMovedOn
from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database
from tests.faults.organizations.races import people
from tests.faults.owners import HERE
from tests.lived import context_over
from tests.people import PASSWORD, SECRET

NEW_PASSWORD = "battery staple 2"
_numbers = count()


class Contended(Store):
    """The real store, where others are quicker a few times."""

    left = 0

    def append(self, *given: Any, **named: Any) -> bool:
        if self.left:
            self.left -= 1
            raise StreamMovedOn
        return super().append(*given, **named)


class Counting:
    """The real hasher, and how often it worked."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self.judged = self.hashed = self.compared = 0

    def require_length(self, password: str) -> None:
        self._hasher.require_length(password)

    def require_worthy(self, password: str, familiar: Familiar) -> None:
        self.judged += 1
        self._hasher.require_worthy(password, familiar)

    def hash(self, password: str) -> str:
        self.hashed += 1
        return self._hasher.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        self.compared += 1
        return self._hasher.verify(encoded, password)

    def outdated(self, encoded: str) -> bool:
        return self._hasher.outdated(encoded)


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


@pytest.fixture(scope="module")
def store(context: Context, module_database: Database) -> Contended:
    with psycopg.connect(module_database.application_url, **connection_arguments("tests")) as connection:
        return Contended(context.store.pool, open_keyring(connection, SECRET), INLINE)


def signs_up(context: Context) -> object:
    return user.sign_up(
        context,
        email=f"new{next(_numbers)}@example.com",
        name="New",
        image=None,
        password=PASSWORD,
        remembered=True,
        now=now(),
        where_from=HERE,
    )


def is_created(context: Context) -> object:
    email = f"created{next(_numbers)}@example.com"
    return user.create_user(context, email=email, name="New", password=PASSWORD, now=now())


def confirms(context: Context) -> None:
    [ada] = people(replace(context, store=BESIDE[0].store, passwords=BESIDE[0].passwords), 1)
    credential.reauthenticate(context, ada.acts(), password=PASSWORD)


def changes(context: Context) -> object:
    [ada] = people(replace(context, store=BESIDE[0].store, passwords=BESIDE[0].passwords), 1)
    return credential.change_password(
        context, ada.acts(), current=PASSWORD, new=NEW_PASSWORD, revoking=True, organization_id=None
    )


BESIDE: list[Context] = []
"""What people come from who do something contended then."""


@pytest.mark.parametrize(
    ("act", "judged", "hashed", "compared"),
    [(signs_up, 1, 1, 0), (is_created, 1, 1, 0), (confirms, 0, 0, 1), (changes, 1, 1, 1)],
)
def test_however_often_it_is_decided_a_password_is_judged_and_hashed_once(
    context: Context, store: Contended, act: Callable[[Context], object], judged: int, hashed: int, compared: int
) -> None:
    BESIDE[:] = [context]
    counting = Counting(context.passwords)
    store.left = 4
    act(replace(context, store=store, passwords=counting))
    assert store.left == 0
    assert (counting.judged, counting.hashed, counting.compared) == (judged, hashed, compared)
