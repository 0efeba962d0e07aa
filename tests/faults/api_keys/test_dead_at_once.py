"""After the answer that says so no worker lets a program in any more, or only to what is left of what its owner may."""

from __future__ import annotations

import time

import pytest

from domain.clock import now
from domain.commands.context import Context
from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from tests.faults.api_keys.programs import TOLD_AFTERWARDS, Round, begun, ends, invites, looks
from tests.faults.at_once import Line, Request, Sent, at_once
from tests.faults.mailed_links.racing import DONE, IN_FLIGHT, Outcome, Races, outcome

TRIES, LONG_TRIES = 50, 1_000
ENDS = (*TOLD_AFTERWARDS, "owner erased")
BY_OPERATOR = "owner erased"
NOT_THEIRS: Outcome = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
LEFT: dict[str, list[Outcome]] = {
    "owner demoted": [DONE, DONE],
    "owner removed": [NOT_THEIRS, DONE],
    "organization closed": [NOT_THEIRS, DONE],
}
"""What is left where something is: the place's members, and whose key it is."""


@pytest.fixture
def tries(request: pytest.FixtureRequest) -> int:
    """How many for each way in which it ends; together some more than there are to be."""
    return -(-(LONG_TRIES if request.config.getoption("--long") else TRIES) // len(ENDS))


@pytest.mark.parametrize("end", ENDS)
def test_no_worker_lets_a_program_in_after_the_answer(races: Races, context: Context, end: str, tries: int) -> None:
    began, requests = time.monotonic(), 0
    refused = TOLD_AFTERWARDS.get(end, TOLD_AFTERWARDS["owner gone"])
    for number in range(tries):
        one = begun(context)
        this, that = races.by_worker[number % 2], races.by_worker[1 - number % 2]
        # both have it at hand, and are asked by others meanwhile
        assert [outcome(answer) for answer in at_once([Sent(this[0], invites(one)), Sent(that[0], invites(one))])] == [
            DONE,
            DONE,
        ]
        end_it(context, one, end, this[1])
        asked = beyond_and_left(one)
        answers = at_once(
            [
                Sent(line, request)
                for lines in (that, this)
                for line, request in zip(lines[:IN_FLIGHT], [*asked, asked[0]], strict=True)
            ]
        )
        told = [outcome(answer) for answer in answers]
        assert told == [refused, *LEFT.get(end, [refused, refused]), refused] * 2
        requests += len(told)
    print(f"after {end}: {tries} tries, {requests} requests in {time.monotonic() - began:.1f} s")


def end_it(context: Context, one: Round, end: str, line: Line) -> None:
    """It ends, and that is answered."""
    if end == BY_OPERATOR:
        erase_person(context, Operator(at=now()), user_id=one.user_id)
        return
    assert outcome(line.ask(ends(one, end))) == DONE


def beyond_and_left(one: Round) -> list[Request]:
    """To invite somebody, to see who else is in the place, and to ask whose key it is."""
    members = f"/organization/list-members?organizationId={one.organization_id.hex}"
    return [invites(one), looks(one.key.secret, members), looks(one.key.secret)]
