"""An address that is changed by a link while others sign up with it, or while the one before comes back."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random  # noqa: TID251  seeded: the same chances in every run

import pytest

from domain.commands.context import Context
from tests.databases import Database
from tests.faults.at_once import lines_to
from tests.faults.mailed_links.racing import (
    DONE,
    HASHING,
    IN_FLIGHT,
    TAKEN,
    VOID,
    VOID_WHEN_OPENED,
    WRONG,
    Races,
    batches,
    change_link,
    looks,
    opens,
    require_only,
    resets,
    signs_in,
    signs_up,
    undo_link,
)
from tests.faults.owners import Owner, joined, signed_in
from tests.server import Server

HOLDERS = "SELECT user_id FROM account_list WHERE email = %s"
OFFERS = """
SELECT count(*) FROM mailed_link_list
 WHERE user_id = %s AND purpose = 'email_change_undo' AND ended_at IS NULL
"""


@pytest.fixture
def races(server: Server, request: pytest.FixtureRequest) -> Iterator[Races]:
    """Between the two workers; how they went is shown in the end."""
    with lines_to(server, 2 * IN_FLIGHT) as by_worker:
        races = Races(by_worker, Random(request.node.name))
        yield races
    print(f"{request.node.name}: {dict(races.told)}")


@pytest.fixture
def owners(server: Server) -> list[Owner]:
    """Those whose addresses change."""
    return [joined(server, f"ada{number}@example.com") for number in range(IN_FLIGHT)]


def test_of_a_change_of_address_and_a_sign_up_one_has_it(
    races: Races, context: Context, module_database: Database, owners: list[Owner], rounds: int
) -> None:
    for number in batches(rounds):
        wanted = [f"wanted{number}.{place}@example.com" for place in range(IN_FLIGHT)]
        links = [
            change_link(context, owner, signed_in(context, owner), address)
            for owner, address in zip(owners, wanted, strict=True)
        ]
        told = races.run(
            [
                # what is given up meanwhile is nobody else's either
                [opens(link), signs_up(address, "battery staple"), signs_up(owner.email, "battery staple")]
                for owner, address, link in zip(owners, wanted, links, strict=True)
            ]
        )
        for owner, address, (changed, signed_up, signed_up_before) in zip(owners, wanted, told, strict=True):
            assert signed_up_before == TAKEN
            assert {changed, signed_up} in ({DONE, TAKEN}, {DONE, VOID_WHEN_OPENED})
            assert (changed == DONE) != (signed_up == DONE)
            [[holder]] = module_database.rows(HOLDERS, address)
            assert (holder == owner.user_id) == (changed == DONE)
            assert len(module_database.rows(HOLDERS, owner.email)) == (0 if changed == DONE else 1)
            if changed == DONE:
                owner.email = address
            assert races.ask(signs_in(owner.email, owner.password))[number % 2] == DONE


def test_an_address_that_comes_back_stays_whatever_was_to_take_its_place(
    races: Races, context: Context, module_database: Database, server: Server, rounds: int
) -> None:
    owners = [joined(server, f"bo{number}@example.com") for number in range(IN_FLIGHT)]
    for number in batches(rounds):
        new, devices = f"battery staple {number}", [signed_in(context, owner) for owner in owners]
        theirs = [f"thief{number}.{place}@example.net" for place in range(IN_FLIGHT)]
        further = [f"further{number}.{place}@example.net" for place in range(IN_FLIGHT)]
        undos = [undo_link(context, *one) for one in zip(owners, devices, theirs, strict=True)]
        changes = [change_link(context, *one) for one in zip(owners, devices, further, strict=True)]
        told = races.run([[resets(undo, new), opens(link)] for undo, link in zip(undos, changes, strict=True)])
        for place, owner in enumerate(owners):
            undone, changed = told[place]
            assert undone == DONE
            assert changed in (DONE, VOID_WHEN_OPENED)
            assert module_database.rows(HOLDERS, owner.email) == [(owner.user_id,)]
            assert module_database.value(OFFERS, owner.user_id) == 0
            assert races.by_worker[0][0].ask(looks(devices[place].token)).json() is None
            require_only(races, owner, new, owner.password)
            assert WRONG in races.ask(signs_in(further[place] if changed == DONE else theirs[place], new))


def test_of_two_links_that_give_addresses_back_the_older_wins(
    races: Races, context: Context, module_database: Database, server: Server, rounds: int
) -> None:
    owners = [joined(server, f"di{number}@example.com") for number in range(IN_FLIGHT)]
    for number in batches(rounds):
        theirs, thiefs = f"battery staple {number} theirs", f"battery staple {number} thief"
        devices = [signed_in(context, owner) for owner in owners]
        first, second = (
            [
                undo_link(context, owner, device, f"di{number}.{place}.{step}@example.net")
                for place, (owner, device) in enumerate(zip(owners, devices, strict=True))
            ]
            for step in range(2)
        )
        told = races.run(
            [[resets(older, theirs), resets(newer, thiefs)] for older, newer in zip(first, second, strict=True)]
        )
        for owner, (older, newer) in zip(owners, told, strict=True):
            assert older == DONE
            assert newer in (DONE, VOID)
            assert module_database.rows(HOLDERS, owner.email) == [(owner.user_id,)]
            assert module_database.value(OFFERS, owner.user_id) == 0
            require_only(races, owner, theirs, thiefs)


def test_of_eight_openings_of_one_link_one_changes_the_address(
    races: Races, context: Context, module_database: Database, server: Server, rounds: int
) -> None:
    owner = joined(server, "eli@example.com")
    for number in range(rounds):
        address = f"eli{number}@example.com"
        link = change_link(context, owner, signed_in(context, owner), address)
        [told] = races.run([[opens(link)] * 8], late=0.005)
        assert sorted(told) == [DONE, *[VOID_WHEN_OPENED] * 7]
        assert module_database.rows(HOLDERS, address) == [(owner.user_id,)]
        owner.email = address


@pytest.mark.parametrize("late", [0.0, HASHING])
def test_of_two_changes_to_one_address_one_has_it(
    races: Races, context: Context, module_database: Database, server: Server, rounds: int, late: float
) -> None:
    pairs = [
        [joined(server, f"cy{late}.{number}.{side}@example.com") for side in range(2)] for number in range(IN_FLIGHT)
    ]
    for number in batches(rounds):
        wanted = [f"one{late}.{number}.{place}@example.com" for place in range(IN_FLIGHT)]
        links = [
            [change_link(context, owner, signed_in(context, owner), address) for owner in pair]
            for pair, address in zip(pairs, wanted, strict=True)
        ]
        told = races.run([[opens(link) for link in both] for both in links], late=late)
        for pair, address, answers in zip(pairs, wanted, told, strict=True):
            assert sorted(answers) == [DONE, VOID_WHEN_OPENED]
            won = pair[answers.index(DONE)]
            assert module_database.rows(HOLDERS, address) == [(won.user_id,)]
            won.email = address
