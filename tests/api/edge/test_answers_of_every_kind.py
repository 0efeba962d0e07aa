"""Every kind of answer below the base path depends on the page that asks, and is kept by no cache (wire.md A19).

Beside `test_headers_of_answers.py`, which asks every route: here what no route answers, and what stands in for one.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from api.app import create_app
from api.edge.client_address import ClientAddresses
from api.edge.request_context import RequestContext
from api.edge.response_writer import ResponseWriter
from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import Server, application, served

APP = "https://app.example.com"
EVIL = "https://evil.example"
SETTINGS = {"TRUSTED_ORIGINS": APP, "RATE_LIMIT": "off"}
JSON = {"Content-Type": "application/json"}
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

KINDS = [
    ("the base path itself", "GET", "", None, {}, 404),
    ("the base path with a slash", "GET", "/", None, {}, 404),
    ("nothing is there", "GET", "/nowhere", None, {}, 404),
    ("a path written otherwise", "GET", "//ok", None, {}, 404),
    ("another method", "DELETE", "/ok", None, {}, 404),
    ("a head only", "HEAD", "/ok", None, {}, 404),
    ("an answer", "GET", "/ok", None, {}, 200),
    ("nobody", "GET", "/get-session", None, {}, 200),
    ("nobody who may", "GET", "/organization/list", None, {}, 401),
    ("a page", "GET", "/error?error=X", None, {}, 200),
    ("a refused page", "POST", "/sign-out", None, {"Cookie": "a=b"}, 403),
    ("a refused target", "POST", "/sign-out", b'{"callbackURL":"https://evil.example"}', JSON, 403),
    ("no such method here", "POST", "/get-session", None, {}, 405),
    ("malformed", "POST", "/sign-in/email", b"{", JSON, 400),
    ("lacking", "POST", "/sign-in/email", b"{}", JSON, 400),
    ("of another type", "POST", "/sign-in/email", b"<a/>", {"Content-Type": "text/xml"}, 415),
    ("too large", "POST", "/sign-in/email", b"{" + b" " * 70_000, JSON, 413),
    ("a preflight", "OPTIONS", "/sign-in/email", None, PREFLIGHT, 204),
    ("a preflight of nothing", "OPTIONS", "/nowhere", None, PREFLIGHT, 204),
    ("options", "OPTIONS", "/ok", None, {}, 404),
]
"""What is asked, and the status for a page of a trusted origin."""


def assert_guarded(answer: Answer) -> None:
    assert answer.headers.get_all("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_all("cache-control") == ["no-store"]
    assert answer.headers.get_all("vary") == ["Origin"]


@pytest.mark.parametrize("origin", [None, APP, EVIL, "null", "nonsense"])
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS]
)
def test_every_kind_of_answer_depends_on_the_page_and_is_not_kept(
    server: Server,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    status: int,
    origin: str | None,
) -> None:
    page = {} if origin is None else {"Origin": origin}
    answer = Browser(server.url).ask(method, f"{BASE}{path}", body, {**headers, **page})
    assert_guarded(answer)
    if origin == APP and headers.get("Cookie") is None:
        assert answer.status == status


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("origin", [None, APP, EVIL])
def test_downloads_too(server: Server, email: str, form: str, origin: str | None) -> None:
    browser = Browser(server.url)
    browser.sign_up(email)
    page = {} if origin is None else {"Origin": origin}
    answer = browser.get(f"/organization/activity?format={form}", page)
    assert answer.status == 200
    assert_guarded(answer)
    assert answer.header("access-control-allow-origin") == (APP if origin == APP else None)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"GET {BASE}/ok HTTP/1.1\r\nHost: localhost\r\nOrigin: {APP}\r\nX: {'y' * 40_000}\r\n\r\n", 431),
        (f"GET {BASE}/ok HTTP/1.1\r\nHost: localhost\r\nOrigin: {APP}\r\nno header\r\n\r\n", 400),
        (f"GET {BASE}/ok HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
    ],
    ids=["too large", "no header", "no version"],
)
def test_what_is_refused_before_it_is_understood_too(server: Server, head: str, status: int) -> None:
    with socket.create_connection(("localhost", int(str(server.port))), timeout=10) as connection:
        connection.sendall(head.encode())
        response = HTTPResponse(connection)
        response.begin()
        answer = Answer(response.status, response.headers, response.read())
    assert answer.status == status
    assert answer.header("connection") == "close"
    assert_guarded(answer)


@pytest.mark.parametrize("origin", [None, APP, EVIL])
@pytest.mark.parametrize(("method", "path"), [(kind[1], kind[2]) for kind in KINDS])
def test_while_nothing_is_there_too(module_database: Database, method: str, path: str, origin: str | None) -> None:
    async def asked() -> httpx.Response:
        not_opened = httpx.ASGITransport(create_app(settings_for(module_database, trusted_origins=APP)))
        async with httpx.AsyncClient(transport=not_opened, base_url="http://localhost") as client:
            page = {} if origin is None else {"Origin": origin}
            return await client.request(method, f"http://localhost{BASE}{path}", headers={**page, **PREFLIGHT})

    answer = asyncio.run(asked())
    assert answer.status_code == (503 if path else 404)
    assert [answer.headers.get(name) for name in ("cache-control", "vary")] == ["no-store", "Origin"]


def test_what_is_cut_off_at_the_end_too(module_database: Database, tmp_path: Path) -> None:
    with served(tmp_path / "log", {"DATABASE_URL": module_database.application_url, "WORKERS": 1}) as server:
        answer = cut_off(server)
    assert answer.problem == (503, "SERVICE_UNAVAILABLE")
    assert_guarded(answer)


def cut_off(server: Server) -> Answer:
    """What is said to whoever has not sent their body when the server ends."""
    head = f"POST {BASE}/sign-in/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("localhost", int(str(server.port))), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: 10\r\nExpect: 100-continue\r\n\r\n".encode())
        # the body is being waited for
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        response = HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())


@pytest.fixture(scope="module")
def limited(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where an application answers that has limits, and a page of its own for errors."""
    settings = settings_for(
        module_database, base_url="https://accounts.example.com", trusted_origins=APP, rate_limit="on"
    )
    with application(settings, module_clock) as url:
        yield url


@pytest.mark.parametrize("origin", [None, APP, EVIL])
def test_a_redirect_and_too_many_requests_too(limited: str, origin: str | None) -> None:
    browser, page = Browser(limited), {} if origin is None else {"Origin": origin}
    redirect = browser.ask("GET", f"{BASE}/error?error=X", None, page)
    assert (redirect.status, redirect.header("location")) == (302, "/?error=X")
    assert_guarded(redirect)
    statuses = set[int]()
    for _ in range(6):
        answer = browser.ask("POST", f"{BASE}/sign-in/email", b"{}", {**JSON, **page})
        assert_guarded(answer)
        statuses.add(answer.status)
    assert 429 in statuses


@pytest.mark.parametrize("said", [b"public, max-age=3600", b"private", b"no-store"])
def test_no_route_can_have_its_answer_kept(said: bytes) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, object] = {"method": "GET", "path": f"{BASE}/x", "headers": [], "client": None}
    request = RequestContext.of(scope, datetime(2026, 1, 1, tzinfo=UTC), ClientAddresses(()))
    start = {"type": "http.response.start", "status": 200, "headers": [(b"cache-control", said), (b"etag", b'"1"')]}
    asyncio.run(ResponseWriter(send, request)(start))
    headers = sent[0]["headers"]
    assert [value for name, value in headers if name == b"cache-control"] == [b"no-store"]
    assert (b"etag", b'"1"') in headers
