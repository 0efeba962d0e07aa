"""Conflicts: a decision out of date is taken again, with pauses, for as long as a request can wait."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from domain.refusals import Conflict, EmailTaken
from domain.store.conflicts import StreamMovedOn, Waiting, longest_pause, retry_on_conflict


@dataclass
class Time:
    """Time that passes while one pauses, and nothing else; and what comes by chance, again and again."""

    chance: float = 1.0
    now: float = 100.0
    pauses: list[float] = field(default_factory=list)

    def waiting(self) -> Waiting:
        return Waiting(elapsed=lambda: self.now, pause=self.pause, fraction=lambda: self.chance)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_what_moved_on_is_decided_again_until_it_stands() -> None:
    tries, time = list[int](), Time()

    def decide(value: int) -> int:
        tries.append(value)
        if len(tries) < 12:
            raise StreamMovedOn
        return value

    assert retry_on_conflict(decide, time.waiting())(7) == 7
    assert tries == [7] * 12
    assert len(time.pauses) == 11


def test_what_moves_on_for_four_seconds_is_a_conflict_the_caller_may_repeat() -> None:
    time, tries = Time(), 0

    def decide() -> None:
        nonlocal tries
        tries += 1
        raise StreamMovedOn

    with pytest.raises(Conflict):
        retry_on_conflict(decide, time.waiting())()
    assert 3.5 < time.now - 100 < 4
    assert tries > 15


def test_a_try_that_itself_takes_long_is_counted() -> None:
    time, tries = Time(), 0

    def decide() -> None:
        nonlocal tries
        tries += 1
        time.now += 1.5
        raise StreamMovedOn

    with pytest.raises(Conflict):
        retry_on_conflict(decide, time.waiting())()
    assert tries == 3


def test_pauses_grow_up_to_a_fifth_of_a_second_and_come_by_chance() -> None:
    longest = [longest_pause(number) for number in range(8)]
    assert longest == pytest.approx([0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.2, 0.2])
    assert longest_pause(100_000) == 0.2
    for chance in (0.0, 0.25, 1.0):
        time, tries = Time(chance), list[int]()

        def decide(tries: list[int] = tries) -> None:
            tries.append(1)
            if len(tries) < 8:
                raise StreamMovedOn

        retry_on_conflict(decide, time.waiting())()
        assert time.pauses == pytest.approx([chance * one for one in longest[:7]])


def test_a_refusal_is_not_tried_again() -> None:
    time, tries = Time(), 0

    def decide() -> None:
        nonlocal tries
        tries += 1
        raise EmailTaken

    with pytest.raises(EmailTaken):
        retry_on_conflict(decide, time.waiting())()
    assert (tries, time.pauses) == (1, [])


def test_it_is_a_decorator_with_the_real_time() -> None:
    tries = list[int]()

    @retry_on_conflict
    def decide() -> str:
        """What it does."""
        tries.append(1)
        if len(tries) < 3:
            raise StreamMovedOn
        return "done"

    assert (decide(), decide.__doc__) == ("done", "What it does.")
