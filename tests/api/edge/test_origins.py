"""Trusted origins and the checks against forged requests: wire.md §4.1 to §4.3."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.edge.origins import TrustedOrigins, forbidden_origin, forbidden_sign_in

HERE = TrustedOrigins("http://localhost:3000")
SHOP = TrustedOrigins("https://x.io", ("https://*.example.com", "http://localhost:*", "*.wild.io", "https://app.io"))


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "http://localhost:3000/",
        "HTTP://LocalHost:3000",
        "http://localhost:3000/any/path?a=b#c",
        "http://localhost:03000",
    ],
)
def test_our_own_origin_is_trusted_whatever_the_case_and_path(origin: str) -> None:
    assert HERE.trusts(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:3000",
        "http://localhost",
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.com",
        "http://evil.com/http://localhost:3000",
        "http://evil.com?http://localhost:3000",
    ],
)
def test_host_port_and_scheme_all_matter(origin: str) -> None:
    assert not HERE.trusts(origin)


def test_a_default_port_may_be_written_or_left_out() -> None:
    for base_url in ("https://x.io", "https://x.io:443", "https://x.io/api"):
        trusted = TrustedOrigins(base_url)
        assert trusted.trusts("https://x.io")
        assert trusted.trusts("https://x.io:443")
        assert not trusted.trusts("https://x.io:80")
        assert not trusted.trusts("http://x.io:443")
    assert TrustedOrigins("http://x.io:80").trusts("http://x.io")
    assert TrustedOrigins("https://a.io", ("https://x.io:443",)).trusts("https://x.io")
    assert TrustedOrigins("https://a.io", ("https://x.io",)).trusts("https://x.io:443")


@pytest.mark.parametrize(
    ("origin", "trusted"),
    [
        ("https://a.example.com", True),
        ("https://a.b.c.example.com", True),
        ("https://A.Example.COM", True),
        ("https://a.example.com:443", True),
        ("https://example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://a.example.com.evil.io", False),
        ("https://aexample.com", False),
        ("https://evil.io/.example.com", False),
        ("https://evil.io#.example.com", False),
        ("https://.example.com", False),
        ("http://localhost:1", True),
        ("http://localhost:65535", True),
        ("http://localhost", True),
        ("http://localhost:65536", False),
        ("https://localhost:3000", False),
        ("http://localhost:3000@evil.io", False),
        ("http://a.wild.io", True),
        ("https://a.b.wild.io", True),
        ("https://wild.io", False),
        ("https://a.wild.io:8443", False),
        ("https://app.io", True),
        ("http://app.io", False),
        ("https://sub.app.io", False),
    ],
)
def test_patterns_match_as_measured(origin: str, trusted: bool) -> None:
    assert SHOP.trusts(origin) is trusted


def test_a_question_mark_stands_for_exactly_one_character() -> None:
    trusted = TrustedOrigins("https://x.io", ("https://pr-?.app.io", "node?.io"))
    assert trusted.trusts("https://pr-7.app.io")
    assert trusted.trusts("http://node1.io")
    assert not trusted.trusts("https://pr-.app.io")
    assert not trusted.trusts("https://pr-77.app.io")
    assert not trusted.trusts("http://node.io")


def test_a_star_stands_for_any_run_even_an_empty_one() -> None:
    trusted = TrustedOrigins("https://x.io", ("http://localhost:300*", "https://a*b*.io"))
    for origin in ("http://localhost:300", "http://localhost:3001", "https://ab.io", "https://a-b.b-c.io"):
        assert trusted.trusts(origin)
    for origin in ("http://localhost:30", "http://localhost:3100", "https://a.io", "https://ba.io"):
        assert not trusted.trusts(origin)


@pytest.mark.parametrize("pattern", ["10.0.0.*", "http://10.0.0.*", "http://10.0.0.*:*", "10.*", "1?.0.0.5"])
def test_a_wildcard_of_digits_trusts_only_addresses(pattern: str) -> None:
    trusted = TrustedOrigins("https://x.io", (pattern,))
    assert trusted.trusts("http://10.0.0.5")
    assert not trusted.trusts("http://10.0.0.evil.com")
    assert not trusted.trusts("http://10.0.0.5.evil.com")
    assert not trusted.trusts("http://10.0.0.256")


def test_a_pattern_may_end_in_a_slash_and_an_empty_one_trusts_nobody() -> None:
    trusted = TrustedOrigins("https://x.io", ("https://App.io/", " https://b.io ", ""))
    assert trusted.trusts("https://app.io")
    assert trusted.trusts("https://b.io")
    assert not trusted.trusts("https://c.io")


def test_an_ipv6_host_is_compared_as_an_address() -> None:
    trusted = TrustedOrigins("http://[::1]:3000", ("http://[2001:db8::1]:*",))
    assert trusted.trusts("http://[0:0:0:0:0:0:0:1]:3000")
    assert trusted.trusts("http://[2001:DB8::1]:9")
    assert not trusted.trusts("http://[::2]:3000")


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "null",
        "x.io",
        "//x.io",
        "https:x.io",
        "https:/x.io",
        "https:///x.io",
        "https://",
        "https://x.io@evil.com",
        "https://evil.com@x.io",
        "https://user:pass@x.io",
        "https://x.io\\@evil.com",
        "https://evil.com\\.x.io",
        "https://x.io\\",
        " https://x.io",
        "https://x.io ",
        "https://x.io\n",
        "https://x.io\t",
        "https://x\t.io",
        "https://x.io/\r\nSet-Cookie: a=b",
        "https://x.io\x00.evil.com",
        "https://x.io/\x85",
        "https://x.io.",
        "https://x..io",
        "https://x%2eio",
        "https://\u0445.io",
        "https://x\u3002io",
        "http\u017f://x.io",
        "https://x.io:",
        "https://x.io:a",
        "https://x.io:-1",
        "https://x.io:\u0664\u0664\u0663",
        "https://x.io:443443",
        "https://[x.io]",
        "https://[::1",
        "https://[::::]",
        "https://x.io[",
        "https://x.io,https://evil.com",
        "javascript:alert(1)",
        "javascript://x.io/%0aalert(1)",
        "data:text/html,x",
        "file://x.io",
        "myapp://x.io",
        "blob:https://x.io/1",
    ],
)
def test_what_is_no_plain_web_address_is_trusted_by_nobody(hostile: str) -> None:
    assert not TrustedOrigins("https://x.io").trusts(hostile)
    assert not TrustedOrigins("https://a.io", ("*", "https://*", "*x.io*")).trusts(hostile)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="htps:/[]@\\.?#x%:1*").map(lambda text: f"https://{text}"))
def test_no_text_whatever_breaks_the_parsing(text: str) -> None:
    assert not HERE.trusts(text)


def test_many_stars_cost_no_time() -> None:
    trusted = TrustedOrigins("https://x.io", ("https://" + "*a" * 40 + "*b",))
    started = time.monotonic()
    assert not trusted.trusts("https://" + "a" * 8000)
    assert not trusted.trusts("https://" + "a." * 8000 + "a")
    assert time.monotonic() - started < 1.0


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, None),
        ({"origin": "https://evil.com"}, None),
        ({"cookie": "a=b", "origin": "http://localhost:3000"}, None),
        ({"cookie": "a=b", "referer": "http://localhost:3000/settings?x=1"}, None),
        ({"cookie": "a=b", "origin": "http://localhost:3000", "referer": "https://evil.com/"}, None),
        ({"cookie": "a=b", "origin": "https://evil.com", "referer": "http://localhost:3000/"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "https://evil.com"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "referer": "https://evil.com/http://localhost:3000"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "http://127.0.0.1:3000"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "http://[", "host": "localhost:3000"}, "INVALID_ORIGIN"),
        ({"cookie": "theme=dark"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": ""}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": ""}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "", "referer": "http://localhost:3000/"}, None),
        ({"cookie": "a=b", "origin": "null", "host": "localhost:3000"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "null", "referer": "http://localhost:3000/"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-origin", "host": "localhost:3000"}, None),
        ({"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-origin", "host": "daybook:8000"}, None),
        ({"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-origin"}, None),
        (
            {"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-origin\ncross-site"},
            "MISSING_OR_NULL_ORIGIN",
        ),
        ({"cookie": "a=b", "origin": "http://localhost:3000\nhttp://localhost:3000"}, None),
        ({"cookie": "a=b", "origin": "http://localhost:3000\nhttps://evil.com"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "https://evil.com\nhttp://localhost:3000"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "null\nhttp://localhost:3000"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "\nhttp://localhost:3000"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "null\nhttps://evil.com"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "referer": "http://localhost:3000/\nhttps://evil.com/"}, "INVALID_ORIGIN"),
        (
            {"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-site", "host": "localhost:3000"},
            "MISSING_OR_NULL_ORIGIN",
        ),
        ({"cookie": "a=b", "sec-fetch-site": "same-origin", "host": "localhost:3000"}, "MISSING_OR_NULL_ORIGIN"),
        (
            {"cookie": "a=b", "referer": "null", "sec-fetch-site": "same-origin", "host": "localhost:3000"},
            "MISSING_OR_NULL_ORIGIN",
        ),
    ],
)
def test_a_request_with_cookies_must_come_from_a_trusted_page(headers: dict[str, str], refusal: str | None) -> None:
    assert forbidden_origin("POST", headers, HERE) == refusal
    assert forbidden_origin("DELETE", headers, HERE) == refusal
    assert forbidden_origin("GET", headers, HERE) is None


def test_null_from_our_own_page_counts_as_our_https_origin_behind_a_proxy() -> None:
    headers = {"cookie": "a=b", "origin": "null", "sec-fetch-site": "same-origin", "host": "x.io"}
    assert forbidden_origin("POST", headers, SHOP) is None


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, None),
        ({"host": "localhost:3000", "user-agent": "curl/8"}, None),
        ({"sec-fetch-site": ""}, None),
        ({"origin": "http://localhost:3000"}, None),
        ({"referer": "http://localhost:3000/sign-in"}, None),
        ({"origin": "https://evil.com"}, "INVALID_ORIGIN"),
        ({"referer": "https://evil.com/"}, "INVALID_ORIGIN"),
        ({"origin": "null"}, "MISSING_OR_NULL_ORIGIN"),
        ({"sec-fetch-site": "same-origin"}, "MISSING_OR_NULL_ORIGIN"),
        ({"sec-fetch-mode": "cors"}, "MISSING_OR_NULL_ORIGIN"),
        ({"sec-fetch-dest": "empty"}, "MISSING_OR_NULL_ORIGIN"),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "origin": "http://localhost:3000"}, None),
        ({"sec-fetch-site": "same-origin", "origin": "null", "host": "localhost:3000"}, None),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "http://localhost:3000"}, None),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "origin": "http://localhost:3000"}, None),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "https://evil.com"}, "INVALID_ORIGIN"),
        (
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": "http://localhost:3000"},
            "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        ),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
        (
            {
                "sec-fetch-site": "same-origin\ncross-site",
                "sec-fetch-mode": "cors\nnavigate",
                "origin": "http://localhost:3000",
            },
            "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        ),
        ({"origin": "http://localhost:3000\nhttps://evil.com"}, "INVALID_ORIGIN"),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "cookie": "a=b"}, None),
    ],
)
def test_another_site_cannot_sign_a_browser_in(headers: dict[str, str], refusal: str | None) -> None:
    assert forbidden_sign_in(headers, HERE) == refusal
