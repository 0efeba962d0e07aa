"""A history that was lived through: people sign up, sign in, stay and leave, by the real commands, at a given time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import psycopg

from domain.commands.context import Context
from domain.commands.session import SignedIn, renew_session, sign_in, sign_out, verified_account
from domain.commands.user import sign_up
from domain.passwords import Argon2Parameters, Passwords
from domain.refusals import SessionOver
from domain.session import Lifetimes
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.envelope import WhereFrom
from domain.store.requirements import open_keyring
from projections import INLINE
from projections.lookups import ListLookups
from tests.databases import Database
from tests.people import NOON, PASSWORD, SECRET

CHEAP = Argon2Parameters(memory=8, time=1, lanes=1)
BROWSERS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "",
)


@contextmanager
def context_over(database: Database) -> Iterator[Context]:
    """What commands work with, over a database; hashing costs next to nothing."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    pool = open_pool(database.application_url, size=4, name="tests")
    passwords = Passwords(CHEAP, threads=1, waiting=16)
    store = Store(pool, keyring, INLINE)
    try:
        yield Context(
            store=store,
            lookups=ListLookups(store.statements),
            keyring=keyring,
            passwords=passwords,
            lifetimes=Lifetimes(),
        )
    finally:
        passwords.close()
        pool.close()


@dataclass
class Lives:
    """People and their sessions, and the clock they live by."""

    context: Context
    chances: Random
    now: datetime = NOON
    people: dict[str, UUID] = field(default_factory=dict)
    sessions: dict[UUID, UUID] = field(default_factory=dict)

    def live(self, steps: int) -> None:
        """So many steps of whatever happens next."""
        for _ in range(steps):
            self.now += timedelta(milliseconds=self.chances.randrange(86_400_000))
            act = self.chances.choice([self.somebody_signs_up, self.somebody_signs_in, self.a_session_moves_on])
            act()

    def somebody_signs_up(self) -> None:
        """A person nobody has heard of."""
        email = f"person{len(self.people)}.{self.chances.randrange(10**12)}@example.com"
        signed_in = sign_up(
            self.context,
            email=email,
            name=f"Person {len(self.people)}",
            image=None,
            password=PASSWORD,
            remembered=True,
            now=self.now,
            where_from=self.somewhere(),
        )
        self._enter(email, signed_in)

    def somebody_signs_in(self) -> None:
        """One of those who have signed up."""
        if self.people:
            email = self.chances.choice(list(self.people))
            account = verified_account(self.context, email=email, password=PASSWORD)
            signed_in = sign_in(self.context, account, remembered=True, now=self.now, where_from=self.somewhere())
            self._enter(email, signed_in)

    def a_session_moves_on(self) -> None:
        """Extended if it is time, or signed out."""
        if self.sessions:
            session_id = self.chances.choice(list(self.sessions))
            if self.chances.random() < 0.7:
                try:
                    renew_session(self.context, session_id=session_id, now=self.now, where_from=self.somewhere())
                except SessionOver:
                    return
            else:
                sign_out(self.context, session_id=session_id, now=self.now, where_from=self.somewhere())

    def somewhere(self) -> WhereFrom:
        """Some address, some browser."""
        return WhereFrom(f"192.0.2.{self.chances.randrange(1, 255)}", self.chances.choice(BROWSERS))

    def _enter(self, email: str, signed_in: SignedIn) -> None:
        user_id = self.people[email] = signed_in.person.user_id
        [[session_id]] = self.context.store.statements.rows(
            "SELECT session_id FROM session_list WHERE user_id = $1 ORDER BY created_at DESC, session_id DESC LIMIT 1",
            user_id,
        )
        self.sessions[session_id] = user_id
