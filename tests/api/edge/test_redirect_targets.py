"""Redirect targets: wire.md §4.4."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.edge.origins import TrustedOrigins

HERE = TrustedOrigins("http://localhost:3000")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/dashboard",
        "/a?b=c#d",
        "/a b",
        "/ü",
        "/a?next=%2Fb",
        "/a#%5c",
        "/a//b",
        "/a?x=//b",
        "/a@b",
        "http://localhost:3000",
        "http://localhost:3000/dashboard?a=b#c",
        "http://localhost:3000/a b",
    ],
)
def test_a_redirect_may_lead_home(target: str) -> None:
    assert HERE.redirect_allowed(target)


@pytest.mark.parametrize(
    "target",
    [
        "dashboard",
        "dash",
        "../x",
        "./x",
        "?a=b",
        "#a",
        " /a",
        "//evil.com",
        "///evil.com",
        "/\\evil.com",
        "\\evil.com",
        "/a\\b",
        "/a?b\\c",
        "/\t/evil.com",
        "/\n/evil.com",
        "/a\x00",
        "/a\x7f",
        "/a\x9f",
        "/%2fevil.com",
        "/%2Fevil.com",
        "/%5cevil.com",
        "/a/%5Cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "myapp://x",
        "https://evil.com",
        "http://localhost:3000@evil.com",
        "http://localhost:3000\\@evil.com",
        "http://localhost:3001/",
        "http:dashboard",
        "http:/localhost:3000",
    ],
)
def test_a_redirect_may_not_lead_anywhere_else(target: str) -> None:
    assert not HERE.redirect_allowed(target)


def test_a_redirect_may_lead_to_a_configured_origin() -> None:
    trusted = TrustedOrigins("http://localhost:3000", ("https://*.example.com",))
    assert trusted.redirect_allowed("https://a.example.com/welcome")
    assert not trusted.redirect_allowed("http://a.example.com/welcome")


@settings(deadline=None)
@given(st.text() | st.text(alphabet="/\\\t\n%25fcehtps:.@?#"))
def test_no_text_whatever_leads_a_browser_to_another_host(text: str) -> None:
    """Judged by what a browser does first: drop tabs and line ends, trim, and read a backslash as a slash."""
    for target in (text, f"/{text}", f"//{text}", f"/\\{text}", f"/\t/{text}"):
        as_a_browser_reads_it = "".join(c for c in target if c not in "\t\r\n").strip().replace("\\", "/")
        if as_a_browser_reads_it.startswith("//"):
            assert not HERE.redirect_allowed(target)
