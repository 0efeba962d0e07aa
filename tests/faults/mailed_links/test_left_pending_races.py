"""An invitation that a thief sends in the very moment in which the change of address is undone."""

from __future__ import annotations

from random import Random  # noqa: TID251  seeded: the same chances in every run

import pytest

from domain.clock import now
from domain.commands.context import Context
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from tests.databases import Database
from tests.faults.at_once import Request, lines_to
from tests.faults.mailed_links.racing import DONE, HASHING, IN_FLIGHT, MANY, Races, batches, resets, undo_link
from tests.faults.owners import HERE, joined, signed_in
from tests.server import Server

SETTINGS = {"RATE_LIMIT": "off"}
GUESTS = 9
"""How many are invited around the moment of each undoing."""
PENDING = """
SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'canceled')
  FROM invitation_list WHERE inviter_id = %s AND created_at > %s
"""


def test_what_is_invited_to_while_a_change_is_undone_is_taken_back_or_never_sent(
    context: Context, module_database: Database, server: Server, rounds: int, request: pytest.FixtureRequest
) -> None:
    owners = [joined(server, f"fay{number}@example.com") for number in range(IN_FLIGHT)]
    sent = refused = 0
    with lines_to(server, (1 + GUESTS) * IN_FLIGHT // 2) as by_worker:
        races = Races(by_worker, Random(request.node.name))
        for number in batches(rounds):
            new = f"battery staple {number}"
            devices = [signed_in(context, owner) for owner in owners]
            works = [
                found_organization(
                    context,
                    PersonBySession(
                        user_id=owner.user_id, session_id=device.session_id, at=now(), where_from=HERE
                    ),
                    name="Works", slug=f"works-{number}-{place}", logo=None, metadata=None, turning=True,
                )[0]
                for place, (owner, device) in enumerate(zip(owners, devices, strict=True))
            ]  # fmt: skip
            thiefs = [f"thief{number}.{place}@example.net" for place in range(IN_FLIGHT)]
            undos = [undo_link(context, *one) for one in zip(owners, devices, thiefs, strict=True)]
            began = now()
            told = races.run(
                [
                    [
                        resets(undo, new),
                        *(
                            Request(
                                method="POST", path="/organization/invite-member", token=device.token,
                                fields={
                                    "email": f"guest{number}.{place}.{guest}@example.net", "role": "member",
                                    "organizationId": works[place].hex,
                                },
                            )
                            for guest in range(GUESTS)
                        ),
                    ]
                    for place, (undo, device) in enumerate(zip(undos, devices, strict=True))
                ],
                late=2 * HASHING,
            )  # fmt: skip
            for owner, (undone, *invited) in zip(owners, told, strict=True):
                assert undone == DONE
                assert {status for status, _ in invited} <= {200, 401}
                went = sum(one == DONE for one in invited)
                assert module_database.rows(PENDING, owner.user_id, began) == [(0, went)]
                sent, refused = sent + went, refused + len(invited) - went
                owner.password = new
        print(f"{request.node.name}: {sent} sent and taken back, {refused} refused, {dict(races.told)}")
    assert (sent and refused) or rounds < MANY
