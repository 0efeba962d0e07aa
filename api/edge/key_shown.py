"""The API key that a request shows, if it shows one (wire-keys.md): a credential of programs, never a browser's."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from domain.key_format import EXPRESSION, MARK, looks_like_key

from .problems import Problem
from .request_context import RequestContext

_SHORTEST = 64
"""Characters: what is shorter can be none, and is told so (wire-keys B6)."""


IN_URL = "API_KEY_IN_URL"
_ANYWHERE = re.compile(EXPRESSION.encode())
_MARK = MARK.encode()


class KeyShown(NamedTuple):
    """What somebody says is a key, and whether it is long enough for one."""

    secret: str

    @property
    def too_short(self) -> bool:
        return len(self.secret) < _SHORTEST


def key_shown(request: RequestContext) -> KeyShown | None:
    """In `x-api-key`, whatever stands there; in `authorization`, with `Bearer` or without, only what looks like a key.

    An empty header shows none. The first of the two counts.
    """
    if given := request.headers.get("x-api-key", "").strip(" \t"):
        return KeyShown(given)
    header = request.headers.get("authorization", "").strip(" \t")
    if not header:
        return None
    scheme, _, rest = header.partition(" ")
    bearing = rest.strip(" \t") if scheme.lower() == "bearer" else header
    return KeyShown(bearing) if looks_like_key(bearing) else None


def require_no_key_in(query_string: bytes) -> None:
    """No key stands in an address, which logs and histories keep. Raises Problem."""
    said = unquote_to_bytes(query_string) if b"%" in query_string else query_string
    if _MARK in said and _ANYWHERE.search(said):
        raise Problem.of_code(IN_URL)
