"""Rounds: ours and theirs measured in turn, so that whatever else the machine does befalls both."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One slice: operations per second and, where the tool tells, the 99th percentile of their times in ms and how
    many answers there were.
    """

    rate: float
    p99: float | None = None
    answers: int = 0


Measure = Callable[[float], Sample]
"""Runs for so many seconds."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Ours against theirs under the same load; `aim` is the ratio of rates we want, `level` makes a start equal."""

    name: str
    against: str
    aim: float
    ours: Measure
    theirs: Measure
    level: Callable[[], None]


@dataclass(frozen=True)
class Figure:
    """What came out of the rounds of a pair; `load` is the machine's load average before each round."""

    pair: Pair
    rounds: list[tuple[Sample, Sample]] = field(default_factory=list)
    load: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, a round each."""
        return [ours.rate / theirs.rate for ours, theirs in self.rounds]

    def as_json(self) -> dict[str, Any]:
        """Rates a second and times in ms are medians of all rounds; the ratio is the median of their ratios."""
        ours, theirs = zip(*self.rounds, strict=True)
        return {
            "name": self.pair.name,
            "against": self.pair.against,
            "aim": self.pair.aim,
            "ratio": {"median": median(self.ratios), "min": min(self.ratios), "max": max(self.ratios)},
            "rounds": len(self.rounds),
            "ours": _summary(ours),
            "theirs": _summary(theirs),
            "load": median(self.load),
        }


def measure(pair: Pair, *, rounds: int, seconds: float, after_slice: Callable[[], None]) -> Figure:
    """So many rounds; who goes first alternates, and a slice of each beforehand is thrown away."""
    figure = Figure(pair)
    for warm_up in (pair.ours, pair.theirs):
        warm_up(min(seconds, 1.0))
    for number in range(rounds):
        figure.load.append(os.getloadavg()[0])
        samples: dict[bool, Sample] = {}
        for is_ours in (True, False) if number % 2 == 0 else (False, True):
            pair.level()
            samples[is_ours] = (pair.ours if is_ours else pair.theirs)(seconds)
            after_slice()
        figure.rounds.append((samples[True], samples[False]))
    return figure


def _summary(samples: tuple[Sample, ...]) -> dict[str, float]:
    slowest = [sample.p99 for sample in samples if sample.p99 is not None]
    return {"rate": median(sample.rate for sample in samples)} | ({"p99": median(slowest)} if slowest else {})
