"""Replay against a model: the product in plain dicts says what must have been true at any position of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.credential import change_password, reauthenticate
from domain.commands.principal import PersonBySession
from domain.commands.session import (
    SignedIn,
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
from domain.events.catalogue import AGGREGATE_BY_EVENT, EVENT_BY_NAME, SESSION, USER
from domain.refusals import EmailTaken, SessionOver, WrongCredentials, WrongPassword
from domain.store.envelope import WhereFrom
from projections.lists.session_list import LIVE_SESSION, LIVE_SESSIONS
from projections.trails.replay import NoStory, story
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over, through
from tests.people import NOON, PASSWORD
from tests.projections.trails.model import Model, Story

NAMES = ("Ada", "Bo Ünal", "")
IMAGES = (None, "https://x.io/a.png")
PASSWORDS = (PASSWORD, "battery staple 2")
PLACES = (
    WhereFrom("192.0.2.1", "Chrome"),
    WhereFrom("2001:db8::7", "Firefox"),
    WhereFrom("192.0.2.1", "Firefox"),
    WhereFrom("192.0.2.1", ""),
    WhereFrom("", ""),
)
BY_MAIL = {"PasswordReset", "EmailVerified", "EmailContested", "EmailChanged", "EmailRestored"}
"""What happens by a link in a mail. That replay tells what the tables say is asked of these too, beside this model
(tests/projections/maintenance/test_verify.py)."""
APART = BY_MAIL | {"AccountUnlocked", "ApiKeysRevoked", "PersonErased"}
LIVED = {name for name, event in EVENT_BY_NAME.items() if AGGREGATE_BY_EVENT[event] in (USER, SESSION)} - APART
"""Events of accounts and sessions, but for the end and what only operators do; of organizations what comes with an
account."""
_numbers = count()


class Move(NamedTuple):
    """What somebody does, so many minutes after the last move; `which` chooses among what there is."""

    kind: str
    which: int
    other: int
    minutes: int
    place: WhereFrom
    flag: bool


@dataclass
class World:
    """The product and the model of it, moved together."""

    context: Context
    database: Database
    model: Model
    now: datetime = NOON
    emails: dict[str, UUID] = field(default_factory=dict)
    tokens: dict[UUID, bytes] = field(default_factory=dict)

    def move(self, move: Move) -> None:
        """Do it in both; they must agree on whether it is refused, and on whether it changes anything."""
        self.now += timedelta(minutes=move.minutes)
        match move.kind:
            case "sign up":
                self.sign_up(move)
            case "sign up again":
                with pytest.raises(EmailTaken):
                    self._sign_up(move, self._one_of(self.emails, move.which).upper())
            case "sign in":
                self.sign_in(move)
            case "come back":
                self.come_back(move)
            case "sign out":
                session_id = self._session(move.which)
                left = sign_out(self.context, session_id=session_id, now=self.now, where_from=move.place)
                assert left is self.model.device_signed_out(session_id, self.now)
            case _:
                self.act(move)

    def sign_up(self, move: Move) -> None:
        email = f"somebody{next(_numbers)}@example.com"
        signed_in = self._sign_up(move, email.title())
        user_id = self.emails[email] = signed_in.person.user_id
        [[membership_id, organization_id]] = self.database.rows(
            "SELECT membership_id, organization_id FROM member_list WHERE user_id = %s", user_id
        )
        self.model.account_opened(
            user_id, organization_id, membership_id, email=email, name=NAMES[move.which % 3],
            image=IMAGES[move.which % 2], password=PASSWORD, now=self.now,
        )  # fmt: skip
        self._signed_in(move, user_id, signed_in.token, remembered=move.flag)

    def sign_in(self, move: Move) -> None:
        email = self._one_of(self.emails, move.which)
        user_id = self.emails[email]
        password = self._password(user_id, move)
        if password != self.model.passwords[user_id]:
            with pytest.raises(WrongCredentials):
                verified_account(self.context, email=email, password=password, now=self.now)
            return
        account = verified_account(self.context, email=email, password=password, now=self.now)
        signed_in = sign_in(self.context, account, remembered=move.flag, now=self.now, where_from=move.place)
        self._signed_in(move, user_id, signed_in.token, remembered=move.flag)
        self.model.room_made(user_id, self.now)

    def come_back(self, move: Move) -> None:
        """As the service does it: a session nobody has ended is used, or has run out, which is noted."""
        session_id = self._session(move.which)
        session = self.model.sessions[session_id]
        found = LIVE_SESSION.read_all(self.context.store.statements.rows(LIVE_SESSIONS, [self.tokens[session_id]]))
        assert [row.session_id for row in found] == ([session_id] if self.model.known(session) else [])
        if not found:
            return
        use: dict[str, Any] = {"reading": move.flag, "where_from": move.place, "now": self.now}
        if self.model.lives(session, self.now):
            used = use_session(self.context, session_id=session_id, extending=True, **use)
            assert used is self.model.device_came_back(session_id, **use)
        else:
            with pytest.raises(SessionOver):
                use_session(self.context, session_id=session_id, extending=True, **use)
            assert expire(self.context, session_id=session_id, now=self.now)
            assert self.model.time_is_up(session_id, self.now)

    def act(self, move: Move) -> None:
        """What takes a session that lives."""
        session_id = self._session(move.which)
        if self.model.lives(self.model.sessions[session_id], self.now):
            self._act(move, session_id)
        else:
            with pytest.raises(SessionOver):
                self._act(move, session_id)

    def _act(self, move: Move, session_id: UUID) -> None:
        model, user_id = self.model, self.model.sessions[session_id]["user_id"]
        command = through(self.context, session_id, now=self.now, where_from=move.place)
        match move.kind:
            case "change":
                self._change(move, command, user_id)
            case "confirm":
                self._confirm(move, command, session_id)
            case "change password":
                self._change_password(move, command, session_id)
            case "revoke one":
                other = self._session(move.other)
                revoked = revoke_session(self.context, command, named=other.hex)
                own = model.sessions[other]["user_id"] == user_id
                assert revoked == (other if own and model.session_revoked(other, self.now) else None)
            case "revoke all":
                revoke_sessions(self.context, command)
                model.sessions_revoked(user_id, but=None, now=self.now)
            case "revoke others":
                revoke_other_sessions(self.context, command)
                model.sessions_revoked(user_id, but=session_id, now=self.now)

    def _change(self, move: Move, command: PersonBySession, user_id: UUID) -> None:
        name, image = NAMES[move.other % 3], IMAGES[move.other % 2]
        changed = update_user(self.context, command, name=name, image=(image or "") if move.flag else None)
        given = {"name": name, "image": image} if move.flag else {"name": name}
        assert changed is self.model.person_changed(user_id, self.now, **given)
        language, before = "de" if move.flag else "en", self.model.accounts[user_id]["language"]
        chosen = choose_language(self.context, command, language=language, before=before)
        assert chosen is self.model.language_chosen(user_id, language)

    def _confirm(self, move: Move, command: PersonBySession, session_id: UUID) -> None:
        user_id = self.model.sessions[session_id]["user_id"]
        password = self._password(user_id, move)
        if password == self.model.passwords[user_id]:
            reauthenticate(self.context, command, password=password)
            self.model.password_confirmed(session_id, self.now)
        else:
            with pytest.raises(WrongPassword):
                reauthenticate(self.context, command, password=password)

    def _change_password(self, move: Move, command: PersonBySession, session_id: UUID) -> None:
        user_id = self.model.sessions[session_id]["user_id"]
        current, new = self._password(user_id, move), PASSWORDS[move.which % 2]
        organization_id = self.model.people[user_id] if move.other % 3 else None
        change: dict[str, Any] = {
            "current": current, "new": new, "revoking": move.flag, "organization_id": organization_id,
        }  # fmt: skip
        if current != self.model.passwords[user_id]:
            with pytest.raises(WrongPassword):
                change_password(self.context, command, **change)
            return
        changed = change_password(self.context, command, **change)
        self.model.password_changed(session_id, new, revoking=move.flag, now=self.now)
        assert (changed.token is not None) is move.flag
        if changed.token is not None:
            self._signed_in(move, user_id, changed.token, remembered=True, turned_to=organization_id)

    def _sign_up(self, move: Move, email: str) -> SignedIn:
        return sign_up(
            self.context, email=email, name=NAMES[move.which % 3], image=IMAGES[move.which % 2], password=PASSWORD,
            remembered=move.flag, now=self.now, where_from=move.place,
        ).session  # fmt: skip

    def _signed_in(self, move: Move, user_id: UUID, token: str, *, remembered: bool, **turned_to: UUID | None) -> None:
        hashed = sha256(token.encode()).digest()
        session_id = self.database.value("SELECT session_id FROM session_list WHERE token_hash = %s", hashed)
        self.tokens[session_id] = hashed
        self.model.device_signed_in(
            session_id, user_id, remembered=remembered, where_from=move.place, now=self.now,
            organization_id=turned_to.get("turned_to", self.model.people[user_id]),
        )  # fmt: skip

    def _password(self, user_id: UUID, move: Move) -> str:
        """Mostly the right one."""
        return self.model.passwords[user_id] if move.other % 4 else "guessed 123"

    def _session(self, which: int) -> UUID:
        # mostly one of the newer ones, most of which still live
        session_id: UUID = self._one_of(list(self.model.sessions)[-5:], which)
        return session_id

    @staticmethod
    def _one_of(found: Any, which: int) -> Any:
        return list(found)[which % len(found)]


KINDS = {
    "sign up": 1,
    "sign up again": 1,
    "sign in": 5,
    "come back": 8,
    "sign out": 1,
    "change": 5,
    "confirm": 2,
    "change password": 4,
    "revoke one": 2,
    "revoke all": 1,
    "revoke others": 2,
}


def moves(chances: Random) -> list[Move]:
    """Two dozen at most; the first opens an account."""
    kinds = ["sign up", *chances.choices(list(KINDS), list(KINDS.values()), k=chances.randint(10, 24))]
    return [
        Move(
            kind,
            chances.randint(0, 11),
            chances.randint(0, 11),
            chances.choice([0, 1, 90, 25 * 60, 4 * 24 * 60]),
            chances.choice(PLACES),
            chances.random() < 0.5,
        )
        for kind in kinds
    ]


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    """What commands work with."""
    with context_over(database) as context:
        yield context


@pytest.mark.parametrize("twenty", range(10))
def test_replay_at_any_past_position_tells_what_the_model_says(
    context: Context, database: Database, twenty: int
) -> None:
    for history in range(20):
        replayed_as_the_model_says(context, database, Random(twenty * 20 + history))
    happened = {name for [name] in database.rows("SELECT DISTINCT name FROM events")}
    assert happened == {*LIVED, "PersonalOrganizationFounded", "MemberJoined"}
    reasons = {reason for [reason] in database.rows("SELECT DISTINCT end_reason FROM session_list")}
    assert reasons == {None, "signed_out", "revoked", "replaced", "expired", "crowded_out"}


def replayed_as_the_model_says(context: Context, database: Database, chances: Random) -> None:
    at_most = chances.choice([None, 1, 2, 2])
    here = World(replace(context, sessions_per_user=at_most), database, Model(at_most))
    before = here.database.value("SELECT count(*) FROM events")
    for move in moves(chances):
        here.move(move)
    caught_up(here.database)
    model, store = here.model, here.context.store
    assert here.database.value("SELECT count(*) FROM log") == before + len(model.changes)

    through = chances.randrange(len(model.changes))
    user_id = chances.choice(list(model.people))
    session_id = chances.choice(list(model.sessions))
    position = before + through
    organization_id = model.people[user_id]
    stories: list[tuple[Story, dict[str, Any]]] = [
        (model.of_a_person(user_id, through), {"user_id": user_id}),
        (model.of_an_organization(organization_id, through), {"organization_id": organization_id}),
        (model.of_a_session(session_id, through), {"session_id": session_id}),
    ]
    for expected, whose in stories:
        try:
            steps = [(step.entry.position - before, step.state) for step in story(store, position=position, **whose)]
        except NoStory:
            steps = []
        assert steps == expected
