"""Replay against a model: the product in plain dicts says what must have been true at any position of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.session import SignedIn, renew_session, sign_in, sign_out, verified_account
from domain.commands.user import sign_up
from domain.refusals import EmailTaken, SessionOver
from domain.store.envelope import WhereFrom
from projections.trails.replay import NoStory, story
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.people import NOON, PASSWORD

DAY, WEEK = timedelta(days=1), timedelta(days=7)
NAMES = ("Ada", "Bo Ünal", "")
IMAGES = (None, "https://x.io/a.png")
PLACES = (WhereFrom("192.0.2.1", "Chrome"), WhereFrom("2001:db8::7", "Firefox"), WhereFrom("", ""))
_numbers = count()

Told = list[tuple[int, dict[str, Any]]]
"""For each entry about something, by its number: what is true after it."""


class Change(NamedTuple):
    """One entry of the log: what it says of one thing, and whom it concerns."""

    thing: str
    thing_id: UUID
    person: UUID
    organization: UUID | None
    says: dict[str, Any]


@dataclass
class Model:
    """Accounts as the contract has them (wire.md §8 and §12): knows nothing of aggregates, projections or tables."""

    changes: list[Change] = field(default_factory=list)
    people: dict[UUID, UUID] = field(default_factory=dict)
    sessions: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def account_opened(
        self, user_id: UUID, organization_id: UUID, membership_id: UUID, *, email: str, name: str, image: str | None,
        now: datetime,
    ) -> None:  # fmt: skip
        """An account, its organization, and its owner's place in it."""
        account = {"user_id": user_id, "email": email, "name": name, "image": image, "email_verified": False}
        account |= {"session_epoch": 0, "created_at": now, "updated_at": now, "ended_at": None}
        organization = {
            "organization_id": organization_id,
            "name": f"{name or email.split('@')[0]}'s Organization",
            "slug": f"org-{str(organization_id).replace('-', '')[-16:]}",
            "logo": None,
            "metadata": None,
            "created_at": now,
            "ended_at": None,
        }
        membership = {
            "membership_id": membership_id,
            "organization_id": organization_id,
            "user_id": user_id,
            "role": "owner",
            "joined_at": now,
            "ended_at": None,
        }
        self.people[user_id] = organization_id
        self.changes += [
            Change("account", user_id, user_id, None, account),
            Change("organizations", organization_id, user_id, organization_id, organization),
            Change("memberships", membership_id, user_id, organization_id, membership),
        ]

    def device_signed_in(
        self, session_id: UUID, user_id: UUID, *, remembered: bool, where_from: WhereFrom, now: datetime
    ) -> None:
        """A session of seven days or of one, which then turns to the person's organization."""
        session = {
            "session_id": session_id,
            "user_id": user_id,
            "way": "password",
            "epoch": 0,
            "organization_id": None,
            "organization_chosen_at": None,
            "ip_address": where_from.ip_address,
            "user_agent": where_from.user_agent,
            "created_at": now,
            "updated_at": now,
            "authenticated_at": now,
            "expires_at": now + (WEEK if remembered else DAY),
            "ended_at": None,
            "end_reason": None,
        }
        chosen = {"organization_id": self.people[user_id], "organization_chosen_at": now, "updated_at": now}
        self.sessions[session_id] = dict(session)
        self._of_session(session_id, session)
        self._of_session(session_id, chosen)

    def device_came_back(self, session_id: UUID, now: datetime) -> bool | None:
        """Extended to seven days from now if the last extension was a day ago or more; None if it is over."""
        session = self.sessions[session_id]
        if session["ended_at"] is not None or session["expires_at"] <= now:
            return None
        if now - (session["expires_at"] - WEEK) < DAY:
            return False
        self._of_session(session_id, {"expires_at": now + WEEK, "updated_at": now})
        return True

    def device_signed_out(self, session_id: UUID, now: datetime) -> bool:
        """Over, for good; whether it was not yet."""
        if self.sessions[session_id]["ended_at"] is not None:
            return False
        self._of_session(session_id, {"ended_at": now, "end_reason": "signed_out"})
        return True

    def of_a_person(self, user_id: UUID, through: int) -> Told:
        """All that is theirs."""
        empty: dict[str, Any] = {"account": None, "sessions": {}, "organizations": {}, "memberships": {}}
        return self._told(empty, lambda change: change.person == user_id, through)

    def of_an_organization(self, organization_id: UUID, through: int) -> Told:
        """Itself, and who belongs to it."""
        empty: dict[str, Any] = {"organization": None, "memberships": {}}
        return self._told(empty, lambda change: change.organization == organization_id, through)

    def of_a_session(self, session_id: UUID, through: int) -> Told:
        """Itself."""
        return self._told({"session": None}, lambda change: change.thing_id == session_id, through)

    def _told(self, state: dict[str, Any], about: Callable[[Change], bool], through: int) -> Told:
        told = []
        for number, change in enumerate(self.changes[: through + 1]):
            if about(change):
                if change.thing in state and change.thing.endswith("s"):
                    state[change.thing].setdefault(change.thing_id, {}).update(change.says)
                else:
                    alone = change.thing.removesuffix("s")
                    state[alone] = (state[alone] or {}) | change.says
                told.append((number, deepcopy(state)))
        return told

    def _of_session(self, session_id: UUID, says: dict[str, Any]) -> None:
        self.sessions[session_id].update(says)
        self.changes.append(Change("sessions", session_id, self.sessions[session_id]["user_id"], None, says))


