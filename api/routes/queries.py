"""What the queries of several routes have in common (wire.md A11)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.edge.query import QueryModel

_MOST = 2**31 - 1


class Paged(QueryModel):
    """The whole list, or a page of it."""

    limit: Annotated[int | None, Field(ge=1, le=_MOST, description="At most so many; all without it.")] = None
    offset: Annotated[int, Field(ge=0, le=_MOST, description="Leave out so many at the beginning.")] = 0
