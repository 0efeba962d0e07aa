"""A history that was lived through: people come, stay, change things and leave, by the real commands, in due time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import psycopg

from domain.commands.context import Context
from domain.commands.credential import change_password, reauthenticate
from domain.commands.principal import PersonBySession
from domain.commands.session import (
    expire,
    revoke_other_sessions,
    revoke_session,
    revoke_sessions,
    sign_in,
    sign_out,
    use_session,
)
from domain.commands.user import choose_language, sign_up, update_user
from domain.commands.verified_account import verified_account
from domain.events.catalogue import SESSION
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


def through(context: Context, session_id: UUID, *, now: datetime, where_from: WhereFrom) -> PersonBySession:
    """What the person of a session does with it."""
    user_id = context.store.load(SESSION, session_id).state.user_id
    return PersonBySession(user_id=user_id, session_id=session_id, at=now, where_from=where_from)


def comes_back(context: Context, *, session_id: UUID, now: datetime, where_from: WhereFrom) -> bool:
    """A session is used, to look at something; whether that was worth an event."""
    return use_session(context, session_id=session_id, extending=True, reading=True, now=now, where_from=where_from)


@dataclass
class Lives:
    """People, their passwords and sessions, and the clock they live by. A session found to be over is forgotten."""

    context: Context
    chances: Random
    now: datetime = NOON
    people: dict[str, UUID] = field(default_factory=dict)
    passwords: dict[UUID, str] = field(default_factory=dict)
    sessions: dict[UUID, UUID] = field(default_factory=dict)

    def live(self, steps: int) -> None:
        """So many steps of whatever happens next."""
        for _ in range(steps):
            self.now += timedelta(milliseconds=self.chances.randrange(86_400_000))
            act = self.chances.choice([self.somebody_signs_up, self.somebody_signs_in, self.a_session_moves_on])
            self.chances.choice([act, self.somebody_does_something])()

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
        user_id = self.people[email] = signed_in.person.user_id
        self.passwords[user_id] = PASSWORD
        self._enter(user_id)

    def somebody_signs_in(self) -> None:
        """One of those who have signed up."""
        if self.people:
            email = self.chances.choice(list(self.people))
            account = verified_account(
                self.context, email=email, password=self.passwords[self.people[email]], now=self.now
            )
            signed_in = sign_in(self.context, account, remembered=True, now=self.now, where_from=self.somewhere())
            self._enter(signed_in.person.user_id)

    def a_session_moves_on(self) -> None:
        """Extended if it is time, or signed out."""
        if self.sessions:
            session_id = self.chances.choice(list(self.sessions))
            if self.chances.random() < 0.7:
                self._unless_over(session_id, comes_back, now=self.now, where_from=self.somewhere())
            else:
                sign_out(self.context, session_id=session_id, now=self.now, where_from=self.somewhere())

    def somebody_does_something(self) -> None:
        """Whatever takes a session that lives."""
        if self.sessions:
            session_id = self.chances.choice(list(self.sessions)[-8:])
            act = self.chances.choice([
                self._changes, self._changes, self._confirms, self._changes_password, self._changes_password,
                self._revokes_one, self._revokes_all, self._revokes_others,
            ])  # fmt: skip
            self._unless_over(session_id, act)

    def what_has_run_out_is_noted(self) -> None:
        """As it is for each session that is shown after its time."""
        for [session_id] in self.context.store.statements.rows(
            "SELECT session_id FROM session_list s JOIN account_list a USING (user_id)"
            " WHERE s.ended_at IS NULL AND s.epoch = a.session_epoch AND s.expires_at <= $1 ORDER BY session_id",
            self.now,
        ):
            assert expire(self.context, session_id=session_id, now=self.now)

    def somewhere(self) -> WhereFrom:
        """Some address, some browser."""
        return WhereFrom(f"192.0.2.{self.chances.randrange(1, 255)}", self.chances.choice(BROWSERS))

    def _unless_over(self, session_id: UUID, act: Callable[..., object], **given: object) -> None:
        try:
            act(self.context, session_id=session_id, **given)
        except SessionOver:
            del self.sessions[session_id]

    def _changes(self, context: Context, session_id: UUID) -> None:
        # the first person keeps their name: so they can be found
        first = self.sessions[session_id] == next(iter(self.people.values()))
        name = None if first else f"Person {self.chances.randrange(10**6)} the Second"
        image = self.chances.choice([None, "", f"https://example.com/{self.chances.randrange(9)}.png"])
        where_from = self.somewhere()
        update_user(context, through(context, session_id, now=self.now, where_from=where_from), name=name, image=image)
        language = "de" if image else "en"
        choose_language(
            context, through(context, session_id, now=self.now, where_from=where_from), language=language, before=None
        )

    def _confirms(self, context: Context, session_id: UUID) -> None:
        password, where_from = self.passwords[self.sessions[session_id]], self.somewhere()
        reauthenticate(context, through(context, session_id, now=self.now, where_from=where_from), password=password)

    def _changes_password(self, context: Context, session_id: UUID) -> None:
        user_id, new = self.sessions[session_id], f"battery staple {self.chances.randrange(10**6)}"
        changed = change_password(
            context,
            through(context, session_id, now=self.now, where_from=self.somewhere()),
            current=self.passwords[user_id],
            new=new,
            revoking=self.chances.random() < 0.5,
            organization_id=None,
        )
        self.passwords[user_id] = new
        if changed.token is not None:
            self._enter(user_id)

    def _revokes_one(self, context: Context, session_id: UUID) -> None:
        own = [one for one, user_id in self.sessions.items() if user_id == self.sessions[session_id]]
        named, where_from = self.chances.choice(own).hex, self.somewhere()
        revoke_session(context, through(context, session_id, now=self.now, where_from=where_from), named=named)

    def _revokes_all(self, context: Context, session_id: UUID) -> None:
        revoke_sessions(context, through(context, session_id, now=self.now, where_from=self.somewhere()))

    def _revokes_others(self, context: Context, session_id: UUID) -> None:
        revoke_other_sessions(context, through(context, session_id, now=self.now, where_from=self.somewhere()))

    def _enter(self, user_id: UUID) -> None:
        """Remember somebody's newest session."""
        [[session_id]] = self.context.store.statements.rows(
            "SELECT session_id FROM session_list WHERE user_id = $1 ORDER BY created_at DESC, session_id DESC LIMIT 1",
            user_id,
        )
        self.sessions[session_id] = user_id
