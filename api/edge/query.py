"""A query string as a model: read once, every key once, what is empty not given (wire.md §1)."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError, model_validator

_OF_THEN = "asOf"
"""A moment at which an answer is wanted. No route knows the past yet, and the present is no answer to that."""


class ExactQuery(BaseModel):
    """A query, its values as they are given.

    A key given twice is a list, and a list is no text: only of what is `repeatable` there may be several.
    """

    repeatable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def read(cls, query_string: bytes) -> Self:
        """What a request asks for. Raises RequestValidationError."""
        given, twice = dict[str, Any](), dict[str, None]()
        for key, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True) if query_string else ():
            if key in cls.repeatable:
                given.setdefault(key, []).append(value)
            else:
                if key in given:
                    twice[key] = None
                given[key] = value
        if given.get(_OF_THEN):
            raise RequestValidationError([{"type": "unanswered", "loc": ("query", _OF_THEN), "input": None}])
        if twice and (known := [key for key in twice if key in cls._keys()]):
            raise RequestValidationError([{"type": "string_type", "loc": ("query", key), "input": []} for key in known])
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise invalid("query", error) from None

    @classmethod
    def _keys(cls) -> set[str]:
        return {field.alias or name for name, field in cls.model_fields.items()}


class QueryModel(ExactQuery):
    """A query. Empty values count as not given (wire.md §1), but of `choices`; what no text may hold is refused."""

    choices: ClassVar[frozenset[str]] = frozenset()
    """What is one of a few words, and so never empty."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, given: dict[str, Any]) -> dict[str, Any]:
        texts = [text for value in given.values() for text in (value if isinstance(value, list) else [value])]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise ValueError("Invalid input")
        return {name: value for name, value in given.items() if value not in ("", [""]) or name in cls.choices}


def invalid(part: str, error: ValidationError) -> RequestValidationError:
    """What is wrong with a part of a request, the query or the body."""
    errors = error.errors(include_url=False)
    return RequestValidationError([{**one, "loc": (part, *one["loc"])} for one in errors])
