"""Programs that act for somebody by an API key, and nothing else: no cookies, no origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.api.browser import BASE, Answer, Browser
from tests.api.routes.fellows import Person

CURL = "curl/8.5.0"


class Program:
    """Sends its key in `x-api-key`, as Better Auth's plugin reads it."""

    def __init__(self, url: str, key: str, *, user_agent: str = CURL) -> None:
        self._browser, self.key, self.user_agent = Browser(url), key, user_agent

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for something."""
        return self._browser.ask("GET", f"{BASE}{path}", None, {**self._shown(), **(headers or {})})

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Have something done."""
        body = json.dumps({} if fields is None else fields).encode()
        sent = {"Content-Type": "application/json", **self._shown(), **(headers or {})}
        return self._browser.ask("POST", f"{BASE}{path}", body, sent)

    def session(self) -> Any:
        """What it is told of itself."""
        answer = self.get("/get-session")
        assert answer.status == 200, answer.content
        return answer.json()

    def _shown(self) -> dict[str, str]:
        return {"x-api-key": self.key, "User-Agent": self.user_agent}


def made(person: Person, **fields: object) -> Any:
    """A key that somebody makes; what they are told of it this once."""
    answer = person.post("/api-key/create", {"name": "deploy", **fields})
    assert answer.status == 200, answer.content
    return answer.json()


def program(person: Person, **fields: object) -> Program:
    """A program with a key of somebody's."""
    return Program(person.url, made(person, **fields)["key"])
