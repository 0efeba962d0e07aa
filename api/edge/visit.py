"""Visit: one request as everybody behind the gate sees it, and the cookies its answer will carry, even an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from fastapi import Request

from domain.store.envelope import WhereFrom

from .client_address import as_seen

_LONGEST_USER_AGENT = 1024
STATE = "visit"

# a browser asks many times from one address
_seen = lru_cache(1024)(as_seen)


@dataclass(slots=True)
class Visit:
    """When a request came, with which headers (names in lower case), and from where.

    What is known of it once it was refused: with which code, whose account it concerned, and through which session.
    """

    now: datetime
    headers: Mapping[str, str]
    where_from: WhereFrom
    set_cookies: list[str] = field(default_factory=list)
    refused_with: str | None = None
    concerns: UUID | None = None
    session_id: UUID | None = None

    @staticmethod
    def of(scope: Mapping[str, Any], now: datetime) -> Visit:
        """The visit an ASGI scope describes."""
        headers = _headers(scope["headers"])
        peer = scope.get("client")
        # NUL cannot be stored as text, and a header of 60 KiB is no browser's name
        user_agent = headers.get("user-agent", "").replace("\0", "")[:_LONGEST_USER_AGENT]
        return Visit(now, headers, WhereFrom(_seen(peer[0] if peer else None), user_agent))


def visit_of(request: Request) -> Visit:
    """The visit of a request, as a dependency of routes."""
    visit: Visit = request.scope["state"][STATE]
    return visit


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first of each name; several Cookie headers are one, as HTTP/2 allows (RFC 9113 §8.2.3)."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        if name == "cookie" and name in headers:
            headers[name] += f"; {value}"
        else:
            headers.setdefault(name, value)
    return headers
