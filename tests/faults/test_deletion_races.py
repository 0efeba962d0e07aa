"""Races with a deletion, over HTTP at two workers: it happens whole or not at all, and nothing comes after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any

import psycopg
import pytest

from domain.commands.context import Context
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.verify import verify
from tests.api.browser import Answer
from tests.databases import Database
from tests.faults.at_once import Line, Request, Sent, at_once, lines_to
from tests.faults.leaving_at_once import RACERS, going, racing, violations
from tests.people import PASSWORD
from tests.server import Server

SETTINGS = {"SESSION_REFRESH_AFTER": 0}
ROUNDS, LONG_ROUNDS = 4, 200
APART = 0.06
"""Seconds: about as long as a deletion takes, so that its rival meets it at each of its steps."""
DONE, OVER = (200, None), (401, "UNAUTHORIZED")
ONLY_OWNER = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")
MAY_BE_TOLD: dict[str, set[tuple[int, str | None]]] = {
    "sign-in": {DONE, (401, "INVALID_EMAIL_OR_PASSWORD")},
    "acceptance": {DONE, OVER, (400, "INVITATION_NOT_FOUND")},
    "invitation to them": {DONE},
    "role change": {DONE, (400, "MEMBER_NOT_FOUND")},
    "renewal": {DONE},
    "another owner leaves": {DONE, ONLY_OWNER},
    "another owner goes": {DONE, ONLY_OWNER},
    "another name": {DONE, OVER},
    "twice": {DONE, OVER},
}
"""What the rival is answered, whichever of them comes first."""


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return LONG_ROUNDS if request.config.getoption("--long") else ROUNDS


@pytest.mark.parametrize("racer", RACERS)
def test_nothing_is_left_of_who_goes_while_something_else_happens(
    server: Server, context: Context, module_database: Database, racer: str, rounds: int
) -> None:
    began, chances, told = time.monotonic(), Random(racer), Counter[str]()
    with lines_to(server, 2) as by_worker, connected(module_database.owner_url) as owner:
        for number in range(rounds):
            one = going(context, racer)
            this, that = by_worker[number % 2][0], by_worker[1 - number % 2][0]
            deletion = Request(
                method="POST", path="/delete-user", token=one.laptop.token, fields={"password": PASSWORD}
            )
            deleted, raced = at_once(
                [
                    Sent(this, deletion, chances.uniform(0, APART)),
                    Sent(that, racing(one, racer), chances.uniform(0, APART)),
                ]
            )
            told[f"{outcome(deleted)} {outcome(raced)}"] += 1
            assert outcome(raced) in MAY_BE_TOLD[racer]
            if racer == "twice":
                assert {outcome(deleted), outcome(raced)} == {DONE, OVER}
            elif racer.startswith("another owner"):
                # of two who go at once with others in it, one stays; without others both may
                assert outcome(deleted) in (DONE, ONLY_OWNER)
            else:
                assert outcome(deleted) == DONE
            if DONE in (outcome(deleted), outcome(raced) if racer == "twice" else None):
                assert violations(owner, one.leaver.user_id) == []
                handed = [raced.json()["token"]] if racer == "sign-in" and raced.status == 200 else []
                for token in (one.laptop.token, one.phone.token, *handed):
                    assert [who_is(line, token) for line in (this, that)] == [None, None]
    print(f"deletion against {racer}: {dict(told)} in {time.monotonic() - began:.1f} s")
    with connected(module_database.owner_url) as connection:
        result = verify(connection, SealingMapper(context.keyring), lambda *_: None)
    assert (result.findings, [table.table for table in result.tables if table.differing]) == ([], [])
    assert module_database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, **connection_arguments("tests")) as connection:
        connection.execute("SET statement_timeout = 0")
        yield connection


def who_is(line: Line, token: str) -> object:
    """Whose session it is, by the word of one worker."""
    answer = line.ask(Request(path="/get-session?disableRefresh=true", token=token))
    assert answer.status == 200
    return answer.json()


def outcome(answer: Answer) -> tuple[int, str | None]:
    """Status and code; the code is None where there is none."""
    body = answer.json()
    return answer.status, body.get("code") if isinstance(body, dict) else None
