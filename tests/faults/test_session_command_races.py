"""The same races between the commands alone, on two nodes: with no hash to wait for they meet within a millisecond."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random  # noqa: TID251  seeded: the same chances in every run
from threading import Barrier

import psycopg
import pytest

from domain.clock import now
from domain.commands import credential
from domain.commands import session as sessions
from domain.commands.context import Context
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.events.keys import token_hash
from domain.refusals import Refusal, SessionOver, WrongCredentials
from domain.store.connections import connection_arguments
from domain.store.sequencer import sequence
from tests.databases import Database
from tests.faults.judging import Sessions, entries_of
from tests.faults.owners import HERE, Owner, signed_in
from tests.faults.racing import ENDINGS, RACERS, Race
from tests.lived import context_over, through
from tests.people import PASSWORD

ROUNDS = int(os.environ.get("SESSION_RACE_ROUNDS", "10"))
APART = 0.004
"""Seconds: by at most so much one side starts later."""
ANOTHER_PASSWORD = "battery staple 2"

Side = Callable[[Context, Race], object]


@pytest.fixture
def nodes(database: Database) -> Iterator[list[Context]]:
    """Two, with connections of their own, that extend a session at every use."""
    with ExitStack() as held:
        contexts = [held.enter_context(context_over(database)) for _ in range(2)]
        yield [replace(one, lifetimes=replace(one.lifetimes, refresh=timedelta(0))) for one in contexts]


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_commands_that_end_a_session_win(nodes: list[Context], database: Database, ending: str, racer: str) -> None:
    began, chances, start, orders = time.monotonic(), Random(f"{ending} {racer}"), Barrier(2), Counter[str]()
    races, lives = list[Race](), list[dict[str, bool]]()
    with ThreadPoolExecutor(2) as threads:
        for number in range(ROUNDS):
            race = prepared(nodes[0], f"{number}@example.com")
            sides = [partial(_END[ending], nodes[number % 2], race), partial(_KEEP[racer], nodes[1 - number % 2], race)]
            pauses = [chances.uniform(0, APART), chances.uniform(0, APART)]
            ended, raced = threads.map(partial(meet, start), sides, pauses)
            assert ended is None
            assert raced in may_be_told(racer, ending)
            races.append(race)
            lives.append({token: found(nodes, race.owner, token) for token in race.tokens()})
    put_in_order(database)
    for race, living in zip(races, lives, strict=True):
        book, entries = Sessions(), entries_of(database, race.owner.user_id)
        book.apply(entries)
        assert book.wrong == []
        assert living == {token: book.lives(book.of(token)) for token in race.tokens()}
        race.require_fate(ending, living)
        orders[race.order(book, entries, ending, racer)] += 1
    print(f"{ending} against {racer}: {dict(orders)} in {time.monotonic() - began:.1f} s")


@pytest.mark.parametrize("ending", ["revoke-session", "revoke-other-sessions", "change-password"])
def test_of_two_devices_that_end_each_other_one_stays(nodes: list[Context], database: Database, ending: str) -> None:
    chances, start, winners = Random(ending), Barrier(2), Counter[int]()
    with ThreadPoolExecutor(2) as threads:
        for number in range(ROUNDS):
            this = prepared(nodes[0], f"{number}@example.com")
            races = [this, replace(this, victim=this.other, other=this.victim, replaced=[])]
            sides = [partial(_END[ending], node, race) for node, race in zip(nodes, races, strict=True)]
            told = list(threads.map(partial(meet, start), sides, [chances.uniform(0, APART) for _ in sides]))
            assert sorted(told, key=str) == [SessionOver, None]
            winner = told.index(None)
            race = races[winner]
            race.require_fate(ending, {token: found(nodes, race.owner, token) for token in race.tokens()})
            winners[winner] += 1
    print(f"{ending} against itself: {dict(winners)}")


def prepared(context: Context, email: str) -> Race:
    """A person nobody has heard of, with two devices beside the one that signed up."""
    signed_up = sign_up(
        context, email=email, name="Ada", image=None, password=PASSWORD, remembered=True, now=now(), where_from=HERE
    )
    owner = Owner(email, signed_up.person.user_id)
    return Race(owner, signed_in(context, owner), signed_in(context, owner), PASSWORD)


def meet(start: Barrier, side: Callable[[], object], pause: float) -> type[Refusal] | None:
    """Run one side once both are there; how it was refused."""
    start.wait()
    time.sleep(pause)
    try:
        side()
    except Refusal as refusal:
        return type(refusal)
    return None


def may_be_told(racer: str, ending: str) -> set[type[Refusal] | None]:
    """The refusals there are to whatever would keep the person signed in."""
    if racer != "sign-in":
        return {None, SessionOver}
    return {None, WrongCredentials} if ending == "change-password" else {None}


def found(nodes: list[Context], owner: Owner, token: str) -> bool:
    """Whether a session lives by what both nodes find, which is the same."""
    hashed = token_hash(token)
    [living] = {
        node.lookups.live_session(owner.user_id, session_id=None, token_hash=hashed) is not None for node in nodes
    }
    return living


def put_in_order(database: Database) -> None:
    """Every committed event is in the log."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        while sequence(connection):
            pass


def revoke_session(context: Context, race: Race) -> None:
    by, named = race.other.session_id, race.victim.session_id.hex
    assert (
        sessions.revoke_session(context, through(context, by, now=now(), where_from=HERE), named=named)
        == race.victim.session_id
    )


def sign_out(context: Context, race: Race) -> None:
    assert sessions.sign_out(context, session_id=race.victim.session_id, now=now(), where_from=HERE)


def revoke_sessions(context: Context, race: Race) -> None:
    sessions.revoke_sessions(context, through(context, race.other.session_id, now=now(), where_from=HERE))


def revoke_other_sessions(context: Context, race: Race) -> None:
    sessions.revoke_other_sessions(context, through(context, race.other.session_id, now=now(), where_from=HERE))


def change_password(context: Context, race: Race) -> None:
    changed = credential.change_password(
        context,
        through(context, race.other.session_id, now=now(), where_from=HERE),
        current=race.password,
        new=ANOTHER_PASSWORD,
        revoking=True,
        organization_id=None,
    )
    assert changed.token is not None
    race.replaced.append(changed.token)


def use(context: Context, race: Race) -> None:
    session_id = race.victim.session_id
    sessions.use_session(context, session_id=session_id, extending=True, reading=True, now=now(), where_from=HERE)


def confirm(context: Context, race: Race) -> None:
    session_id = race.victim.session_id
    credential.reauthenticate(context, through(context, session_id, now=now(), where_from=HERE), password=race.password)


def sign_in(context: Context, race: Race) -> None:
    account = verified_account(context, email=race.owner.email, password=race.password, now=now())
    race.handed.append(sessions.sign_in(context, account, remembered=True, now=now(), where_from=HERE).token)


_END: dict[str, Side] = dict(
    zip(ENDINGS, (revoke_session, sign_out, revoke_sessions, revoke_other_sessions, change_password), strict=True)
)
_KEEP: dict[str, Side] = dict(zip(RACERS, (use, confirm, sign_in), strict=True))
