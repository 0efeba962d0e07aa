"""Request bodies: the one reading of them that leaves no room for a second one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import unquote_plus

DEEPEST_NESTING = 32
LONGEST_NUMBER = 100

# An unclosed string runs to the end of the text and nothing backtracks, so one pass is linear for any input.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class MalformedBody(Exception):
    """The body is not what its media type promises (wire.md §1). Never quotes the body, which may hold a password."""


def parse(body: bytes) -> object:
    """The value of a JSON body (RFC 8259), or MalformedBody.

    Stricter than the RFC where readers of JSON differ or the database would stumble: no duplicate keys, no NaN or
    Infinity, no number of more than 100 digits or beyond a double, no NUL, no lone surrogates, at most 32 levels deep.
    """
    try:
        text = body.decode("utf-8")
        _refuse_deep_nesting(text)
        value: object = _DECODER.decode(text)
    except ValueError:
        # `from None`: the causes carry the whole body, which has no business in a log.
        raise MalformedBody("not valid JSON") from None
    if any(_UNSTORABLE.search(string) for string in _strings(value)):
        raise MalformedBody("NUL or a lone surrogate in a string")
    return value


def form(body: bytes) -> dict[str, str]:
    """The fields of an application/x-www-form-urlencoded body (WHATWG URL standard §5.1), or MalformedBody.

    A `%` that starts no escape stands for itself. Duplicate names, NUL and anything but UTF-8 are refused.
    """
    fields: dict[str, str] = {}
    try:
        for field in filter(None, body.decode("utf-8").split("&")):
            encoded_name, _, encoded_text = field.partition("=")
            name = unquote_plus(encoded_name, errors="strict")
            if name in fields:
                raise MalformedBody("a name occurs twice")
            fields[name] = unquote_plus(encoded_text, errors="strict")
    except UnicodeDecodeError:
        raise MalformedBody("not UTF-8") from None
    if any("\x00" in name or "\x00" in text for name, text in fields.items()):
        raise MalformedBody("NUL in a field")
    return fields


def _refuse_deep_nesting(text: str) -> None:
    """Look before parsing: the parser recurses, and a hundred thousand brackets would exhaust the stack."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > DEEPEST_NESTING:
                raise MalformedBody("nested too deeply")
        elif token[0] in "]}":
            depth -= 1


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBody("a key occurs twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise MalformedBody("NaN and Infinity are not JSON")


def _refuse_long(number: str) -> None:
    if sum(map(str.isdigit, number)) > LONGEST_NUMBER:
        raise MalformedBody("a number of too many digits")


def _integer(number: str) -> int:
    _refuse_long(number)
    return int(number)


def _double(number: str) -> float:
    _refuse_long(number)
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise MalformedBody("a number beyond a double")
    return value


def _strings(value: object) -> Iterator[str]:
    """Every string in the value, keys included. Recursion is bounded by the nesting already checked."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_constant=_refuse_constant,
    parse_int=_integer,
    parse_float=_double,
)
