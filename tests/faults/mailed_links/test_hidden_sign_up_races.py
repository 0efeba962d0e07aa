"""Two who sign up with one address at once, where nobody is told whether there is an account (wire.md A4)."""

from __future__ import annotations

from random import Random  # noqa: TID251  seeded: the same chances in every run

from domain.commands.context import Context
from domain.mailed_link import Purpose
from tests.databases import Database
from tests.faults.at_once import lines_to
from tests.faults.mailed_links.racing import (
    DONE,
    IN_FLIGHT,
    VOID,
    WRONG,
    Races,
    batches,
    resets,
    signs_in,
    signs_up,
)
from tests.lived_by_mail import mailed
from tests.server import Server

SETTINGS = {"EMAIL_VERIFICATION": "required"}
HOLDERS = "SELECT user_id FROM account_list WHERE email = %s"
NEWEST = "battery staple 9"
NOT_VERIFIED = (403, "EMAIL_NOT_VERIFIED")
SIDES = 2


def test_of_two_sign_ups_with_one_address_one_opens_an_account_and_both_are_told_the_same(
    server: Server, context: Context, module_database: Database, rounds: int
) -> None:
    with lines_to(server, SIDES * IN_FLIGHT) as by_worker:
        races = Races(by_worker, Random(1))
        for number in batches(rounds):
            addresses = [f"ada{number}.{place}@example.com" for place in range(IN_FLIGHT)]
            passwords = [f"battery staple {side}" for side in range(SIDES)]
            answers = races.answers(
                [[signs_up(address, password) for password in passwords] for address in addresses], late=0.1
            )
            for address, pair in zip(addresses, answers, strict=True):
                [one, other] = [answer.json() for answer in pair]
                assert [answer.status for answer in pair] == [200, 200]
                assert (one["token"], other["token"]) == (None, None)
                assert one["user"]["id"] != other["user"]["id"]
                unlike = {"id", "createdAt", "updatedAt"}
                assert {**one["user"], **dict.fromkeys(unlike)} == {**other["user"], **dict.fromkeys(unlike)}
                [[holder]] = module_database.rows(HOLDERS, address)
                # whose of the two the address is, nothing says that they know
                lets_in = [races.ask(signs_in(address, password))[0] for password in passwords]
                assert sorted(lets_in) == [WRONG, NOT_VERIFIED]
                assert holder.hex == [one, other][lets_in.index(NOT_VERIFIED)]["user"]["id"].replace("-", "")
                reset = resets(mailed(context, holder, Purpose.PASSWORD_RESET), NEWEST)
                assert sorted(races.run([[reset] * SIDES], late=0.005)[0]) == [DONE, VOID]
                assert races.ask(signs_in(address, NEWEST))[0] == DONE
    print(dict(races.told))
