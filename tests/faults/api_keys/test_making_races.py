"""A key is made while all keys end, the session that makes it ends, or its owner goes: none lives that nobody sees."""

from __future__ import annotations

import time

import pytest

from api.cli.embedded import EmbeddedPostgres
from domain.commands.context import Context
from tests.api.browser import Answer
from tests.api.dumps import dump, found
from tests.databases import Database
from tests.faults.api_keys.programs import (
    NOBODY,
    NOT_FOUND,
    OVER,
    Round,
    alive,
    asks,
    begun,
    history,
    left_of,
    listed,
    makes,
)
from tests.faults.at_once import Request
from tests.faults.mailed_links.racing import DONE, IN_FLIGHT, Races, batches, outcome, reset_link, resets
from tests.faults.owners import signed_in
from tests.people import PASSWORD
from tests.server import Server

NEW = "battery staple 2"
ENDS_THE_SESSION = (
    "signed out",
    "session revoked",
    "sessions revoked",
    "other sessions revoked",
    "password changed",
    "password reset",
)
"""What ends the session on the laptop, by which the key is made."""
ENDED_BY = {"signed out": "SessionEnded", "session revoked": "SessionEnded"}
APART = {"password changed": 0.6, "password reset": 0.4}
"""Seconds by which one may be sent after the other: about as long as each takes."""


def ends_the_session(context: Context, one: Round, how: str) -> Request:
    if how == "password reset":
        return resets(reset_link(context, one.bo), NEW)
    change = {"currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": True}
    asked = {
        "signed out": asks("/sign-out", one.laptop),
        "session revoked": asks("/revoke-session", one.phone, token=one.laptop.session_id.hex),
        "sessions revoked": asks("/revoke-sessions", one.phone),
        "other sessions revoked": asks("/revoke-other-sessions", one.phone),
        "password changed": asks("/change-password", one.phone, **change),
    }
    return asked[how]


@pytest.mark.parametrize("end", ENDS_THE_SESSION)
def test_no_key_is_made_by_a_session_that_is_over(
    server: Server, races: Races, context: Context, module_database: Database, end: str, rounds: int
) -> None:
    began = time.monotonic()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        sides = [[makes(one.laptop), ends_the_session(context, one, end)] for one in each]
        for one, (made, ended) in zip(each, races.answers(sides, late=APART.get(end, 0.03)), strict=True):
            assert outcome(ended) == DONE
            assert outcome(made) in (DONE, NOBODY, OVER)
            if end.startswith("password"):
                one.bo.password = NEW
            happened = history(module_database, one)
            [end_at] = [
                at.position
                for at in happened
                if at.name == ENDED_BY.get(end, "SessionsRevoked")
                and at.stream_id in (one.laptop.session_id, one.user_id)
            ]
            by_it = [at for at in happened if at.through == one.laptop.session_id and at.name == "ApiKeyMade"]
            assert len(by_it) == 1 + (outcome(made) == DONE)
            assert [at for at in by_it if at.position > end_at] == []
            require_seen(races, context, one, made)
            assert [outcome(answer) for answer in over_both(races, makes(one.laptop))] == [NOBODY, NOBODY]
    print(f"making against {end}: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")


def test_a_key_that_is_made_while_all_end_is_of_the_time_before_or_after(
    races: Races, context: Context, module_database: Database, rounds: int
) -> None:
    began = time.monotonic()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        sides = [[makes(one.laptop), asks("/api-key/revoke-all", one.phone)] for one in each]
        for one, (made, revoked) in zip(each, races.answers(sides, late=0.03), strict=True):
            assert outcome(revoked) == DONE
            # what ended in the moment between being made and being shown is not shown
            assert outcome(made) in (DONE, NOT_FOUND)
            happened = history(module_database, one)
            [revoked_at] = [at.position for at in happened if at.name == "ApiKeysRevoked"]
            [*_, made_at] = [at.position for at in happened if at.name == "ApiKeyMade"]
            living = require_seen(races, context, one, made)
            assert living == (made_at > revoked_at)
            assert living or alive(races, [one.key.secret]) == [False]
    print(f"making against revoke-all: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")


def test_nothing_is_left_of_a_key_that_is_made_while_its_owner_goes(
    races: Races, context: Context, module_database: Database, cluster: EmbeddedPostgres, rounds: int
) -> None:
    began, gone_with_them = time.monotonic(), list[str]()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        gone_with_them += [word for one in each for word in one.words]
        sides = [[makes(one.laptop), asks("/delete-user", one.phone)] for one in each]
        for one, (made, gone) in zip(each, races.answers(sides, late=0.06), strict=True):
            assert outcome(gone) == DONE
            assert outcome(made) in (DONE, NOBODY, OVER, NOT_FOUND)
            given = [made.json()["key"]] if made.status == 200 else []
            assert not any(alive(races, [one.key.secret, *given]))
            assert left_of(module_database, one.user_id) == []
    stays, whole = begun(context).words, dump(module_database, cluster)
    assert found([*stays, *gone_with_them], whole) == stays
    print(f"making against deletion: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")


def require_seen(races: Races, context: Context, one: Round, made: Answer) -> bool:
    """Every key that lives was given to somebody and is listed, and nothing else is. Whether what was made lives."""
    given = {one.key.api_key_id.hex: one.key.secret}
    if made.status == 200:
        given[made.json()["id"]] = made.json()["key"]
    lives = dict(zip(given, alive(races, list(given.values())), strict=True))
    assert listed(races, signed_in(context, one.bo)) == {api_key_id for api_key_id, living in lives.items() if living}
    return made.status == 200 and lives[made.json()["id"]]


def over_both(races: Races, request: Request) -> list[Answer]:
    """What both workers say to it."""
    return [lines[0].ask(request) for lines in races.by_worker]
