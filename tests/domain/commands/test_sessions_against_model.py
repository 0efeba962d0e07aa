"""Sessions of two people, lived through at random, against a model of them."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.commands import session as sessions
from domain.commands.credential import change_password, reauthenticate
from domain.commands.verified_account import verified_account
from domain.refusals import SessionOver, WrongCredentials
from domain.store.envelope import WhereFrom
from domain.user import Revocation
from tests.databases import Database
from tests.domain.commands.examples import live
from tests.domain.commands.two_people import DAY, HOUR, MS, Turn, TwoPeople, places
from tests.lived import context_over, through
from tests.people import PASSWORD

EXAMPLES, STEPS = 500, 20
PASSWORDS = (PASSWORD, "battery staple 2", "wrong horse 3")
NAMES = ("handle", "HANDLE", "token", "hash", "nothing")

somebody = st.integers(0, 1)
which = st.integers(0, 24)
passwords = st.sampled_from(PASSWORDS)
owns = st.sampled_from([True, True, False])
names = st.sampled_from(NAMES)
turns = st.sampled_from(Turn)
offs = st.sampled_from([timedelta(0), -MS, MS])
while_somebody_is_signed_in = precondition(lambda machine: machine.model.devices)


class Sessions(TwoPeople):
    """What they do, in the product and in the model; and that time passes."""

    @rule(by=st.sampled_from([MS, HOUR, DAY, 3 * DAY]))
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @rule(person=somebody, password=passwords)
    def somebody_shows_a_password(self, person: int, password: str) -> None:
        try:
            self.verified[person] = verified_account(
                self.context, email=self.emails[person], password=password, now=self.now
            )
        except WrongCredentials:
            assert password != self.model.passwords[person]
        else:
            assert password == self.model.passwords[person]
            self.model.proved[person] = True

    @precondition(lambda self: self.verified)
    @rule(person=somebody, remembered=st.booleans(), where=places)
    def who_has_shown_it_is_signed_in(self, person: int, remembered: bool, where: WhereFrom) -> None:
        if person in self.verified:
            self.now += MS
            account = self.verified.pop(person)
            signed_in = sessions.sign_in(self.context, account, remembered=remembered, now=self.now, where_from=where)
            self.handed_out(signed_in.token, person)
            if self.model.proved.pop(person):
                self.model.started(signed_in.token, person, remembered=remembered, seen=where, now=self.now)
            self.model.made_room(person, self.now)

    @rule(person=somebody, remembered=st.booleans(), where=st.lists(places, min_size=1, max_size=3))
    def somebody_signs_in(self, person: int, remembered: bool, where: list[WhereFrom]) -> None:
        for place in where:
            self.somebody_shows_a_password(person, self.model.passwords[person])
            self.who_has_shown_it_is_signed_in(person, remembered, place)

    @while_somebody_is_signed_in
    @rule(which=which, when=turns, off=offs, extending=st.booleans(), where=places)
    def a_session_is_used_to_look(
        self, which: int, when: Turn, off: timedelta, extending: bool, where: WhereFrom
    ) -> None:
        token = self.one(which)
        self.wait_for(token, when, off)
        self.use(token, extending=extending, reading=True, where=where)

    @while_somebody_is_signed_in
    @rule(which=which, when=turns, off=offs, extending=st.booleans(), where=places)
    def a_session_is_used_to_act(
        self, which: int, when: Turn, off: timedelta, extending: bool, where: WhereFrom
    ) -> None:
        token = self.one(which)
        self.wait_for(token, when, off)
        self.use(token, extending=extending, reading=False, where=where)

    @while_somebody_is_signed_in
    @rule(which=which, password=passwords, where=places)
    def a_password_is_confirmed(self, which: int, password: str, where: WhereFrom) -> None:
        token = self.one(which)
        with self.through(token, knowing=password) as session_id:
            reauthenticate(
                self.context, through(self.context, session_id, now=self.now, where_from=where), password=password
            )
            self.model.confirmed(token, self.now)

    @while_somebody_is_signed_in
    @rule(which=which, own=owns, other=which, by_its=names, where=places)
    def a_session_is_revoked(self, which: int, own: bool, other: int, by_its: str, where: WhereFrom) -> None:
        token = self.one(which)
        person = self.whose[token] if own else 1 - self.whose[token]
        named = self.one(other, of=person)
        handle = self.ids[named].hex
        digest = sha256(named.encode()).hexdigest()
        name = {"handle": handle, "HANDLE": handle.upper(), "token": named, "hash": digest, "nothing": ""}[by_its]
        found = by_its in ("handle", "HANDLE", "token") and named in self.model.devices
        with self.through(token) as by:
            revoked = sessions.revoke_session(
                self.context, through(self.context, by, now=self.now, where_from=where), named=name
            )
            assert revoked == (self.ids[named] if found and own else None)
            if revoked is not None:
                del self.model.devices[named]

    @while_somebody_is_signed_in
    @rule(which=which, where=places)
    def all_sessions_are_revoked(self, which: int, where: WhereFrom) -> None:
        token = self.one(which)
        with self.through(token) as by:
            sessions.revoke_sessions(self.context, through(self.context, by, now=self.now, where_from=where))
            self.model.all_revoked(self.whose[token])

    @while_somebody_is_signed_in
    @rule(which=which, where=places)
    def the_other_sessions_are_revoked(self, which: int, where: WhereFrom) -> None:
        token = self.one(which)
        with self.through(token) as by:
            sessions.revoke_other_sessions(self.context, through(self.context, by, now=self.now, where_from=where))
            self.model.others_revoked(token, self.now)

    @while_somebody_is_signed_in
    @rule(which=which, current=passwords, new=passwords, revoking=st.booleans(), where=places)
    def a_password_is_changed(self, which: int, current: str, new: str, revoking: bool, where: WhereFrom) -> None:
        token = self.one(which)
        person = self.whose[token]
        with self.through(token, knowing=current) as session_id:
            changed = change_password(
                self.context,
                through(self.context, session_id, now=self.now, where_from=where),
                current=current,
                new=new,
                revoking=revoking,
                organization_id=None,
            )
            self.model.passwords[person] = new
            assert (changed.token is not None) is revoking
            if changed.token is not None:
                self.handed_out(changed.token, person)
                self.model.all_revoked(person)
                self.model.started(changed.token, person, remembered=True, seen=where, now=self.now)

    @while_somebody_is_signed_in
    @rule(which=which, kind=st.sampled_from(Revocation), remembered=st.booleans(), where=places)
    def a_sign_in_on_its_way_is_overtaken(
        self, which: int, kind: Revocation, remembered: bool, where: WhereFrom
    ) -> None:
        person = self.whose[self.one(which)]
        password = self.model.passwords[person]
        self.somebody_shows_a_password(person, password)
        match kind:
            case Revocation.EVERYWHERE:
                self.all_sessions_are_revoked(which, where)
            case Revocation.OTHERS:
                self.the_other_sessions_are_revoked(which, where)
            case Revocation.PASSWORD_CHANGED:
                self.a_password_is_changed(which, password, PASSWORDS[1], revoking=True, where=where)
        self.who_has_shown_it_is_signed_in(person, remembered, where)

    @while_somebody_is_signed_in
    @rule(which=which, off=offs)
    def a_session_is_looked_at_for_having_run_out(self, which: int, off: timedelta) -> None:
        token = self.one(which)
        self.wait_for(token, Turn.RUNS_OUT, off)
        noted = sessions.expire(self.context, session_id=self.ids[token], now=self.now)
        if token in self.model.devices:
            assert noted is not self.model.lives(token, self.now)
            if noted:
                del self.model.devices[token]

    @while_somebody_is_signed_in
    @rule(which=which, where=places)
    def a_device_signs_out(self, which: int, where: WhereFrom) -> None:
        token = self.one(which)
        ended = sessions.sign_out(self.context, session_id=self.ids[token], now=self.now, where_from=where)
        assert ended or token not in self.model.devices
        self.model.devices.pop(token, None)

    def use(self, token: str, *, extending: bool, reading: bool, where: WhereFrom) -> None:
        now, known, lives = self.now, token in self.model.devices, self.model.lives(token, self.now)
        try:
            recorded = sessions.use_session(
                self.context,
                session_id=self.ids[token],
                extending=extending,
                reading=reading,
                now=now,
                where_from=where,
            )
        except SessionOver:
            assert not lives
        else:
            # who was let in just before it was revoked may still say so, and does not bring it back by it
            if known:
                assert lives
                assert recorded is self.model.used(token, extending=extending, reading=reading, seen=where, now=now)


def test_sessions_live_and_end_as_the_model_says(database: Database) -> None:
    with context_over(database) as context_over_it:

        class Lived(Sessions):
            context = context_over_it

        live(Lived, examples=EXAMPLES, steps=STEPS)
