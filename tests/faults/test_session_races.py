"""Races for a session: whatever ends it wins against whatever would keep it, however close they come."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from random import Random  # noqa: TID251  seeded: the same chances in every run

import pytest

from domain.commands.context import Context
from tests.api.browser import Answer
from tests.databases import Database
from tests.faults.at_once import Line, Request, Sent, at_once, lines_to
from tests.faults.judging import Sessions, entries_of
from tests.faults.owners import joined, signed_in
from tests.faults.racing import ENDINGS, RACERS, Race
from tests.server import Server

ROUNDS = int(os.environ.get("SESSION_RACE_ROUNDS", "10"))
IN_FLIGHT = 4
SETTINGS = {"SESSION_REFRESH_AFTER": 0}

QUICK, HASHING, TWICE = 0.02, 0.15, 0.2
TAKES = {"change-password": TWICE, "reauthentication": HASHING, "sign-in": HASHING}
"""About how many seconds each takes, others being under way: by so much its rival may be sent later."""

DONE = (200, None)
OVER = (401, "UNAUTHORIZED")
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_no_session_that_was_ended_comes_back_to_life(
    server: Server, context: Context, module_database: Database, ending: str, racer: str
) -> None:
    began, chances, orders = time.monotonic(), Random(f"{ending} {racer}"), Counter[str]()
    owners = [joined(server, f"{ending}.{racer}.{number}@example.com") for number in range(IN_FLIGHT)]
    books = [Sessions() for _ in owners]
    with lines_to(server, IN_FLIGHT) as by_worker:
        for number in range(-(-ROUNDS // IN_FLIGHT)):
            races = [Race(one, signed_in(context, one), signed_in(context, one), one.password) for one in owners]
            assert all(lives for race in races for lives in told(by_worker, race.tokens()).values())
            run(by_worker, races, ending, racer, f"battery staple {number}", chances)
            for race, book in zip(races, books, strict=True):
                entries = entries_of(module_database, race.owner.user_id, after=book.read_to)
                book.apply(entries)
                assert book.wrong == []
                lives = told(by_worker, race.tokens())
                assert lives == {token: book.lives(book.of(token)) for token in race.tokens()}
                race.require_fate(ending, lives)
                orders[race.order(book, entries, ending, racer)] += 1
    print(f"{ending} against {racer}: {dict(orders)} in {time.monotonic() - began:.1f} s")


def run(
    by_worker: Sequence[Sequence[Line]],
    races: Sequence[Race],
    ending: str,
    racer: str,
    new_password: str,
    chances: Random,
) -> None:
    """All races at once, the two sides of each at different workers; every answer is one that may be given."""
    sent = []
    for place, race in enumerate(races):
        this, that = by_worker[place % 2][place], by_worker[1 - place % 2][place]
        sent.append(Sent(this, to_end(race, ending, new_password), chances.uniform(0, TAKES.get(racer, QUICK))))
        sent.append(Sent(that, to_keep(race, racer), chances.uniform(0, TAKES.get(ending, QUICK))))
    answers = at_once(sent)
    for race, ended, raced in zip(races, answers[::2], answers[1::2], strict=True):
        assert outcome(ended) == DONE
        assert outcome(raced) in may_be_told(racer, ending)
        if ending == "change-password":
            race.owner.password = new_password
            race.replaced.append(ended.json()["token"])
        if racer == "sign-in" and raced.status == 200:
            race.handed.append(raced.json()["token"])


def to_end(race: Race, ending: str, new_password: str) -> Request:
    """What ends the victim's session."""
    by = race.victim if ending == "sign-out" else race.other
    fields: dict[str, object] = {}
    if ending == "revoke-session":
        fields = {"token": race.victim.session_id.hex}
    elif ending == "change-password":
        fields = {"currentPassword": race.password, "newPassword": new_password, "revokeOtherSessions": True}
    return Request(method="POST", path=f"/{ending}", token=by.token, fields=fields)


def to_keep(race: Race, racer: str) -> Request:
    """What would keep the person signed in."""
    if racer == "renewal":
        return Request(path="/get-session", token=race.victim.token)
    if racer == "reauthentication":
        fields = {"password": race.password}
        return Request(method="POST", path="/verify-password", token=race.victim.token, fields=fields)
    fields = {"email": race.owner.email, "password": race.password}
    return Request(method="POST", path="/sign-in/email", fields=fields)


def may_be_told(racer: str, ending: str) -> set[tuple[int, str | None]]:
    """The answers there are to whatever would keep the person signed in."""
    if racer == "reauthentication":
        return {DONE, OVER}
    return {DONE, WRONG} if (racer, ending) == ("sign-in", "change-password") else {DONE}


def outcome(answer: Answer) -> tuple[int, str | None]:
    """Status and code; the code is None where there is none."""
    body = answer.json()
    return answer.status, body.get("code") if isinstance(body, dict) else None


def told(by_worker: Sequence[Sequence[Line]], tokens: Sequence[str]) -> dict[str, bool]:
    """Whether each session lives by the word of both workers, which agree; looking extends nothing."""
    lives = {}
    for token in tokens:
        look = Request(path="/get-session?disableRefresh=true", token=token)
        answers = at_once([Sent(lines[0], look) for lines in by_worker])
        assert [answer.status for answer in answers] == [200, 200]
        [lives[token]] = {answer.json() is not None for answer in answers}
    return lives
