"""A tour through everything a person does with sessions and passwords, of which every exchange is kept as evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from tests.api.browser import BASE, TOKEN_COOKIE, Answer, Browser

EMAIL, BOS_EMAIL = "ada.tours@example.com", "bo.tours@example.com"
FIRST, SECOND, THIRD, BOS = "plain falcon 1", "quiet anchor 2", "galvanic frog 3", "marble arch 4"
WRONG = ("wrong horse 5", "wrong staple 6", "wrong frog 7", "shorty8")
"""None of them is an example in the documentation."""
PASSWORDS = (FIRST, SECOND, THIRD, BOS, *WRONG)
RENEWED_AFTER = 1
"""Seconds until the use of a session renews it, in the settings of the tour's server."""

_HANDING_OUT = {f"{BASE}/sign-up/email", f"{BASE}/sign-in/email", f"{BASE}/change-password"}


@dataclass(frozen=True)
class Exchange:
    """A request, by what it shows to be let in, and its answer."""

    target: str
    shown: str
    answer: Answer

    @property
    def cookies_and_headers(self) -> set[str]:
        """The secrets it hands out beside the body: as a cookie, and to clients without cookies."""
        cookies = [line.partition(";")[0].partition("=") for line in self.answer.set_cookies]
        given = [unquote(value) for name, _, value in cookies if name == TOKEN_COOKIE and value]
        return {value.rpartition(".")[0] for value in [*given, *self.answer.headers.get_all("set-auth-token", [])]}

    @property
    def token(self) -> str | None:
        """The secret in the body, where a session begins."""
        begins = self.target in _HANDING_OUT and self.answer.status == 200
        token: str | None = self.answer.json()["token"] if begins else None
        return token

    @property
    def else_(self) -> bytes:
        """All of the answer but the three places in which a secret is handed out."""
        headers = [
            f"{name}: {value}"
            for name, value in self.answer.headers.items()
            if name.lower() != "set-auth-token" and not value.startswith(f"{TOKEN_COOKIE}=")
        ]
        body = self.answer.content.replace(f'"token":{json.dumps(self.token)}'.encode(), b"", 1)
        return b"\n".join(["\n".join(headers).encode("latin-1"), body if self.token else self.answer.content])


