"""A tour through everything a person and their programs do with API keys, every exchange of which is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.api.browser import BASE, TOKEN_COOKIE, Answer, Browser

EMAIL, GUEST = "ada.programs@example.com", "guest.programs@example.com"
PROGRAM = "DeployOfAda/1.0"
_MAKING = {f"{BASE}/api-key/create", f"{BASE}/api-key/rotate"}
PAGES = (
    "/account/settings",
    "/account/sessions",
    "/account/activity",
    "/account/keys",
    "/organizations",
    "/sign-in",
    "/openapi.json",
    "/docs",
    "/metrics",
    "/readyz",
)


@dataclass(frozen=True)
class Exchange:
    """What was asked for, and the answer."""

    target: str
    answer: Answer

    @property
    def key(self) -> str | None:
        """The key it hands out, if it does."""
        handing = self.target in _MAKING and self.answer.status == 200
        key: str | None = self.answer.json()["key"] if handing else None
        return key

    @property
    def else_(self) -> bytes:
        """All of the answer but the one place in which a key is handed out."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.answer.headers.items())
        body = self.answer.content
        if self.key is not None:
            body = body.replace(f'"key":{json.dumps(self.key)}'.encode(), b"", 1)
        return headers.encode("latin-1") + b"\n" + body


@dataclass
class Evidence:
    """What was seen on the tour; `sees` looks at whatever else shows what is going on, after each exchange."""

    sees: Callable[[], bytes]
    exchanges: list[Exchange] = field(default_factory=list)
    beside: set[bytes] = field(default_factory=set)

    @property
    def keys(self) -> list[str]:
        """Every key that was handed out."""
        return [exchange.key for exchange in self.exchanges if exchange.key is not None]

    def of(self, path: str) -> Iterator[Answer]:
        """The answers of a path, in order."""
        return (one.answer for one in self.exchanges if one.target.partition("?")[0] == f"{BASE}{path}")


class Tourist(Browser):
    """A person's browser, or a program, that leaves its evidence."""

    def __init__(self, url: str, evidence: Evidence) -> None:
        super().__init__(url)
        self.evidence = evidence

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        answer = super().ask(method, target, body, {"User-Agent": PROGRAM, **(headers or {})})
        self.evidence.exchanges.append(Exchange(target, answer))
        self.evidence.beside.add(self.evidence.sees())
        return answer

    def makes(self, **fields: object) -> Any:
        """Make a key; what is told of it this once."""
        answer = self.post("/api-key/create", fields)
        assert answer.status == 200, answer.content
        return answer.json()


def tour(url: str, evidence: Evidence) -> None:
    """Keys are made, looked at, used in each way, mistyped, put where they do not belong, rotated and ended."""
    ada, stranger = Tourist(url, evidence), Tourist(url, evidence)
    ada.sign_up(EMAIL, name="Ada")
    plain = ada.makes(name="deploy")
    bound = ada.makes(name="ci", prefix="ci-", scopes=["read"], metadata={"team": "engines"}, expiresIn=90 * 86_400)
    _looks_at_keys(ada, plain)
    for shown in _shown(plain["key"]):
        _acts(stranger, shown)
    _acts(stranger, {"x-api-key": bound["key"]})
    for mistyped in mistyped_forms(plain["key"]):
        for shown in _shown(mistyped):
            stranger.get("/get-session", shown)
            stranger.post("/organization/create", {"name": 5}, shown)
            stranger.cookies.clear()
    _puts_it_elsewhere(ada, stranger, plain["key"])
    _ends_them(ada, stranger, plain, bound)
    _looks_at_keys(ada, plain)
    for page in PAGES:
        ada.ask("GET", page, None, {"Cookie": ada.cookie_header})
        stranger.ask("GET", page, None, {"x-api-key": plain["key"]})


def mistyped_forms(key: str) -> list[str]:
    """What somebody shows who meant this key."""
    other = "a" if key[-1] != "a" else "b"
    return [
        key[:-1] + other,
        key[:-1],
        key + "0",
        key.swapcase(),
        f"{key}, {key}",
        key[4:],
        quote(f" {key}"),
        f"{key}.",
    ]


def _shown(key: str) -> list[dict[str, str]]:
    return [{"x-api-key": key}, {"Authorization": f"Bearer {key}"}, {"Authorization": key}]


