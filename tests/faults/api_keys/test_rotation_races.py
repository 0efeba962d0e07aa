"""A key is made anew while somebody else makes it anew too, or it ends: it has one successor or none."""

from __future__ import annotations

import time

import pytest

from domain.commands.context import Context
from tests.databases import Database
from tests.faults.api_keys.programs import NOT_FOUND, Round, alive, asks, begun, ends, history, listed
from tests.faults.at_once import Request
from tests.faults.mailed_links.racing import DONE, IN_FLIGHT, Outcome, Races, batches, outcome

ROTATED: Outcome = (400, "KEY_ALREADY_ROTATED")


def rotates(one: Round, *, good_for: float = 0) -> Request:
    return asks("/api-key/rotate", one.laptop, keyId=one.key.api_key_id.hex, expireOldIn=good_for)


@pytest.mark.parametrize("good_for", [0, 3600])
def test_of_two_who_make_a_key_anew_one_does(
    races: Races, context: Context, module_database: Database, good_for: float, rounds: int
) -> None:
    began = time.monotonic()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        sides = [
            [rotates(one, good_for=good_for), asks("/api-key/rotate", one.phone, keyId=one.key.api_key_id.hex)]
            for one in each
        ]
        for one, answers in zip(each, races.answers(sides, late=0.005), strict=True):
            assert sorted(outcome(answer) for answer in answers) == [DONE, ROTATED]
            [new] = [answer.json() for answer in answers if answer.status == 200]
            first_won = answers[0].status == 200
            living = bool(good_for) and first_won
            assert alive(races, [one.key.secret, new["key"]]) == [living, True]
            assert listed(races, one.laptop) == {one.key.api_key_id.hex, new["id"]}
            names = [at.name for at in history(module_database, one)]
            assert (names.count("ApiKeyMade"), names.count("ApiKeyRotated")) == (2, 1)
    print(f"two rotations: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")


@pytest.mark.parametrize("end", ["deleted", "reported", "all revoked"])
def test_a_key_that_ends_while_it_is_made_anew_has_a_successor_only_from_before(
    races: Races, context: Context, module_database: Database, end: str, rounds: int
) -> None:
    began = time.monotonic()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        told = races.answers([[rotates(one), ends(one, end)] for one in each], late=0.01)
        for one, (rotated, ended) in zip(each, told, strict=True):
            assert outcome(ended) == DONE
            assert outcome(rotated) in (DONE, NOT_FOUND)
            found = history(module_database, one)
            [ended_at] = [at.position for at in found if at.name in ("ApiKeyEnded", "ApiKeysRevoked")]
            assert [at for at in found if at.name == "ApiKeyRotated" and at.position > ended_at] == []
            given = [rotated.json()["key"]] if rotated.status == 200 else []
            lives = alive(races, [one.key.secret, *given])
            assert lives == [False, *[end != "all revoked" for _ in given]]
            seen = {rotated.json()["id"]} if any(lives) else set()
            assert listed(races, one.phone) == seen
    print(f"rotation against {end}: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")
