"""A second sign-up with an address against the link that verifies it: never both, whoever comes first (wire.md A41)."""

from __future__ import annotations

from random import Random  # noqa: TID251  seeded: the same chances in every run

from domain.commands.context import Context
from domain.mailed_link import Purpose
from tests.databases import Database
from tests.faults.at_once import lines_to
from tests.faults.mailed_links.racing import (
    DONE,
    IN_FLIGHT,
    MANY,
    VOID_WHEN_OPENED,
    WRONG,
    Races,
    batches,
    opens,
    resets,
    signs_in,
    signs_up,
)
from tests.lived_by_mail import mailed
from tests.server import Server

SETTINGS = {"EMAIL_VERIFICATION": "required"}
HOLDER = "SELECT user_id FROM account_list WHERE email = %s"
SAID = "SELECT name FROM events WHERE stream_id = %s ORDER BY version"
MALLORYS, VERAS, NEWEST = "battery staple 1", "battery staple 2", "battery staple 3"
NOT_VERIFIED = (403, "EMAIL_NOT_VERIFIED")
SIDES = 2


def test_a_link_that_is_opened_while_another_signs_up_verifies_or_is_void_and_never_lets_the_first_in_then(
    server: Server, context: Context, module_database: Database, rounds: int
) -> None:
    with lines_to(server, SIDES * IN_FLIGHT) as by_worker:
        races = Races(by_worker, Random(1))
        for number in batches(rounds):
            addresses = [f"vera{number}.{place}@example.com" for place in range(IN_FLIGHT)]
            races.run([[signs_up(address, MALLORYS)] for address in addresses])
            holders = [module_database.value(HOLDER, address) for address in addresses]
            links = [mailed(context, holder, Purpose.EMAIL_VERIFICATION) for holder in holders]
            told = races.run(
                # what signs up is hashed first, and so is later by that
                [[signs_up(address, VERAS), opens(link)] for address, link in zip(addresses, links, strict=True)],
                late=0.6,
            )
            for address, holder, [signed_up, opened] in zip(addresses, holders, told, strict=True):
                assert signed_up == DONE
                said = [name for [name] in module_database.rows(SAID, holder)]
                if opened == DONE:
                    assert said == ["SignedUp", "EmailVerified"]
                    continue
                assert opened == VOID_WHEN_OPENED
                assert said == ["SignedUp", "EmailContested"]
                assert races.ask(signs_in(address, MALLORYS))[0] == NOT_VERIFIED
                reset = mailed(context, holder, Purpose.PASSWORD_RESET)
                assert races.run([[resets(reset, NEWEST)]]) == [[DONE]]
                assert races.ask(signs_in(address, NEWEST))[0] == DONE
                assert races.ask(signs_in(address, MALLORYS))[0] == WRONG
    print(dict(races.told))
    outcomes = {told for told in races.told if isinstance(told, tuple) and len(told) == SIDES}
    assert len(outcomes) == SIDES or rounds < MANY
