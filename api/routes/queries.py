"""What the queries of several routes have in common (wire.md §1, A11)."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, model_validator

_MOST = 2**31 - 1


class QueryModel(BaseModel):
    """A query. Empty values count as not given (wire.md §1); what no text may hold is refused."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, given: dict[str, Any]) -> dict[str, Any]:
        texts = [text for value in given.values() for text in (value if isinstance(value, list) else [value])]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise ValueError("Invalid input")
        return {name: value for name, value in given.items() if value not in ("", [""])}


class Paged(QueryModel):
    """The whole list, or a page of it."""

    limit: Annotated[int | None, Field(ge=1, le=_MOST, description="At most so many; all without it.")] = None
    offset: Annotated[int, Field(ge=0, le=_MOST, description="Leave out so many at the beginning.")] = 0


def no_key_twice(query: type[BaseModel], *, but: str = "") -> Any:
    """A dependency that refuses a key of this query given twice: that is a list, and a list is no text (wire.md §1).

    `but` one, of which there may be several.
    """
    known = {field.alias or name for name, field in query.model_fields.items()} - {but}

    async def refuse(request: Request) -> None:
        counts = Counter(key for key, _ in request.query_params.multi_items())
        twice = [key for key in counts if counts[key] > 1 and key in known]
        if twice:
            raise RequestValidationError([{"type": "string_type", "loc": ("query", key), "input": []} for key in twice])

    return Depends(refuse)
