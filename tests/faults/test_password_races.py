"""Two who know the password change it at once: one does, and the other is told that it is not right any more."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from domain.commands.context import Context
from tests.api.browser import Answer
from tests.databases import Database
from tests.faults.at_once import Line, Request, Sent, at_once, lines_to, over, taking_turns
from tests.faults.owners import Owner, joined, signed_in
from tests.server import Server

ROUNDS = int(os.environ.get("SESSION_RACE_ROUNDS", "12"))
IN_FLIGHT = 4
SETTINGS = {"PASSWORD_CHANGE_REVOKES": "asked"}
CHANGES = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'PasswordChanged'"


@pytest.mark.parametrize("revoking", [False, True], ids=["keeping the others", "ending the others"])
@pytest.mark.parametrize("devices", [1, 2], ids=["on one device", "on two devices"])
def test_of_two_changes_with_one_current_password_exactly_one_succeeds(
    server: Server, context: Context, module_database: Database, devices: int, revoking: bool
) -> None:
    owners = [joined(server, f"{devices}.{revoking}.{number}@example.com") for number in range(IN_FLIGHT)]
    rounds = -(-ROUNDS // IN_FLIGHT)
    with lines_to(server, IN_FLIGHT) as by_worker:
        for number in range(rounds):
            tokens = [[signed_in(context, owner).token for _ in range(devices)] for owner in owners]
            answers = at_once(
                [
                    Sent(by_worker[side][place], change(owner, side, number, tokens[place][side % devices], revoking))
                    for place, owner in enumerate(owners)
                    for side in (0, 1)
                ]
            )
            for place, owner in enumerate(owners):
                pair = answers[2 * place : 2 * place + 2]
                [winner] = [side for side in (0, 1) if pair[side].status == 200]
                require_told_so(pair[1 - winner], revoking=revoking, replaced=devices == 1)
                require_only(by_worker, owner, new_password(winner, number), new_password(1 - winner, number))
    assert [module_database.value(CHANGES, owner.user_id) for owner in owners] == [rounds] * IN_FLIGHT


def change(owner: Owner, side: int, number: int, token: str, revoking: bool) -> Request:
    """One side's change."""
    fields = {
        "currentPassword": owner.password,
        "newPassword": new_password(side, number),
        "revokeOtherSessions": revoking,
    }
    return Request(method="POST", path="/change-password", token=token, fields=fields)


def new_password(side: int, number: int) -> str:
    """What one side wants in a round."""
    return f"battery staple {number} {('left', 'right')[side]}"


def require_told_so(loser: Answer, *, revoking: bool, replaced: bool) -> None:
    """The password was not right any more, or there was no session any more to change it with.

    A browser that holds the winner's cookie keeps it (wire.md A22).
    """
    assert loser.problem == ((401, "UNAUTHORIZED") if revoking else (400, "INVALID_PASSWORD"))
    if revoking and replaced:
        assert loser.set_cookies == []


def require_only(by_worker: Sequence[Sequence[Line]], owner: Owner, right: str, other: str) -> None:
    """The winner's password signs in; neither the loser's nor the one before does, at either worker."""
    passwords = [right, right, other, other, owner.password, owner.password]
    sign_ins = [
        Request(method="POST", path="/sign-in/email", fields={"email": owner.email, "password": password})
        for password in passwords
    ]
    answers = over(taking_turns(by_worker), sign_ins)
    assert [answer.status for answer in answers] == [200, 200, 401, 401, 401, 401]
    owner.password = right
