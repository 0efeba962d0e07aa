"""Given what has happened, when a command is decided, then these events happen: the words of the domain's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import pytest

from domain.refusals import Refusal

S = TypeVar("S")


def given(evolve: Callable[[S | None, Any], S], events: Sequence[Any]) -> S:
    """The state these events lead to."""
    state: S | None = None
    for event in events:
        state = evolve(state, event)
    assert state is not None, "a story begins with an event"
    return state


def refuses(refusal: type[Refusal]) -> AbstractContextManager[object]:
    """The command may not happen, for this reason."""
    return pytest.raises(refusal)