@dataclass
class Evidence:
    """What was seen on the tour."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def tokens(self) -> set[str]:
        """Every secret that was handed out."""
        begun = {exchange.token for exchange in self.exchanges if exchange.token is not None}
        return begun.union(*(exchange.cookies_and_headers for exchange in self.exchanges))

    def of(self, path: str) -> Iterator[Answer]:
        """The answers of a path, in order."""
        return (one.answer for one in self.exchanges if one.target.partition("?")[0] == f"{BASE}{path}")


class Tourist(Browser):
    """A browser that leaves its evidence."""

    def __init__(self, url: str, evidence: Evidence, name: str) -> None:
        super().__init__(url)
        self.evidence, self.name = evidence, name

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        """As any browser, with its name."""
        sent = {"User-Agent": self.name, **(headers or {})}
        answer = super().ask(method, target, body, sent)
        shown = [unquote(str(sent.get(name, ""))) for name in ("Cookie", "Authorization")]
        self.evidence.exchanges.append(Exchange(target, " ".join(shown), answer))
        return answer

    def looks_around(self, **authorization: str) -> None:
        """All that is read."""
        for path in (
            *("/get-session", "/get-session?disableRefresh=true", "/list-sessions", "/list-sessions?limit=1&offset=1"),
            *("/list-accounts", "/organization/list", "/activity/list", "/activity/list?limit=2", "/ok", "/nowhere"),
            *(f"/organization/activity?format={form}" for form in ("json", "ndjson", "csv")),
            "/list-sessions?limit=none",
        ):
            self.get(path, authorization)


def tour(url: str, evidence: Evidence) -> None:
    """Everything but running out."""
    laptop, phone, tablet, borrowed, bos = (
        Tourist(url, evidence, f"{name}/1.0") for name in ("Laptop", "Phone", "Tablet", "Borrowed", "Bos")
    )
    laptop.sign_up(EMAIL, password=FIRST)
    bos.sign_up(BOS_EMAIL, password=BOS)
    for device in (phone, tablet, borrowed):
        device.sign_in(EMAIL, FIRST, rememberMe=device is not borrowed, callbackURL="/dashboard")
    _is_refused(Tourist(url, evidence, "Stranger/1.0"))
    _without_cookies(Tourist(url, evidence, "Program/1.0"))
    _moves_and_is_renewed(laptop, phone, borrowed)
    _revokes_one_by_one(laptop, phone, tablet, bos)
    _changes_the_password(laptop, phone)
    phone.sign_in(EMAIL, THIRD)
    tablet.sign_in(EMAIL, THIRD)
    laptop.post("/revoke-other-sessions")
    phone.looks_around()
    _reads_the_journal(laptop)
    laptop.looks_around()
    laptop.post("/revoke-sessions")
    laptop.get("/list-sessions")
    tablet.sign_in(EMAIL, THIRD)
    tablet.post("/sign-out")
    for path in ("/openapi.json", "/docs", "/metrics", "/readyz", f"{BASE}/error?error=SESSION_EXPIRED"):
        laptop.ask("GET", path)


def runs_out(url: str, evidence: Evidence, *, after: float) -> None:
    """On a server whose sessions live for `after` seconds, one that is then used: by looking and by acting."""
    phone, tablet = (Tourist(url, evidence, f"{name}/2.0") for name in ("Phone", "Tablet"))
    for device in (phone, tablet):
        device.sign_in(EMAIL, THIRD)
    time.sleep(after + 0.1)
    assert phone.session() is None
    assert tablet.post("/update-user", {"name": "Nobody"}).status == 401


def _is_refused(stranger: Tourist) -> None:
    stranger.sign_in(EMAIL, WRONG[0])
    stranger.sign_in("nobody.tours@example.com", WRONG[0])
    stranger.sign_in("malformed", WRONG[0])
    stranger.sign_up(EMAIL, password=FIRST)
    stranger.sign_up("cy.tours@example.com", password=WRONG[3])
    stranger.post("/sign-in/email", {"email": EMAIL, "password": [FIRST]})
    stranger.post("/sign-in/email", {"email": EMAIL, "password": FIRST, "rememberMe": FIRST})
    stranger.ask(
        "POST", f"{BASE}/sign-in/email", f'{{"password": "{FIRST}"'.encode(), {"Content-Type": "application/json"}
    )
    stranger.ask("POST", f"{BASE}/sign-in/email", FIRST.encode(), {"Content-Type": "text/plain"})


def _without_cookies(program: Tourist) -> None:
    answer = program.sign_in(EMAIL, FIRST)
    program.cookies.clear()
    bare, signed = answer.json()["token"], answer.header("set-auth-token") or ""
    for form in (bare, signed, quote(signed, safe="")):
        program.looks_around(Authorization=f"Bearer {form}")
        program.cookies.clear()
    program.post(
        "/update-user", {"name": "Ada King", "image": "https://x.io/a.png"}, {"Authorization": f"Bearer {bare}"}
    )
    program.cookies.clear()
    for malformed in (f"{bare}.", f"{bare}.{'A' * 43}=", bare[:-1]):
        program.get("/get-session", {"Authorization": f"Bearer {malformed}"})
    program.get(f"/get-session?token={bare}")
    program.ask("GET", f"{BASE}/{bare}")


def _moves_and_is_renewed(laptop: Tourist, phone: Tourist, borrowed: Tourist) -> None:
    phone.name = "PhoneAfterAnUpdate/2.0"
    phone.post("/verify-password", {"password": WRONG[1]})
    phone.post("/verify-password", {"password": FIRST})
    time.sleep(RENEWED_AFTER + 0.1)
    for device in (laptop, phone, borrowed):
        device.looks_around()
        device.post("/update-user", {"name": "Ada"})


def _revokes_one_by_one(laptop: Tourist, phone: Tourist, tablet: Tourist, bos: Tourist) -> None:
    secrets = {device: device.cookies[TOKEN_COOKIE] for device in (laptop, phone, tablet, bos)}
    tokens = {device: unquote(cookie).rpartition(".")[0] for device, cookie in secrets.items()}
    handle = next(row["token"] for row in laptop.get("/list-sessions").json() if "Tablet" in row["userAgent"])
    laptop.post("/revoke-session", {"token": handle})
    tablet.looks_around()
    laptop.post("/revoke-session", {"token": tokens[bos]})
    laptop.post("/revoke-session", {"token": [tokens[phone]]})
    laptop.post("/revoke-session", {"token": secrets[phone]})
    laptop.post("/revoke-session", {"token": tokens[phone]})
    phone.post("/revoke-session", {"token": tokens[laptop]})
    laptop.post("/update-session", {"token": tokens[laptop]})
    assert phone.session() is None
    assert bos.session() is not None


def _changes_the_password(laptop: Tourist, phone: Tourist) -> None:
    phone.sign_in(EMAIL, FIRST)
    late = dict(laptop.cookies)
    laptop.post("/change-password", {"currentPassword": WRONG[2], "newPassword": SECOND})
    laptop.post("/change-password", {"currentPassword": FIRST, "newPassword": WRONG[3]})
    laptop.post("/change-password", {"currentPassword": FIRST, "newPassword": [SECOND]})
    laptop.post("/change-password", {"currentPassword": FIRST, "newPassword": SECOND, "revokeOtherSessions": True})
    assert phone.session() is None
    laptop.ask("GET", f"{BASE}/get-session", None, {"Cookie": f"{TOKEN_COOKIE}={late[TOKEN_COOKIE]}"})
    laptop.post("/change-password", {"currentPassword": SECOND, "newPassword": THIRD})
    phone.sign_in(EMAIL, SECOND)


def _reads_the_journal(laptop: Tourist) -> None:
    began = time.monotonic()
    while "other sessions" not in laptop.get("/activity/list?type=SessionsRevoked").content.decode():
        assert time.monotonic() - began < 10
        time.sleep(0.1)
