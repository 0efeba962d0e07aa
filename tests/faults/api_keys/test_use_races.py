"""A program does something while its key, or whose it is, becomes less: in the log nothing stands after the end."""

from __future__ import annotations

import time

import pytest

from domain.commands.context import Context
from tests.databases import Database
from tests.faults.api_keys.programs import (
    ENDED_BY,
    OVER,
    TOLD_AFTERWARDS,
    Happened,
    Round,
    alive,
    begun,
    ends,
    history,
    invites,
    left_of,
)
from tests.faults.mailed_links.racing import DONE, IN_FLIGHT, Races, batches

APART = {"owner gone": 0.06}
"""Seconds by which one may be sent after the other: about as long as each takes."""
OVER_FOR_GOOD = {"deleted", "reported", "owner gone"}
STILL_LIVE = {"owner demoted", "owner removed", "organization closed"}


@pytest.mark.parametrize("end", ENDED_BY)
def test_what_a_program_does_stands_before_the_end_or_nowhere(
    races: Races, context: Context, module_database: Database, end: str, rounds: int
) -> None:
    began = time.monotonic()
    for _ in batches(rounds):
        each = [begun(context) for _ in range(IN_FLIGHT)]
        told = races.run([[invites(one), ends(one, end)] for one in each], late=APART.get(end, 0.04))
        for one, (invited, ended) in zip(each, told, strict=True):
            assert ended == DONE
            may_be = {DONE, TOLD_AFTERWARDS[end], *([OVER] if end == "owner gone" else [])}
            assert invited in may_be
            require_order(history(module_database, one), one, end, sent=invited == DONE)
            assert races.ask(invites(one)) == [TOLD_AFTERWARDS[end]] * 2
            assert alive(races, [one.key.secret]) == [end in STILL_LIVE]
            if end == "owner gone":
                assert left_of(module_database, one.user_id) == []
    print(f"{end}: {len(batches(rounds)) * IN_FLIGHT} rounds in {time.monotonic() - began:.1f} s")


def require_order(found: list[Happened], one: Round, end: str, *, sent: bool) -> None:
    """One invitation if one was answered, before the end; and after the end nothing by the key at all, but that it was
    used: somebody was let in by it before. Of a key that ended itself not even that is told.
    """
    by_key = [at for at in found if at.by_key == one.key.api_key_id]
    sent_at = [at.position for at in by_key if at.name == "InvitationSent"]
    [end_at] = [at.position for at in found if at.name == ENDED_BY[end] and at.by_key is None]
    assert len(sent_at) == sent
    after = {at.name for at in by_key if at.position > end_at}
    assert after <= (set() if end in OVER_FOR_GOOD else {"ApiKeyUsed"})
