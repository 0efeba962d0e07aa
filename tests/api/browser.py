"""A browser of the tests: one person's device with the cookies it was given, speaking HTTP exactly as it is told."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from tests.people import PASSWORD, SECRET

BASE = "/api/auth"
TOKEN_COOKIE = "better-auth.session_token"
DONT_REMEMBER_COOKIE = "better-auth.dont_remember"
DEVICE_COOKIE = "better-auth.known_device"
CLEARED = [
    f"better-auth.{noun}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    for noun in ("session_token", "session_data", "dont_remember")
]
"""The three headers that take a session's cookies away, in the order of wire.md §7."""

ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax"
"""What every cookie over http ends with."""

_TIMEOUT = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    content: bytes

    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.content)

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        value: str | None = self.headers.get(name)
        return value

    @property
    def set_cookies(self) -> list[str]:
        """Every Set-Cookie about a session, in order."""
        return [line for line in self.all_cookies if "known_device" not in line.partition("=")[0]]

    @property
    def device_cookie(self) -> str | None:
        """The Set-Cookie by which the browser is known to an account from now on."""
        found = [line for line in self.all_cookies if "known_device" in line.partition("=")[0]]
        assert len(found) <= 1
        return found[0] if found else None

    @property
    def all_cookies(self) -> list[str]:
        """Every Set-Cookie, in order."""
        return [str(value) for value in self.headers.get_all("set-cookie", [])]

    @property
    def problem(self) -> tuple[int, str | None]:
        """Status and code; the code is None where there is none."""
        return self.status, self.json().get("code") if self.content else None


class Browser:
    """Keeps cookies as a browser does, but sends those marked `Secure` over http too, and each request alone."""

    def __init__(self, url: str, *, origin: str | None = None) -> None:
        self.url, self.origin = url, origin or url
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        """Send exactly this, to a path from the root, without cookies or any header but Host and Content-Length."""
        host, port = urlsplit(self.url).hostname, urlsplit(self.url).port
        connection = HTTPConnection(host or "", port, timeout=_TIMEOUT)
        try:
            # a server that has read enough answers and hangs up; what it said can be read all the same
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Like a page's script: with cookies."""
        return self._kept(self.ask("GET", f"{BASE}{path}", None, {**self._cookie_header(), **(headers or {})}))

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Like a page's script: with cookies, an origin, and JSON if there are fields."""
        body = None if fields is None else json.dumps(fields).encode()
        media_type = {} if fields is None else {"Content-Type": "application/json"}
        sent = {"Origin": self.origin, **media_type, **self._cookie_header(), **(headers or {})}
        return self._kept(self.ask("POST", f"{BASE}{path}", body, sent))

    def sign_up(self, email: str, **fields: object) -> Answer:
        """Open an account for Ada."""
        return self.post("/sign-up/email", {"name": "Ada", "email": email, "password": PASSWORD, **fields})

    def sign_in(self, email: str, password: str = PASSWORD, **fields: object) -> Answer:
        """Sign this device in."""
        return self.post("/sign-in/email", {"email": email, "password": password, **fields})

    def session(self, query: str = "") -> Any:
        """The session this device has, None without."""
        answer = self.get(f"/get-session{query}")
        assert answer.status == 200
        found = answer.json()
        return None if found is None else found["session"]

    @property
    def session_cookies(self) -> dict[str, str]:
        """Those that are about a session: all but that of a known device, which stays."""
        return {name: value for name, value in self.cookies.items() if name != DEVICE_COOKIE}

    @property
    def cookie_header(self) -> str:
        """What its requests show of what it keeps."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _cookie_header(self) -> dict[str, str]:
        return {"Cookie": self.cookie_header} if self.cookies else {}

    def _kept(self, answer: Answer) -> Answer:
        for line in answer.all_cookies:
            name, _, value = line.partition(";")[0].partition("=")
            if "; Max-Age=0;" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


class Device(Browser):
    """A browser that names itself, so that what is recorded of it can be told apart."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url)
        self.name = name

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """As any browser, with its name."""
        return super().post(path, fields, {"User-Agent": self.name, **(headers or {})})


def signed(value: str) -> str:
    """The value as wire.md §7 signs it, under the tests' secret."""
    signature = b64encode(hmac.digest(SECRET.encode(), value.encode(), "sha256")).decode()
    return quote(f"{value}.{signature}", safe="")


def kept(token: str) -> list[str]:
    """What hands a session to a browser that keeps it for seven days."""
    return [f"{TOKEN_COOKIE}={signed(token)}; Max-Age=604800{ATTRIBUTES}"]


def kept_until_closed(token: str) -> list[str]:
    """What hands a session to a browser that forgets it when it is closed."""
    return [f"{TOKEN_COOKIE}={signed(token)}{ATTRIBUTES}", f"{DONT_REMEMBER_COOKIE}={signed('true')}{ATTRIBUTES}"]
