"""Two people whose sessions are asked about after every step, as the application asks, and as a model has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from itertools import count
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from domain.commands.context import Context
from domain.commands.user import sign_up
from domain.commands.verified_account import VerifiedAccount
from domain.refusals import SessionOver, WrongPassword
from domain.session import UNSET, Lifetimes
from domain.store.envelope import WhereFrom
from projections.lists.session_list import LIVE_SESSION, LIVE_SESSIONS, LiveSession, SessionRow
from tests.domain.commands.session_model import Device, SessionModel, Times
from tests.people import ADA, NOON, PASSWORD
from tests.session_lists import sessions_of

MS, HOUR, DAY, WEEK = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=7)
TIMES = (
    Times(full=WEEK, brief=DAY, refresh=DAY, longest=None),
    Times(full=WEEK, brief=DAY, refresh=DAY, longest=WEEK + DAY / 2),
    Times(full=WEEK, brief=DAY, refresh=timedelta(0), longest=None),
)
LIMITS = (None, None, 1, 3)
PLACES = (
    WhereFrom("192.0.2.1", "Chrome"),
    WhereFrom("2001:db8::7", "Firefox"),
    WhereFrom("192.0.2.1", "Firefox"),
    WhereFrom("", "Chrome"),
    WhereFrom("198.51.100.9", ""),
    WhereFrom("", ""),
)

places = st.sampled_from(PLACES)
_numbers = count()


class Turn(Enum):
    """A moment at which something changes for a session."""

    NOW = "it is"
    IS_DUE = "its next use renews it"
    IS_NEWS = "looking from elsewhere is worth noting again"
    RUNS_OUT = "it runs out"


class TwoPeople(RuleBasedStateMachine):
    """The product and the model of it. A session is chosen by when it was handed out, never by an id.

    The database outlives an example; its people do not, and nobody looks at others.
    """

    context: Context

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.model = SessionModel(TIMES[0], None)
        self.people: list[UUID] = []
        self.emails: list[str] = []
        self.whose: dict[str, int] = {}
        self.ids: dict[str, UUID] = {}
        self.verified: dict[int, VerifiedAccount] = {}

    @initialize(times=st.sampled_from(TIMES), most=st.sampled_from(LIMITS), where=places)
    def two_people_sign_up(self, times: Times, most: int | None, where: WhereFrom) -> None:
        lifetimes = Lifetimes(full=times.full, brief=times.brief, refresh=times.refresh, longest=times.longest or UNSET)
        self.context = replace(self.context, lifetimes=lifetimes, sessions_per_user=most)
        self.model = SessionModel(times, most)
        for person in (0, 1):
            self.emails.append(f"somebody{next(_numbers)}@example.com")
            signed_in = sign_up(
                self.context,
                email=self.emails[person],
                name="Somebody",
                image=None,
                password=PASSWORD,
                remembered=True,
                now=self.now,
                where_from=where,
            ).session
            self.people.append(signed_in.person.user_id)
            self.model.passwords[person] = PASSWORD
            self.handed_out(signed_in.token, person)
            self.model.started(signed_in.token, person, remembered=True, seen=where, now=self.now)

    @invariant()
    def the_session_check_answers_what_the_model_says(self) -> None:
        tokens = {sha256(token.encode()).digest(): token for token in self.whose}
        rows = LIVE_SESSION.read_all(self.context.store.statements.rows(LIVE_SESSIONS, list(tokens)))
        assert {tokens[row.token_hash]: self.shown(row) for row in rows} == self.model.devices
        assert [row.session_id for row in rows] == [self.ids[tokens[row.token_hash]] for row in rows]

    @invariant()
    def everybody_sees_their_own(self) -> None:
        longest = self.model.times.longest
        for person, user_id in enumerate(self.people):
            expected = {self.ids[token]: device for token, device in self.model.in_time(person, self.now).items()}
            rows = sessions_of(
                self.context.store.statements,
                user_id,
                first=next(iter(expected), ADA),
                now=self.now,
                started_after=None if longest is None else self.now - longest,
                limit=None,
                offset=0,
            )
            assert {row.session_id: self.shown(row) for row in rows} == expected
            assert [row.session_id for row in rows][:1] == list(expected)[:1]
            used = [device.updated_at for device in map(self.shown, rows[1:])]
            assert used == sorted(used, reverse=True)

    def one(self, which: int, *, of: int | None = None) -> str:
        """A session by its number; most of the time one that has not ended, if there is any.

        Of anybody the newest is the first, of somebody the oldest: so that the first are not always the same.
        """
        ever = [token for token, person in reversed(self.whose.items()) if of is None or person == of]
        living = [token for token in ever if token in self.model.devices]
        among = ever if which % 5 == 4 or not living else living
        return among[which // 5 % len(among) - (of is not None)]

    def wait_for(self, token: str, turn: Turn, off: timedelta) -> None:
        """Time passes until such a moment, or to just before or after it; nothing if it is past or will never be."""
        device, times = self.model.devices.get(token), self.model.times
        if device is not None and turn is not Turn.NOW:
            moments = {
                Turn.IS_DUE: device.expires_at - times.full + times.refresh,
                Turn.IS_NEWS: device.seen_at + HOUR,
                Turn.RUNS_OUT: self.model.end(device),
            }
            self.now = max(self.now, moments[turn] + off)

    def handed_out(self, token: str, person: int) -> None:
        """A new secret; also one of a session that never lives."""
        [[session_id]] = self.context.store.statements.rows(
            "SELECT session_id FROM session_list WHERE token_hash = $1", sha256(token.encode()).digest()
        )
        self.whose[token], self.ids[token] = person, session_id

    @contextmanager
    def through(self, token: str, *, knowing: str | None = None) -> Iterator[UUID]:
        """A command that takes a session that lives, and somebody `knowing` the password, is refused without."""
        lives = self.model.lives(token, self.now)
        knows = knowing in (None, self.model.passwords[self.whose[token]])
        try:
            yield self.ids[token]
        except SessionOver:
            assert not lives
        except WrongPassword:
            assert lives
            assert not knows
        else:
            assert lives
            assert knows

    def shown(self, row: LiveSession | SessionRow) -> Device:
        """A row as the model has it."""
        return Device(
            person=self.people.index(row.user_id),
            created_at=row.created_at,
            updated_at=row.updated_at,
            authenticated_at=row.authenticated_at,
            expires_at=row.expires_at,
            seen=WhereFrom(row.ip_address or "", row.user_agent or ""),
            seen_at=row.seen_at,
        )
