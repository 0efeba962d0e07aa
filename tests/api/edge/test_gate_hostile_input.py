"""Whatever is sent is answered with what the contract has, never with a 5xx (wire.md §3)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.browser import BASE, CLEARED, Answer, Browser, signed
from tests.server import Server

JSON = {"Content-Type": "application/json"}

MALFORMED = {
    "1e400": b"1e400",
    "5000 digits": b"9" * 5_000,
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "escaped NUL": rb'"a\u0000b"',
    "raw NUL": b'"a\0b"',
    "lone surrogate": rb'"\ud800"',
    "surrogate in utf-8": b'"\xed\xa0\x80"',
    "not utf-8": b'"\xff\xfe"',
    "20,000 deep": b"[" * 20_000 + b"]" * 20_000,
    "20,000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "leading zero": b"007",
    "nothing": b"",
}
TOO_LARGE = {"1 MiB": b'"' + b"x" * (1 << 20) + b'"', "100,000 deep": b"[" * 100_000 + b"]" * 100_000}
WRONG_TYPE = {"null": b"null", "0": b"0", "-1": b"-1", "1.5": b"1.5", "[]": b"[]", "{}": b"{}"}
VALIDATION_ERROR = (400, "VALIDATION_ERROR")
SHORT = (400, "PASSWORD_TOO_SHORT")
NOBODY = (401, "INVALID_EMAIL_OR_PASSWORD")

SIGN_UP: dict[str, object] = {
    "name": "Ada",
    "email": "ada@example.com",
    "password": "short",
    "image": "https://example.com/ada.png",
    "callbackURL": "/",
    "rememberMe": False,
}
SIGN_IN: dict[str, object] = {
    "email": "nobody@example.com",
    "password": "correct horse 1",
    "callbackURL": "/",
    "rememberMe": False,
}
FIELDS = [("/sign-up/email", field) for field in SIGN_UP] + [("/sign-in/email", field) for field in SIGN_IN]
EMPTY_STRING = {
    ("/sign-up/email", "email"): VALIDATION_ERROR,
    ("/sign-up/email", "password"): VALIDATION_ERROR,
    ("/sign-up/email", "rememberMe"): VALIDATION_ERROR,
    ("/sign-in/email", "email"): (400, "INVALID_EMAIL"),
    ("/sign-in/email", "rememberMe"): VALIDATION_ERROR,
}
"""Elsewhere an empty string is a value like any other, or counts as not given."""


@pytest.fixture(scope="module", autouse=True)
def _nothing_unexpected_was_logged(server: Server) -> Iterator[None]:
    yield
    assert "unexpected" not in server.log.read_text()


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server.url)


def sent(browser: Browser, path: str, field: str, raw: bytes) -> Answer:
    """A body whose one field is this text, the others as they should be."""
    fields = SIGN_UP if path == "/sign-up/email" else SIGN_IN
    members = [json.dumps(name).encode() + b":" + json.dumps(value).encode() for name, value in fields.items()
               if name != field]  # fmt: skip
    body = b"{" + b",".join([*members, json.dumps(field).encode() + b":" + raw]) + b"}"
    answer = browser.ask("POST", f"{BASE}{path}", body, JSON)
    assert set(answer.json()) <= {"message", "code"}
    assert answer.set_cookies == []
    return answer


def otherwise(path: str) -> tuple[int, str]:
    """What the body is refused with where nothing is wrong with its types."""
    return SHORT if path == "/sign-up/email" else NOBODY


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_what_is_no_json_is_a_bad_request_wherever_it_stands(
    browser: Browser, path: str, field: str, kind: str
) -> None:
    assert sent(browser, path, field, MALFORMED[kind]).problem == (400, "BAD_REQUEST")


@pytest.mark.parametrize("kind", TOO_LARGE)
@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_more_than_64_kib_is_too_large(browser: Browser, path: str, field: str, kind: str) -> None:
    assert sent(browser, path, field, TOO_LARGE[kind]).problem == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("kind", WRONG_TYPE)
@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_value_of_the_wrong_type_is_a_schema_error(browser: Browser, path: str, field: str, kind: str) -> None:
    answer = sent(browser, path, field, WRONG_TYPE[kind])
    if field == "callbackURL" and kind != "null":
        assert (answer.status, answer.json()) == (400, {"message": "Invalid callbackURL: expected a string"})
    else:
        assert answer.problem == VALIDATION_ERROR
        assert answer.json()["message"].startswith(f"[body.{field}] Invalid input")


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_true_is_right_for_a_flag_only(browser: Browser, path: str, field: str) -> None:
    wrong = (400, None) if field == "callbackURL" else VALIDATION_ERROR
    assert sent(browser, path, field, b"true").problem == (otherwise(path) if field == "rememberMe" else wrong)


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_an_empty_string_is_what_the_field_says_it_is(browser: Browser, path: str, field: str) -> None:
    assert sent(browser, path, field, b'""').problem == EMPTY_STRING.get((path, field), otherwise(path))


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_field_that_stands_twice_is_a_bad_request(browser: Browser, path: str, field: str) -> None:
    twice = b'"a","' + field.encode() + b'":"b"'
    assert sent(browser, path, field, twice).problem == (400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/sign-up/email", "/sign-in/email"])
@pytest.mark.parametrize("body", [b"null", b"true", b"0", b'"text"', b"[]", b"[{}]"])
def test_a_body_that_is_no_object_is_a_schema_error(browser: Browser, path: str, body: bytes) -> None:
    assert browser.ask("POST", f"{BASE}{path}", body, JSON).problem == VALIDATION_ERROR


@given(body=st.binary(max_size=200), form=st.booleans())
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_a_client_error(browser: Browser, body: bytes, form: bool) -> None:
    media_type = "application/x-www-form-urlencoded" if form else "application/json"
    for path in ("/sign-up/email", "/sign-in/email"):
        answer = browser.ask("POST", f"{BASE}{path}", body, {"Content-Type": media_type})
        assert answer.problem in (VALIDATION_ERROR, (400, "BAD_REQUEST"))


@pytest.mark.parametrize(
    "body", [b"email=%ff", b"email=a&email=b", b"email=%00", b"\xff=a", b"email=\0", b"%ff=a", b"email=%ed%a0%80"]
)
def test_a_form_that_cannot_be_read_one_way_only_is_a_bad_request(browser: Browser, body: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.ask("POST", f"{BASE}/sign-in/email", body, form).problem == (400, "BAD_REQUEST")


NAME = b"better-auth.session_token="
UNSIGNED_COOKIES = {
    "invalid utf-8": NAME + b"\xff\xfe",
    "a surrogate": NAME + b"\xed\xa0\x80." + b"\xed\xa0\x80" * 14 + b"x=",
    "percent junk": NAME + b"%ff%fe%00%.%zz%",
    "a newline within": NAME + b"%0d%0aSet-Cookie:%20a=b",
    "half a signature": NAME + b"a.b",
    "a signature of nothing": NAME + b"." + b"A" * 43 + b"=",
    "a wrong signature": NAME + b"a" * 32 + b"." + b"A" * 43 + b"=",
    "a signature that is not ASCII": NAME + b"a." + b"\xe9" * 43 + b"=",
    "quotes": NAME + b'"',
    "only separators": b";;;=;=;;",
    "30,000 bytes": NAME + b"x" * 30_000,
    "30,000 bytes of another": b"other=" + b"y" * 30_000,
    "hundreds of twins": b"; ".join([NAME + b"a." + b"A" * 43 + b"="] * 350),
    "nothing": b"",
}


def by_hand(server: Server, path: str, *headers: bytes) -> bytes:
    """The whole answer to a GET with exactly these header lines."""
    port = urlsplit(server.url).port
    assert port is not None
    request = b"\r\n".join([f"GET {BASE}{path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers])
    with socket.create_connection(("localhost", port), timeout=15) as connection:
        connection.sendall(request + b"\r\n\r\n")
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize("kind", UNSIGNED_COOKIES)
def test_a_cookie_we_did_not_sign_is_nobody_and_clears_nothing(server: Server, kind: str) -> None:
    header = b"Cookie: " + UNSIGNED_COOKIES[kind]
    nobody = by_hand(server, "/get-session", header)
    assert nobody.startswith(b"HTTP/1.1 200 ")
    assert nobody.endswith(b"\r\n\r\nnull")
    refused = by_hand(server, "/organization/list", header)
    assert refused.startswith(b"HTTP/1.1 401 ")
    assert b"set-cookie" not in (nobody + refused).lower()


@pytest.mark.parametrize(
    "line",
    [
        b"User-Agent: \xff\xfe",
        b"User-Agent: " + b"x" * 30_000,
        b"Origin: \xff",
        b"Origin: https://[::1",
        b"Referer: \xed\xa0\x80",
        b"X-Forwarded-For: " + b"1.2.3.4, " * 3_000,
        b"Authorization: Bearer \xff",
        b"Content-Type: \xff",
        b"Content-Length: 0",
    ],
)
def test_strange_headers_do_not_matter(server: Server, line: bytes) -> None:
    assert by_hand(server, "/get-session", line).startswith(b"HTTP/1.1 200 ")
    assert by_hand(server, "/organization/list", line).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("line", [b"Cookie: a=\0", b"User-Agent: \0", b"X-\xff: a", b"no colon", b"Content-Length: x"])
def test_what_is_no_http_is_a_bad_request(server: Server, line: bytes) -> None:
    for path in ("/get-session", "/organization/list"):
        assert by_hand(server, path, line).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "query", ["?disableRefresh=%00", "?%ff=%ff", "?disableRefresh", "?" + "a&" * 10_000, "?disableRefresh=1&" * 50]
)
def test_strange_queries_do_not_matter(server: Server, query: str) -> None:
    assert by_hand(server, f"/get-session{query}").startswith(b"HTTP/1.1 200 ")
    assert by_hand(server, f"/organization/list{query}").startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("value", ["true", "x" * 10_000, "é", "a.b", "01890000000070008000000000000001"])
def test_a_signed_word_that_is_no_session_is_a_dead_one(browser: Browser, value: str) -> None:
    browser.cookies["better-auth.session_token"] = signed(value)
    answer = browser.get("/get-session")
    assert (answer.json(), answer.set_cookies) == (None, CLEARED)


def test_a_strange_browser_can_sign_up_all_the_same(browser: Browser, email: str) -> None:
    body = json.dumps({"name": "\u202e💥\t", "email": email, "password": "correct horse 1"}).encode()
    agent = b"\xff" * 5_000
    answer = browser.ask("POST", f"{BASE}/sign-up/email", body, {**JSON, "User-Agent": agent})
    assert (answer.status, answer.json()["user"]["name"]) == (200, "\u202e💥\t")
