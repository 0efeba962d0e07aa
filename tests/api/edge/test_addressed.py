"""One Host header for every request, whatever it asks (RFC 9112 §3.2); and one sender, else the worst counts."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

import pytest

from tests.api.browser import BASE, Browser
from tests.server import Server

SETTINGS = {"BASE_URL": "https://accounts.example.com", "TRUSTED_ORIGINS": "https://app.example.com"}
OURS, APP, EVIL = "https://accounts.example.com", "https://app.example.com", "https://evil.example"
PATHS = ["/healthz", "/docs", "/nowhere", f"{BASE}/ok", f"{BASE}/get-session", f"{BASE}/organization/list-members"]


def asked(server: Server, lines: Sequence[str], *, version: str = "1.1", target: str = f"{BASE}/ok") -> tuple[int, str]:
    """Status and code of a GET with exactly these header lines; and that a refusal ends the connection."""
    return sent(server, "GET", lines, version=version, target=target)


def sent(server: Server, method: str, lines: Sequence[str], *, version: str = "1.1", target: str) -> tuple[int, str]:
    """Status and code of a request without a body."""
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *lines, "Connection: close", "", ""])
    with socket.create_connection(("localhost", int(str(server.port))), timeout=10) as connection:
        connection.sendall(head.encode("latin-1"))
        raw = b""
        while chunk := connection.recv(65_536):
            raw += chunk
    answer, _, body = raw.partition(b"\r\n\r\n")
    status = int(answer.split()[1])
    assert b"x-content-type-options: nosniff" in answer.lower()
    return status, json.loads(body)["code"] if status in (400, 403) else ""


@pytest.mark.parametrize("target", PATHS)
def test_without_a_host_or_with_two_nothing_is_answered(server: Server, target: str) -> None:
    right = asked(server, ["Host: localhost"], target=target)
    assert right[0] != 400
    assert asked(server, [], target=target) == (400, "BAD_REQUEST")
    assert asked(server, ["Host: localhost", "Host: localhost"], target=target) == (400, "BAD_REQUEST")
    assert asked(server, ["Host: localhost", "X-A: b", "hOST: evil.example"], target=target) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "[::1]:8000", "127.0.0.1", "a_b.example", "a:"])
def test_a_host_may_be_any_name(server: Server, host: str) -> None:
    assert asked(server, [f"Host: {host}"]) == (200, "")


@pytest.mark.parametrize(
    "host",
    [
        "a, b",
        "a b",
        "http://a",
        "a/b",
        "a@b",
        "user:pw@a",
        "a:b",
        "[::1",
        "a\\b",
        "a?b",
        "ü.example",
        "a:1:2",
        "",
        ":80",
        "a:123456",
    ],
)
def test_what_is_no_host_is_refused(server: Server, host: str) -> None:
    assert asked(server, [f"Host: {host}"]) == (400, "BAD_REQUEST")


def test_http_1_0_does_not_know_the_header(server: Server) -> None:
    assert asked(server, [], version="1.0") == (200, "")


def test_what_calls_itself_a_later_version_does(server: Server) -> None:
    assert asked(server, [], version="2.0") == (400, "BAD_REQUEST")
    assert asked(server, ["Host: a", "Host: b"], version="1.0") == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("origins", "answered"),
    [
        ([OURS], (200, "")),
        ([OURS, APP], (200, "")),
        ([OURS, EVIL], (403, "INVALID_ORIGIN")),
        ([EVIL, OURS], (403, "INVALID_ORIGIN")),
        ([OURS, "null"], (403, "MISSING_OR_NULL_ORIGIN")),
        ([OURS, ""], (403, "MISSING_OR_NULL_ORIGIN")),
        ([f"{OURS}, {EVIL}"], (403, "INVALID_ORIGIN")),
    ],
)
def test_of_two_senders_the_worse_counts(server: Server, origins: list[str], answered: tuple[int, str]) -> None:
    lines = ["Host: localhost", "Cookie: a=b", *(f"Origin: {origin}" for origin in origins)]
    assert sent(server, "POST", lines, target=f"{BASE}/sign-out") == answered


def test_the_operator_is_not_told_of_the_trusted_one_of_two(server: Server) -> None:
    for trusted in (OURS, APP):
        lines = ["Host: localhost", "Cookie: a=b", f"Origin: {trusted}", f"Origin: {EVIL}"]
        assert sent(server, "POST", lines, target=f"{BASE}/sign-out")[0] == 403
    told = [line for line in server.log.read_text().splitlines() if "Pages of " in line]
    assert any(f"Pages of {EVIL} are refused" in line for line in told)
    assert not any(f"Pages of {trusted} are refused" in line for line in told for trusted in (OURS, APP))


def test_two_senders_are_given_no_answer_to_read(server: Server) -> None:
    lines = ["Host: localhost", f"Origin: {APP}", f"Origin: {EVIL}"]
    with socket.create_connection(("localhost", int(str(server.port))), timeout=10) as connection:
        head = "\r\n".join([f"GET {BASE}/get-session HTTP/1.1", *lines, "Connection: close", "", ""])
        connection.sendall(head.encode())
        assert b"access-control-allow-origin" not in connection.recv(65_536).lower()


def test_a_page_that_names_no_referrer_can_post_behind_a_proxy_that_renames_the_host(server: Server) -> None:
    """docs/running.md promises proxies, and browsers vouch for the page, not for what a proxy calls us."""
    vouched = {"Host": "daybook:8000", "Origin": "null", "Sec-Fetch-Site": "same-origin", "Cookie": "a=b"}
    browser = Browser(server.url, origin=OURS)
    assert browser.ask("POST", f"{BASE}/sign-out", None, vouched).status == 200
    for site in ("cross-site", "same-site", "none"):
        answer = browser.ask("POST", f"{BASE}/sign-out", None, {**vouched, "Sec-Fetch-Site": site})
        assert answer.problem == (403, "MISSING_OR_NULL_ORIGIN")


def test_the_operator_is_told_once_of_each_origin_that_is_refused(server: Server) -> None:
    browser = Browser(server.url)
    for origin in (
        "http://127.0.0.1:48000",
        "http://127.0.0.1:48000",
        "nonsense\u00e9",
        "null",
        "https://shop.example",
    ):
        for _ in range(3):
            browser.ask("POST", f"{BASE}/sign-out", None, {"Cookie": "a=b", "Origin": origin})
    lines = [line for line in server.log.read_text().splitlines() if "TRUSTED_ORIGINS" in line]
    told = [line for line in lines if "http://127.0.0.1:48000" in line]
    # one each, of two workers
    assert 1 <= len(told) <= 2
    assert "DAYBOOK_BASE_URL (https://accounts.example.com)" in told[0]
    assert any("https://shop.example " in line for line in lines)
    assert not any("nonsense" in line or "null" in line for line in lines)
    for number in range(60):
        browser.ask("POST", f"{BASE}/sign-out", None, {"Cookie": "a=b", "Origin": f"https://{number}.example"})
    assert len([line for line in server.log.read_text().splitlines() if "TRUSTED_ORIGINS" in line]) <= 2 * 20
