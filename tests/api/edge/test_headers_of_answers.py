"""What every answer says to browsers and caches, whatever it is about (RFC 9111 §5.2.2.5, wire.md A19)."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from base64 import b64encode
from hashlib import sha256
from http.client import HTTPResponse

import httpx
import pytest

from api.app import create_app
from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import settings_for
from tests.databases import Database
from tests.server import Server

SETTINGS = {"TRUSTED_ORIGINS": "https://app.example.com", "RATE_LIMIT": "off"}
APP = "https://app.example.com"
EVIL = "https://evil.example"
JSON = {"Content-Type": "application/json"}
BESIDE = [
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/openapi.json"),
    ("GET", "/nowhere"), ("HEAD", "/"), ("POST", "/healthz"),
]  # fmt: skip
"""What is not the contract's, and may be kept."""


@pytest.fixture(scope="module")
def routes(server: Server) -> list[tuple[str, str]]:
    """Every method and path there is below the base path, and some that there are not."""
    document = Browser(server.url).ask("GET", "/openapi.json").json()
    found = [(method.upper(), path) for path, entry in document["paths"].items() for method in entry]
    contract = [(method, path) for method, path in found if path.startswith(BASE)]
    assert len(contract) > 40
    return [*contract, ("GET", f"{BASE}/nowhere"), ("OPTIONS", f"{BASE}/ok"), ("POST", f"{BASE}/get-session/")]


def assert_guarded(answer: Answer) -> None:
    """No browser guesses its type, no cache keeps it, and none takes it for one to another page."""
    assert answer.headers.get_all("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_all("cache-control") == ["no-store"]
    assert answer.headers.get_all("vary") == ["Origin"]


@pytest.mark.parametrize("origin", [None, APP, EVIL])
@pytest.mark.parametrize("signed_in", [False, True])
def test_every_answer_of_the_contract_is_guarded(
    server: Server, routes: list[tuple[str, str]], email: str, origin: str | None, signed_in: bool
) -> None:
    browser, page = Browser(server.url), {} if origin is None else {"Origin": origin}
    seen = set[int]()
    for method, path in routes:
        if signed_in and "session_token" not in str(browser.cookies):
            browser.sign_up(f"{len(seen)}.{email}")
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        sent = {**JSON, **page, **(cookies if signed_in else {})}
        for body in (None, b"{", b"{}") if method == "POST" else (None,):
            answer = browser.ask(method, path, body, sent if body else {**page, **(cookies if signed_in else {})})
            assert_guarded(answer)
            seen.add(answer.status)
            trusted = answer.header("access-control-allow-origin")
            assert trusted == (APP if origin == APP else None)
    assert {200, 400, 404} <= seen
    assert (403 in seen) == (signed_in and origin != APP)
    assert signed_in or 401 in seen


def test_what_hands_a_session_out_or_takes_it_away_is_guarded(server: Server, email: str) -> None:
    browser = Browser(server.url)
    for answer in (
        browser.sign_up(email, callbackURL="/welcome"),
        browser.sign_in(email, callbackURL="/welcome"),
        browser.get("/get-session"),
        browser.get("/organization/get-full-organization"),
        browser.get("/organization/list-members"),
        browser.get("/organization/list-members?limit=1"),
        browser.get("/organization/get-active-member"),
        browser.get("/list-accounts"),
        browser.get("/organization/activity?format=csv"),
        browser.post("/update-user", {"name": "Ada King"}),
        browser.post("/revoke-sessions"),
        browser.post("/sign-out"),
    ):
        assert answer.status == 200
        assert_guarded(answer)


@pytest.mark.parametrize(("method", "path"), BESIDE)
def test_what_is_beside_the_contract_is_not_guessed_at_either(server: Server, method: str, path: str) -> None:
    answer = Browser(server.url).ask(method, path)
    assert answer.headers.get_all("x-content-type-options") == ["nosniff"]
    assert answer.header("access-control-allow-origin") is None


def test_the_documentation_lets_run_only_what_is_ours(server: Server) -> None:
    answer = Browser(server.url).ask("GET", "/docs")
    policy = dict(part.split(" ", 1) for part in (answer.header("content-security-policy") or "").split("; "))
    for kind in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert policy.pop(kind) == "'none'"
    [inline] = re.findall(r"<script>(.*?)</script>", answer.content.decode(), re.DOTALL)
    said = b64encode(sha256(inline.encode()).digest()).decode()
    assert policy.pop("script-src").split() == ["'self'", f"'sha256-{said}'"]
    assert not [value for value in policy.values() if "*" in value or "http" in value or "eval" in value]


def test_scripts_and_styles_of_the_documentation_may_be_kept(server: Server) -> None:
    page = Browser(server.url).ask("GET", "/docs").content.decode()
    script = page.partition('src="')[2].partition('"')[0]
    answer = Browser(server.url).ask("GET", script)
    assert (answer.status, answer.header("x-content-type-options"), answer.header("cache-control")) == (
        200,
        "nosniff",
        None,
    )


def test_a_preflight_is_guarded(server: Server) -> None:
    asks = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    answer = Browser(server.url).ask("OPTIONS", f"{BASE}/sign-in/email", None, asks)
    assert answer.status == 204
    assert_guarded(answer)


def test_a_page_of_an_error_too(server: Server) -> None:
    answer = Browser(server.url).ask("GET", f"{BASE}/error?error=X")
    assert answer.status == 200
    assert_guarded(answer)


@pytest.mark.parametrize(
    "host", ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: \r\n", "Host: :80\r\n", "Host: a:99999999\r\n"]
)
def test_what_is_wrongly_addressed_is_refused_as_guardedly(server: Server, host: str) -> None:
    with socket.create_connection(("localhost", int(str(server.port))), timeout=10) as connection:
        connection.sendall(f"GET {BASE}/get-session HTTP/1.1\r\n{host}Origin: {EVIL}\r\n\r\n".encode())
        response = HTTPResponse(connection)
        response.begin()
        answer = Answer(response.status, response.headers, response.read())
    assert answer.problem == (400, "BAD_REQUEST")
    assert_guarded(answer)


def test_before_the_database_was_ever_there_it_is_guarded_too(module_database: Database) -> None:
    async def asked(host: str) -> httpx.Response:
        not_opened = httpx.ASGITransport(create_app(settings_for(module_database)))
        async with httpx.AsyncClient(transport=not_opened, base_url="http://localhost") as client:
            return await client.get(f"{BASE}/ok", headers={"Host": host})

    for host, status in (("localhost", 503), ("a b", 400)):
        answer = asyncio.run(asked(host))
        assert answer.status_code == status
        assert [answer.headers[name] for name in ("cache-control", "vary")] == ["no-store", "Origin"]


def test_too_much_is_refused_as_guardedly(server: Server) -> None:
    body = json.dumps({"name": "x" * 70_000}).encode()
    answer = Browser(server.url).ask("POST", f"{BASE}/sign-up/email", body, JSON)
    assert answer.status == 413
    assert_guarded(answer)
