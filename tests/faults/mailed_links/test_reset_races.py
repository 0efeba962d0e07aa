"""A password that is set by a link while others use the old one, the same link, an older one, or set another."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random  # noqa: TID251  seeded: the same chances in every run

import pytest

from domain.commands.context import Context
from domain.mailed_link import Purpose
from tests.faults.at_once import Request, lines_to
from tests.faults.mailed_links.racing import (
    DONE,
    IN_FLIGHT,
    VOID,
    WRONG,
    Races,
    batches,
    looks,
    outcome,
    require_only,
    reset_link,
    resets,
    signs_in,
)
from tests.faults.owners import Device, Owner, joined, signed_in
from tests.lived_by_mail import mailed
from tests.server import Server

USES = 8
OVER = (401, "UNAUTHORIZED")
NOT_RIGHT = (400, "INVALID_PASSWORD")


@pytest.fixture
def races(server: Server, request: pytest.FixtureRequest) -> Iterator[Races]:
    """Between the two workers; how they went is shown in the end."""
    with lines_to(server, USES) as by_worker:
        races = Races(by_worker, Random(request.node.name))
        yield races
    print(f"{request.node.name}: {dict(races.told)}")


@pytest.fixture
def owners(server: Server, request: pytest.FixtureRequest) -> list[Owner]:
    """People whom nobody else races for."""
    name = f"{Random(request.node.name).randrange(10**12)}"
    return [joined(server, f"{name}.{number}@example.com") for number in range(IN_FLIGHT)]


def test_no_session_begun_with_the_old_password_outlives_a_reset(
    races: Races, context: Context, owners: list[Owner], rounds: int
) -> None:
    for number in batches(rounds):
        before = [signed_in(context, owner) for owner in owners]
        links, new = [reset_link(context, owner) for owner in owners], f"battery staple {number}"
        answers = races.answers(
            [
                [resets(link, new), signs_in(owner.email, owner.password), signs_in(owner.email, owner.password)]
                for owner, link in zip(owners, links, strict=True)
            ]
        )
        for owner, device, (reset, *began) in zip(owners, before, answers, strict=True):
            assert outcome(reset) == DONE
            assert {outcome(one) for one in began} <= {DONE, WRONG}
            tokens = [device.token, *(one.json()["token"] for one in began if one.status == 200)]
            for token in tokens:
                assert [lines[0].ask(looks(token)).json() for lines in races.by_worker] == [None, None]
            require_only(races, owner, new, owner.password)


def test_of_eight_uses_of_one_link_one_sets_a_password(
    races: Races, context: Context, owners: list[Owner], rounds: int
) -> None:
    for number in range(rounds):
        owner = owners[number % IN_FLIGHT]
        passwords = [f"battery staple {number}.{side}" for side in range(USES)]
        link = reset_link(context, owner)
        [told] = races.run([[resets(link, password) for password in passwords]], late=0.01)
        assert sorted(told) == [DONE, *[VOID] * (USES - 1)]
        require_only(races, owner, passwords[told.index(DONE)], owner.password)


def test_of_two_links_only_the_one_asked_for_last_sets_a_password(
    races: Races, context: Context, owners: list[Owner], rounds: int
) -> None:
    for number in batches(rounds):
        older, newer = f"battery staple {number} older", f"battery staple {number} newer"
        links = [(reset_link(context, owner), reset_link(context, owner)) for owner in owners]
        assert races.run([[resets(first, older), resets(second, newer)] for first, second in links], late=0.05) == [
            [VOID, DONE]
        ] * len(owners)
        for owner in owners:
            require_only(races, owner, newer, older, owner.password)


def test_a_link_that_is_asked_for_while_the_one_before_is_used_sets_a_password(
    races: Races, context: Context, owners: list[Owner], rounds: int
) -> None:
    for number in batches(rounds):
        first, second = f"battery staple {number} first", f"battery staple {number} second"
        asks = [
            Request(method="POST", path="/request-password-reset", fields={"email": owner.email}) for owner in owners
        ]
        links = [reset_link(context, owner) for owner in owners]
        told = races.run([[resets(link, first), ask] for link, ask in zip(links, asks, strict=True)])
        for owner, (used, asked) in zip(owners, told, strict=True):
            assert asked == DONE
            assert used in (DONE, VOID)
            link = mailed(context, owner.user_id, Purpose.PASSWORD_RESET)
            assert races.ask(resets(link, second)) == [DONE, VOID]
            require_only(races, owner, second, first)


def test_of_a_reset_and_a_change_of_the_password_one_wins(
    races: Races, context: Context, owners: list[Owner], rounds: int
) -> None:
    for number in batches(rounds):
        by_link, by_hand = f"battery staple {number} link", f"battery staple {number} hand"
        devices, links = [signed_in(context, owner) for owner in owners], [reset_link(context, one) for one in owners]
        revoking = bool(number % 2)
        told = races.run(
            [
                [resets(link, by_link), changes(owner, device, by_hand, revoking=revoking)]
                for owner, device, link in zip(owners, devices, links, strict=True)
            ]
        )
        for owner, device, (reset, changed) in zip(owners, devices, told, strict=True):
            assert (reset == DONE) != (changed == DONE)
            if reset == DONE:
                assert changed in (OVER, NOT_RIGHT)
                assert races.by_worker[0][0].ask(looks(device.token)).json() is None
                require_only(races, owner, by_link, by_hand, owner.password)
            else:
                assert reset == VOID
                require_only(races, owner, by_hand, by_link, owner.password)


def changes(owner: Owner, device: Device, new: str, *, revoking: bool) -> Request:
    """Another password by who knows the one there is."""
    fields = {"currentPassword": owner.password, "newPassword": new, "revokeOtherSessions": revoking}
    return Request(method="POST", path="/change-password", token=device.token, fields=fields)
