"""The conventions of every request and answer, and the order in which refusals win (wire.md §1, §2)."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from domain import clock as system_clock
from tests.api.browser import BASE, Browser
from tests.api.conftest import settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import Server, application

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server.url)


@pytest.fixture(scope="module")
def bare(module_database: Database) -> Iterator[Browser]:
    with application(settings_for(module_database, pages="off"), system_clock.now) as url:
        yield Browser(url)


@pytest.mark.parametrize("body", [None, b"{}"])
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"{BASE}/nowhere"),
        ("POST", f"{BASE}/nowhere"),
        ("GET", f"{BASE}/sign-in/email"),
        ("PUT", f"{BASE}/sign-in/email"),
        ("DELETE", f"{BASE}/sign-out"),
        ("GET", f"{BASE}/sign-out"),
        ("POST", f"{BASE}/organization/list"),
        ("POST", f"{BASE}/sign-in/email/"),
        ("POST", f"{BASE}/sign-in//email"),
        ("POST", f"{BASE}/Sign-In/email"),
        ("HEAD", f"{BASE}/organization/list"),
        ("OPTIONS", f"{BASE}/sign-in/email"),
        ("HEAD", f"{BASE}/ok"),
        ("GET", f"{BASE}/ok/"),
        ("GET", f"{BASE}/get-session/"),
        ("GET", f"{BASE}//get-session"),
        ("GET", f"{BASE}/get-session%2F"),
        ("GET", f"{BASE}/Get-session"),
        ("HEAD", f"{BASE}/get-session"),
        ("OPTIONS", f"{BASE}/get-session"),
        ("PUT", f"{BASE}/get-session"),
        ("DELETE", f"{BASE}/get-session"),
        ("GET", BASE),
        ("GET", f"{BASE}/"),
    ],
)
def test_what_is_not_routed_is_an_empty_404(browser: Browser, method: str, target: str, body: bytes | None) -> None:
    answer = browser.ask(method, target, body, JSON)
    assert (answer.status, answer.content) == (404, b"")
    for absent in ("content-type", "location", "allow", "set-cookie", "access-control-allow-origin"):
        assert answer.header(absent) is None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", f"/{BASE}/sign-in/email"),
        ("GET", "/"),
        ("GET", "/get-session"),
        ("GET", "/sign-in"),
        ("HEAD", "/nowhere"),
        ("POST", "/nowhere"),
    ],
)
def test_without_pages_all_else_is_an_empty_404(bare: Browser, method: str, target: str) -> None:
    answer = bare.ask(method, target)
    assert (answer.status, answer.content) == (404, b"")
    assert answer.header("content-type") is None


def test_routing_comes_before_the_media_type_and_the_session(browser: Browser) -> None:
    assert browser.ask("POST", f"{BASE}/nowhere", b"x", {"Content-Type": "text/plain"}).status == 404
    assert browser.ask("POST", f"{BASE}/nowhere", b"{}", {**JSON, "Cookie": "a=b"}).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/ok", None, 200),
        ("GET", "/get-session", None, 200),
        ("GET", "/organization/list", None, 401),
        ("POST", "/sign-out", None, 200),
        ("POST", "/sign-in/email", b"{", 400),
        ("POST", "/sign-in/email", b"{}", 400),
        ("POST", "/sign-in/email", b'{"email":"nobody@example.com","password":"x"}', 401),
    ],
)
def test_answers_are_json_without_a_charset(
    browser: Browser, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = browser.ask(method, f"{BASE}{path}", body, JSON if body else {})
    assert (answer.status, answer.header("content-type")) == (status, "application/json")


def test_nothing_is_the_literal_null(browser: Browser) -> None:
    answer = browser.get("/get-session")
    assert (answer.status, answer.content) == (200, b"null")


def test_the_session_is_never_stored_by_caches(browser: Browser, email: str) -> None:
    for answer in (browser.get("/get-session"), browser.sign_up(email) and browser.get("/get-session")):
        assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")


@pytest.mark.parametrize("media_type", ["text/plain", "TEXT/PLAIN; charset=utf-8", "multipart/form-data", "json"])
def test_another_media_type_is_refused_with_those_allowed(browser: Browser, media_type: str) -> None:
    for path, allowed in (
        ("/sign-in/email", "application/x-www-form-urlencoded, application/json"),
        ("/sign-up/email", "application/x-www-form-urlencoded, application/json"),
        ("/sign-out", "application/json"),
    ):
        answer = browser.ask("POST", f"{BASE}{path}", b"{}", {"Content-Type": media_type})
        assert answer.status == 415
        assert answer.json() == {
            "message": f'Content-Type "{media_type}" is not allowed. Allowed types: {allowed}',
            "code": "UNSUPPORTED_MEDIA_TYPE",
        }


def test_a_form_is_no_body_for_sign_out(browser: Browser) -> None:
    assert browser.ask("POST", f"{BASE}/sign-out", b"a=b", FORM).problem == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_the_media_type_rule_needs_a_body(browser: Browser) -> None:
    assert browser.ask("POST", f"{BASE}/sign-out", None, {"Content-Type": "text/plain"}).status == 200


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x"])
def test_the_media_type_is_the_part_before_the_semicolon_in_any_case(browser: Browser, media_type: str) -> None:
    answer = browser.ask("POST", f"{BASE}/sign-out", b"{}", {"Content-Type": media_type})
    assert answer.status == 200


def test_sign_up_and_sign_in_take_forms(browser: Browser, email: str) -> None:
    fields = {"name": "Ada & Co é", "email": email, "password": PASSWORD}
    answer = browser.ask("POST", f"{BASE}/sign-up/email", urlencode(fields).encode(), FORM)
    assert (answer.status, answer.json()["user"]["name"]) == (200, "Ada & Co é")
    del fields["name"]
    answer = browser.ask("POST", f"{BASE}/sign-in/email", urlencode(fields).encode(), FORM)
    assert (answer.status, answer.json()["user"]["email"]) == (200, email)


def test_a_body_without_a_content_type_is_no_body(browser: Browser) -> None:
    assert browser.ask("POST", f"{BASE}/sign-out", b"not json").status == 200
    body = json.dumps({"email": "nobody@example.com", "password": PASSWORD}).encode()
    assert browser.ask("POST", f"{BASE}/sign-in/email", body).problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("path", ["/ok", "/get-session", "/list-sessions", "/organization/list"])
def test_the_body_of_a_get_is_not_looked_at(browser: Browser, path: str, media_type: str) -> None:
    """As in Better Auth."""
    plain = browser.ask("GET", f"{BASE}{path}")
    asked = browser.ask("GET", f"{BASE}{path}", b"{not json", {"Content-Type": media_type})
    assert (asked.status, asked.content) == (plain.status, plain.content)


def test_the_body_of_a_get_is_bounded_like_any(browser: Browser) -> None:
    large = b"x" * (64 * 1024 + 1)
    assert browser.ask("GET", f"{BASE}/ok", large, JSON).problem == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("path", ["/sign-in/email", "/sign-up/email", "/sign-out"])
@pytest.mark.parametrize("body", [b"{", b"nothing", b'{"a":1,}', b"{'a':1}", b'{"a":1} x', b"\xff", b" "])
def test_malformed_json_is_a_bad_request(browser: Browser, path: str, body: bytes) -> None:
    answer = browser.ask("POST", f"{BASE}{path}", body, JSON)
    assert answer.status == 400
    assert answer.json() == {"message": "Invalid JSON in request body", "code": "BAD_REQUEST"}


def test_unknown_fields_are_ignored_even_those_only_the_server_sets(browser: Browser, email: str) -> None:
    answer = browser.sign_up(email, id="1" * 32, emailVerified=True, role="admin", createdAt=7, hat=[{"a": None}])
    user = answer.json()["user"]
    assert user["id"] != "1" * 32
    assert user["emailVerified"] is False
    assert set(user) == {"id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt"}


def test_a_schema_error_names_every_place(browser: Browser) -> None:
    answer = browser.post("/sign-in/email", {"email": 5})
    assert answer.problem == (400, "VALIDATION_ERROR")
    problems = answer.json()["message"].split("; ")
    assert problems[0] == "[body.email] Invalid input: expected string, received number"
    assert problems[1].startswith("[body.password] Invalid input: ")
    assert problems[1].endswith("received undefined")


def test_a_bad_address_is_a_schema_error_of_sign_up(browser: Browser) -> None:
    answer = browser.sign_up("a@b.c")
    assert answer.json() == {"message": "[body.email] Invalid email address", "code": "VALIDATION_ERROR"}


def test_every_moment_has_three_fractional_digits_and_ends_with_z(browser: Browser, email: str) -> None:
    signed_up = browser.sign_up(email).json()
    found = browser.get("/get-session").json()
    [organization] = browser.get("/organization/list").json()
    moments = [
        *(signed_up["user"][field] for field in ("createdAt", "updatedAt")),
        *(found["user"][field] for field in ("createdAt", "updatedAt")),
        *(found["session"][field] for field in ("createdAt", "updatedAt", "expiresAt", "authenticatedAt")),
        organization["createdAt"],
    ]
    assert all(MOMENT.fullmatch(moment) for moment in moments), moments


def test_ids_and_tokens_are_32_letters_and_digits(browser: Browser, email: str) -> None:
    answer = browser.sign_up(email).json()
    found = browser.get("/get-session").json()
    ids = [answer["token"], answer["user"]["id"], found["session"]["id"], found["session"]["activeOrganizationId"]]
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", value) for value in ids), ids


def test_an_unknown_user_agent_is_the_empty_string_and_a_known_one_verbatim(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    session = browser.session()
    assert (session["userAgent"], session["ipAddress"]) == ("", "127.0.0.1")
    browser.post("/sign-in/email", {"email": email, "password": PASSWORD}, {"User-Agent": "UA-ada/1.0 (x; y)"})
    assert browser.session()["userAgent"] == "UA-ada/1.0 (x; y)"


def test_an_address_and_a_user_agent_nobody_knows_any_more_are_empty_strings_not_null(
    browser: Browser, email: str, module_database: Database
) -> None:
    browser.sign_up(email)
    module_database.rows("UPDATE session_list SET ip_address = NULL, user_agent = NULL")
    session = browser.session()
    assert (session["userAgent"], session["ipAddress"]) == ("", "")


def test_a_bad_origin_wins_over_a_schema_error_but_not_over_bad_json(browser: Browser) -> None:
    for path in ("/sign-in/email", "/sign-up/email"):
        sent = {**JSON, "Cookie": "a=b", "Origin": "https://evil.example"}
        assert browser.ask("POST", f"{BASE}{path}", b"{", sent).problem == (400, "BAD_REQUEST")
        assert browser.ask("POST", f"{BASE}{path}", b"{}", sent).problem == (403, "INVALID_ORIGIN")
        text = {**sent, "Content-Type": "text/plain"}
        assert browser.ask("POST", f"{BASE}{path}", b"x", text).problem == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_the_origin_wins_over_the_callback_and_the_callback_over_the_schema(browser: Browser) -> None:
    body = {"callbackURL": "https://evil.example"}
    evil = {"Cookie": "a=b", "Origin": "https://evil.example"}
    assert browser.post("/sign-in/email", body, evil).problem == (403, "INVALID_ORIGIN")
    assert browser.post("/sign-in/email", body, {"Cookie": "a=b"}).problem == (403, "INVALID_CALLBACK_URL")


def test_without_a_cookie_the_schema_wins_over_the_origin(browser: Browser) -> None:
    sent = {**JSON, "Origin": "https://evil.example"}
    for path in ("/sign-in/email", "/sign-up/email"):
        assert browser.ask("POST", f"{BASE}{path}", b"{}", sent).problem == (400, "VALIDATION_ERROR")


def test_get_session_by_post_is_refused_as_the_reference_refuses_it(server: Server) -> None:
    answer = httpx.post(f"{server.url}/api/auth/get-session", json={})
    assert answer.status_code == 405
    assert answer.json() == {
        "code": "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        "message": "POST method requires deferSessionRefresh to be enabled in session config",
    }


def test_a_body_that_stops_arriving_is_given_up(server: Server) -> None:
    with socket.create_connection(("localhost", httpx.URL(server.url).port or 0), timeout=12) as stalled:
        stalled.sendall(
            b"POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"email":'
        )
        assert stalled.recv(4096).startswith(b"HTTP/1.1 408 ")
