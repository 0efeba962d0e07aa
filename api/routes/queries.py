"""What the queries of several routes have in common (wire.md A11)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from api.edge.query import QueryModel

_MOST = 2**31 - 1
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*|\s*[+-]?Infinity\s*", re.ASCII | re.IGNORECASE)


def _number_or_nothing(text: object) -> object:
    """What is no number at all counts as not given, since Better Auth takes its default then (wire.md §10)."""
    return text if not isinstance(text, str) or _NUMBER.fullmatch(text) else None


AtMost = Annotated[
    Annotated[int, Field(ge=0, le=_MOST)] | None,
    BeforeValidator(_number_or_nothing),
    Field(description="At most so many; all without it, or with 0."),
]
"""A limit as Better Auth's queries have it."""


class Paged(QueryModel):
    """The whole list, or a page of it."""

    limit: Annotated[int | None, Field(ge=1, le=_MOST, description="At most so many; all without it.")] = None
    offset: Annotated[int, Field(ge=0, le=_MOST, description="Leave out so many at the beginning.")] = 0
