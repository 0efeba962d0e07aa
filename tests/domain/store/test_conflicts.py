"""Conflicts: a decision out of date is taken again, three times at most."""

from __future__ import annotations

import pytest

from domain.refusals import Conflict, EmailTaken
from domain.store.conflicts import StreamMovedOn, decided_again


def test_what_moved_on_twice_is_decided_a_third_time() -> None:
    tries: list[int] = []

    @decided_again
    def decide(value: int) -> int:
        tries.append(value)
        if len(tries) < 3:
            raise StreamMovedOn
        return value

    assert decide(7) == 7
    assert tries == [7, 7, 7]


def test_what_moves_on_again_and_again_is_a_conflict_the_caller_may_repeat() -> None:
    tries = 0

    @decided_again
    def decide() -> None:
        nonlocal tries
        tries += 1
        raise StreamMovedOn

    with pytest.raises(Conflict):
        decide()
    assert tries == 3


def test_a_refusal_is_not_tried_again() -> None:
    tries = 0

    @decided_again
    def decide() -> None:
        nonlocal tries
        tries += 1
        raise EmailTaken

    with pytest.raises(EmailTaken):
        decide()
    assert tries == 1
