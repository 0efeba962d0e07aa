"""One request as everybody behind the gate sees it, and the cookies its answer will carry, even an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from api import deployment_settings
from domain import pictures
from domain.store.envelope import WhereFrom
from projections.lists.session_list import LiveSession

from .client_address import FORWARDING_HEADERS, ClientAddresses

_LONGEST_USER_AGENT = 1024
BASE_PATH = deployment_settings.BASE_PATH
PICTURES = pictures.PATH.removeprefix(BASE_PATH)
"""Below the base path, where pictures are found: a page shows those of many people at once, whoever looks at it."""

TWICE = "\n"
"""What stands between the lines of a header that may come once only, where its worst line counts: no value holds it."""
_JUDGED_WORST = (
    "origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-purpose", "purpose", "x-moz"
)  # fmt: skip
# HTTP/2 allows several Cookie headers (RFC 9113 §8.2.3); some proxies add a forwarding header beside the client's
_JOINED_BY = {
    "cookie": "; ",
    "x-api-key": ", ",
    **dict.fromkeys(FORWARDING_HEADERS, ", "),
    **dict.fromkeys(_JUDGED_WORST, TWICE),
}


@dataclass(slots=True)
class RequestContext:
    """What was asked, when, with which headers (names in lower case), and from where; `path` is below the base path.

    `tokens` are the sessions' secrets it shows, once somebody looked, and `signed` whether by us. What its answer will
    carry: cookies, and the token for clients without cookies. What is known of it once it was refused: with which code,
    whose account it concerned, through which session, and which language that person has chosen; of one too many in how
    many seconds another is admitted. `session` is whose page it is, once a page found that out.
    """

    method: str
    path: str
    now: datetime
    headers: Mapping[str, str]
    where_from: WhereFrom
    tokens: Sequence[str] | None = field(default=None, repr=False)
    signed: bool = False
    set_cookies: list[str] = field(default_factory=list)
    auth_token: str | None = field(default=None, repr=False)
    refused_with: str | None = None
    retry_after: int | None = None
    concerns: UUID | None = None
    session_id: UUID | None = None
    session: LiveSession | None = field(default=None, repr=False)
    language: str | None = None
    query_string: bytes = field(default=b"", repr=False)

    @staticmethod
    def of(scope: Mapping[str, Any], now: datetime, addresses: ClientAddresses) -> RequestContext:
        """The context of the request an ASGI scope describes."""
        headers = _headers(scope["headers"])
        peer = scope.get("client")
        # NUL cannot be stored as text, and a header of 60 KiB is no browser's name
        user_agent = headers.get("user-agent", "").replace("\0", "")[:_LONGEST_USER_AGENT]
        path = scope["path"].removeprefix(BASE_PATH)
        address = addresses.seen(peer[0] if peer else None, headers)
        where_from = WhereFrom(address, user_agent)
        return RequestContext(
            scope["method"], path, now, headers, where_from, query_string=scope.get("query_string", b"")
        )

    def take_back(self) -> None:
        """Give nothing of what the request was given so far: the session is over, and another may have its place."""
        self.set_cookies.clear()
        self.auth_token = self.session = None


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first of each name, but all of those that are one list over several lines, or whose worst counts."""
    headers: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        if name not in headers:
            headers[name] = value
        elif name in _JOINED_BY:
            repeated.setdefault(name, [headers[name]]).append(value)
    for name, values in repeated.items():
        headers[name] = _JOINED_BY[name].join(values)
    return headers
