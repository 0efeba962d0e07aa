"""What verifying says: which rule is broken, how often, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be: which rule, how often it is broken, and where for the first time."""

    rule: str
    times: int
    first: str


class Violations:
    """Where a rule is broken: how often, and the first place. All of them may be more than there is room for."""

    def __init__(self, rule: str) -> None:
        self._rule, self._times, self._first = rule, 0, ""

    def add(self, place: object) -> None:
        """Broken here too."""
        self._first = min(self._first, str(place)) if self._times else str(place)
        self._times += 1

    def findings(self) -> Iterator[Finding]:
        """One if it is broken at all."""
        if self._times:
            yield Finding(self._rule, self._times, self._first)