class Move(NamedTuple):
    """What somebody does, so many minutes after the last move; `which` chooses among what there is."""

    kind: str
    which: int
    minutes: int
    remembered: bool


@dataclass
class World:
    """The product and the model of it, moved together."""

    context: Context
    database: Database
    model: Model = field(default_factory=Model)
    now: datetime = NOON
    emails: dict[str, UUID] = field(default_factory=dict)

    def move(self, move: Move) -> None:
        """Do it in both; they must agree on whether it is refused, and on whether it changes anything."""
        self.now += timedelta(minutes=move.minutes)
        if move.kind == "sign up":
            self.sign_up(move)
        elif move.kind == "sign in" and self.emails:
            self.sign_in(move)
        elif move.kind == "sign up again" and self.emails:
            with pytest.raises(EmailTaken):
                self._sign_up(move, self._one_of(self.emails, move.which).upper())
        elif move.kind == "come back" and self.model.sessions:
            self.come_back(move)
        elif move.kind == "sign out" and self.model.sessions:
            session_id = self._one_of(self.model.sessions, move.which)
            left = sign_out(self.context, session_id=session_id, now=self.now, where_from=PLACES[0])
            assert left is self.model.device_signed_out(session_id, self.now)

    def sign_up(self, move: Move) -> None:
        email = f"somebody{next(_numbers)}@example.com"
        signed_in = self._sign_up(move, email.title())
        user_id = self.emails[email] = signed_in.person.user_id
        [[membership_id, organization_id]] = self.database.rows(
            "SELECT membership_id, organization_id FROM member_list WHERE user_id = %s", user_id
        )
        name, image = NAMES[move.which % len(NAMES)], IMAGES[move.which % len(IMAGES)]
        self.model.account_opened(
            user_id, organization_id, membership_id, email=email, name=name, image=image, now=self.now
        )
        self._signed_in(move, user_id, signed_in)

    def sign_in(self, move: Move) -> None:
        email = self._one_of(self.emails, move.which)
        account = verified_account(self.context, email=email, password=PASSWORD)
        where_from = PLACES[move.which % len(PLACES)]
        signed_in = sign_in(self.context, account, remembered=move.remembered, now=self.now, where_from=where_from)
        self._signed_in(move, self.emails[email], signed_in)

    def come_back(self, move: Move) -> None:
        session_id = self._one_of(self.model.sessions, move.which)
        expected = self.model.device_came_back(session_id, self.now)
        try:
            renewed = renew_session(self.context, session_id=session_id, now=self.now, where_from=PLACES[0])
        except SessionOver:
            assert expected is None
        else:
            assert renewed is expected

    def _sign_up(self, move: Move, email: str) -> SignedIn:
        return sign_up(
            self.context,
            email=email,
            name=NAMES[move.which % len(NAMES)],
            image=IMAGES[move.which % len(IMAGES)],
            password=PASSWORD,
            remembered=move.remembered,
            now=self.now,
            where_from=PLACES[move.which % len(PLACES)],
        )

    def _signed_in(self, move: Move, user_id: UUID, signed_in: SignedIn) -> None:
        session_id = self.database.value(
            "SELECT session_id FROM session_list WHERE token_hash = %s", sha256(signed_in.token.encode()).digest()
        )
        where_from = PLACES[move.which % len(PLACES)]
        self.model.device_signed_in(
            session_id, user_id, remembered=move.remembered, where_from=where_from, now=self.now
        )

    @staticmethod
    def _one_of(found: dict[Any, Any], which: int) -> Any:
        return list(found)[which % len(found)]


KINDS = ["sign up", "sign up again", "sign in", "sign in", "come back", "come back", "come back", "sign out"]


def moves(chances: Random) -> list[Move]:
    """A dozen at most; the first opens an account."""
    kinds = ["sign up", *chances.choices(KINDS, k=chances.randint(4, 12))]
    return [
        Move(kind, chances.randint(0, 11), chances.randint(0, 4 * 24 * 60), chances.random() < 0.5) for kind in kinds
    ]


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Nothing has happened yet."""
    with context_over(database) as context:
        yield World(context, database)


@pytest.mark.parametrize("twenty", range(10))
def test_replay_at_any_past_position_tells_what_the_model_says(world: World, twenty: int) -> None:
    for history in range(20):
        replayed_as_the_model_says(world, Random(twenty * 20 + history))


def replayed_as_the_model_says(world: World, chances: Random) -> None:
    here = World(world.context, world.database)
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
    stories: list[tuple[Told, dict[str, Any]]] = [
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
