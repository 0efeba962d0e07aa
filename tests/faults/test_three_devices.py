"""Three devices of one person: what each is shown of the others, and how soon a revoked one is out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import unquote

import pytest

from domain.clock import now
from domain.commands.context import Context
from tests.api.browser import TOKEN_COOKIE, Answer, Browser
from tests.faults.at_once import Line, Request, Sent, at_once, lines_to, taking_turns
from tests.faults.owners import Device, joined, signed_in
from tests.people import PASSWORD
from tests.server import Server

SETTINGS = {"TRUSTED_PROXIES": "127.0.0.1"}
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.1 Mobile/15E148 Safari/604.1"
)
SHOWN = {
    CHROME: ("Chrome 130 on macOS", "141.20.1.1", "Germany"),
    FIREFOX: ("Firefox 132 on Windows", "193.0.6.139", "Netherlands"),
    SAFARI: ("Safari 18 on iOS", "8.8.8.8", "United States"),
}
"""What a person should read of each, and from where it asks."""

REQUESTS = 1_000
TOGETHER = 50
WRITTEN_WITHIN = 15.0
"""Seconds until the last use is known at every worker; it is written every few."""

LOOKS = (
    Request(path="/get-session"),
    Request(path="/list-sessions"),
    Request(path="/list-accounts"),
    Request(path="/activity/list"),
    Request(method="POST", path="/update-user", fields={"name": "Mallory"}),
    Request(method="POST", path="/revoke-other-sessions", fields={}),
)

_numbers = count(1)


class Owned(Browser):
    """One of the three, with a jar of its own, behind the proxy."""

    def __init__(self, url: str, browser: str) -> None:
        super().__init__(url)
        self._named = {"User-Agent": browser, "X-Forwarded-For": SHOWN[browser][1]}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """As any browser, with its name and from its address."""
        return super().get(path, {**self._named, **(headers or {})})

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """As any browser, with its name and from its address."""
        return super().post(path, fields, {**self._named, **(headers or {})})

    @property
    def token(self) -> str:
        """The secret in its jar."""
        return unquote(self.cookies[TOKEN_COOKIE]).rpartition(".")[0]

    def devices(self) -> list[dict[str, Any]]:
        """The devices of the person, as this one is shown them."""
        answer = self.get("/list-sessions")
        assert answer.status == 200
        return list(answer.json())


@pytest.fixture
def three(server: Server) -> list[Owned]:
    """Chrome, Firefox and Safari, signed in by one person in this order."""
    email = f"ada{next(_numbers)}@example.com"
    chrome, firefox, safari = devices = [Owned(server.url, browser) for browser in SHOWN]
    assert chrome.sign_up(email).status == 200
    assert firefox.sign_in(email, PASSWORD).status == 200
    assert safari.sign_in(email, PASSWORD).status == 200
    return devices


def test_each_device_is_shown_itself_first_and_the_others_by_names_a_person_reads(three: list[Owned]) -> None:
    for asking, browser in zip(three, SHOWN, strict=True):
        listed = asking.devices()
        assert [session["current"] for session in listed] == [True, False, False]
        assert listed[0]["userAgent"] == browser
        assert {session["userAgent"]: seen(session) for session in listed} == SHOWN
        for session in listed:
            began, active, ends = (moment(session, name) for name in ("createdAt", "lastActiveAt", "expiresAt"))
            assert began <= active <= now() < ends
            assert session["token"] not in [device.token for device in three]


def test_the_one_used_last_comes_next_and_every_worker_knows_before_long(server: Server, three: list[Owned]) -> None:
    chrome, firefox, _ = three
    time.sleep(0.01)
    used_at = now()
    assert firefox.session() is not None
    deadline = time.monotonic() + WRITTEN_WITHIN
    look = Request(path="/list-sessions", token=chrome.token)
    with lines_to(server, 1) as by_worker:
        while not all(comes_next(lines[0].ask(look), FIREFOX, used_at) for lines in by_worker):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_revoked_device_is_out_at_its_very_next_request(server: Server, context: Context) -> None:
    ada, refused = joined(server, "ada@example.com"), 0
    stays, revokes = signed_in(context, ada), signed_in(context, ada)
    with lines_to(server, TOGETHER // 2) as by_worker:
        lines = taking_turns(by_worker)
        for number in range(REQUESTS // TOGETHER):
            lost = signed_in(context, ada)
            require_let_in(by_worker, [stays, revokes, lost])
            revoke(lines[number % 2], lost, by=revokes)
            looks = [replace(LOOKS[(place + number) % len(LOOKS)], token=lost.token) for place in range(TOGETHER)]
            answers = at_once([Sent(line, look) for line, look in zip(lines, looks, strict=True)])
            refused += sum(is_refusal(answer) for answer in answers)
            require_let_in(by_worker, [stays, revokes])
    assert refused == REQUESTS


def seen(session: dict[str, Any]) -> tuple[str, str, str]:
    """What a person reads of a device."""
    return session["device"], session["ipAddress"], session["location"]


def moment(session: dict[str, Any], name: str) -> datetime:
    """A date of a device."""
    return datetime.fromisoformat(session[name])


def comes_next(answer: Answer, browser: str, used_at: datetime) -> bool:
    """Whether a list has the browser right after the device that asks, last used at this moment or later."""
    following = answer.json()[1]
    return following["userAgent"] == browser and moment(following, "lastActiveAt") >= used_at


def revoke(line: Line, lost: Device, *, by: Device) -> None:
    """End the session of a device, by the handle another one is shown of it."""
    listed = line.ask(Request(path="/list-sessions", token=by.token)).json()
    [handle] = [session["token"] for session in listed if session["id"] == lost.session_id.hex]
    answer = line.ask(Request(method="POST", path="/revoke-session", token=by.token, fields={"token": handle}))
    assert (answer.status, answer.json()) == (200, {"status": True})


def require_let_in(by_worker: Sequence[Sequence[Line]], devices: Sequence[Device]) -> None:
    """Each is let in by both workers."""
    for lines in by_worker:
        for device in devices:
            answer = lines[0].ask(Request(path="/get-session", token=device.token))
            assert answer.json()["session"]["id"] == device.session_id.hex


def is_refusal(answer: Answer) -> bool:
    """Whether somebody was not let in: told that nobody is signed in, or refused for it."""
    return answer.json() is None if answer.status == 200 else answer.problem == (401, "UNAUTHORIZED")
