"""Visitors with addresses of their own, and the counters that limit them, moved through time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from tests.api.browser import BASE, Answer, Browser
from tests.databases import Database

SETTINGS = {
    "RATE_LIMIT": "on",
    "TRUSTED_ORIGINS": "https://app.example.com",
    "TRUSTED_PROXIES": "127.0.0.1,::1",
}
TOO_MANY = {"message": "Too many requests. Please try again later."}
_numbers = count(1)


class Visitor(Browser):
    """Somebody with an address of their own, which a trusted proxy tells."""

    def __init__(self, url: str, address: str) -> None:
        super().__init__(url)
        self.address = address

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        return super().ask(method, target, body, {"X-Forwarded-For": self.address, **(headers or {})})

    def statuses(self, method: str, path: str, times: int) -> list[int]:
        """What so many requests come to."""
        return [self.ask(method, f"{BASE}{path}").status for _ in range(times)]


class Counters:
    """The counters behind the limits, moved through time instead of waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def age(self, seconds: float) -> None:
        """As if that much time had passed; what is known of refusals in the workers stays."""
        self._database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - %s * interval '1 second'", seconds)

    def all(self) -> dict[bytes, int]:
        return {key: hits for key, hits in self._database.rows("SELECT key, hits FROM rate_limits")}

    def forget(self, keys: set[bytes]) -> None:
        self._database.rows("DELETE FROM rate_limits WHERE key = ANY(%s)", list(keys))

    def set_hits(self, key: bytes, hits: int) -> None:
        self._database.rows("UPDATE rate_limits SET hits = %s WHERE key = %s", hits, key)


def assert_refused(answer: Answer, *, within: range) -> None:
    """The refusal of wire.md §5, for a number of seconds in this range."""
    assert (answer.status, answer.json(), answer.header("content-type")) == (429, TOO_MANY, "application/json")
    assert answer.header("x-retry-after") == answer.header("retry-after")
    assert int(answer.header("retry-after") or 0) in within


def a_visitor(url: str) -> Visitor:
    """Somebody from where nobody else has asked."""
    return Visitor(url, f"198.51.100.{next(_numbers)}")