def _acts(program: Tourist, shown: Mapping[str, str]) -> None:
    for path in (
        *("/get-session", "/organization/list", "/list-accounts", "/organization/activity?format=csv"),
        *("/list-sessions", "/activity/list", "/api-key/list", "/nowhere", "/ok"),
    ):
        program.get(path, shown)
    program.post("/get-session", {}, shown)
    program.post("/update-user", {"name": "Ada King"}, shown)
    made = program.post("/organization/create", {"name": "Acme", "slug": f"acme-{len(program.evidence.beside)}"}, shown)
    if made.status == 200:
        fields = {"organizationId": made.json()["id"], "email": GUEST, "role": "member"}
        program.post("/organization/invite-member", fields, shown)
    program.post("/change-password", {"currentPassword": "wrong horse 1", "newPassword": "wrong horse 2"}, shown)
    program.post("/api-key/create", {"name": "offspring"}, shown)
    program.post("/sign-out", {}, shown)
    program.cookies.clear()


def _looks_at_keys(ada: Tourist, key: Any) -> None:
    for path in (f"/api-key/get?id={key['id']}", "/api-key/list", "/api-key/list?limit=1&sortBy=name"):
        ada.get(path)
    ada.get("/activity/list")
    for form in ("json", "ndjson", "csv"):
        ada.get(f"/organization/activity?format={form}")
    ada.get("/list-sessions")


def _puts_it_elsewhere(ada: Tourist, stranger: Tourist, key: str) -> None:
    """Where the secret stands in what is refused, which is told and perhaps logged."""
    for path in (f"/get-session?apiKey={key}", f"/{key}", f"/api-key/get?id={key}", f"/api-key/list?limit={key}"):
        ada.get(path)
        stranger.get(path)
    for path in ("/api-key/delete", "/api-key/rotate", "/api-key/update"):
        ada.post(path, {"keyId": key, "name": "x"})
        ada.post(path, {"keyId": [key]})
    ada.post("/api-key/create", {"name": [key]})
    ada.post("/api-key/create", {"name": "x", "prefix": f"{key}!"})
    ada.post("/api-key/create", {"name": "x", "scopes": [key]})
    ada.post("/api-key/create", {"name": "x", "organizationOnly": key})
    ada.post("/api-key/create", {"name": "x", "configId": key})
    for found in ([key], f"{key * 3}", f" {key[:-1]}"):
        stranger.post("/api-key/report", {"key": found})
    stranger.post("/sign-in/email", {"email": EMAIL, "password": key})
    stranger.ask("POST", f"{BASE}/api-key/report", f'{{"key": "{key}"'.encode(), {"Content-Type": "application/json"})
    stranger.ask("POST", f"{BASE}/api-key/report", key.encode(), {"Content-Type": "text/plain"})
    stranger.ask("GET", f"{BASE}/get-session", None, {"Cookie": f"{TOKEN_COOKIE}={key}"})
    stranger.ask("GET", f"{BASE}/get-session", None, {"Authorization": f"Basic {key}"})
    stranger.ask("GET", f"{BASE}/get-session", None, {"Origin": f"https://{key}.example", "x-api-key": key})
    stranger.cookies.clear()


def _ends_them(ada: Tourist, program: Tourist, plain: Any, bound: Any) -> None:
    ada.post("/api-key/update", {"keyId": bound["id"], "name": "build", "metadata": None, "enabled": False})
    program.get("/organization/list", {"x-api-key": bound["key"]})
    new = ada.post("/api-key/rotate", {"keyId": plain["id"], "expireOldIn": 3600}).json()
    ada.post("/api-key/rotate", {"keyId": plain["id"]})
    _acts(program, {"x-api-key": new["key"]})
    _acts(program, {"x-api-key": plain["key"]})
    for text in (*mistyped_forms(new["key"]), new["key"], new["key"]):
        program.post("/api-key/report", {"key": text})
    _acts(program, {"x-api-key": new["key"]})
    ada.post("/api-key/delete", {"keyId": bound["id"]})
    _acts(program, {"Authorization": bound["key"]})
    last = ada.makes()
    ada.post("/api-key/revoke-all", {})
    _acts(program, {"Authorization": f"Bearer {last['key']}"})
    _acts(program, {"Authorization": f"Bearer {plain['key']}"})
