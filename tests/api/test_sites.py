"""Sites: which hosts a browser takes for one family, and for which domain it keeps a host's cookie."""

from __future__ import annotations

import pytest

from api.sites import host_of, is_public_suffix, same_site, wrong_with_cookie_domain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("accounts.example.com", "app.example.com", True),
        ("example.com", "a.b.example.com", True),
        ("example.com", "example.net", False),
        ("shop.co.uk", "app.shop.co.uk", True),
        ("shop.co.uk", "other.co.uk", False),
        ("ada.github.io", "bo.github.io", False),
        ("api.up.railway.app", "web.up.railway.app", False),
        ("localhost", "localhost", True),
        ("localhost", "app.localhost", False),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::1", "::1", True),
    ],
)
def test_hosts_of_one_registered_name_are_one_site(one: str, other: str, same: bool) -> None:
    """As Chromium judges, which has the public suffix list."""
    assert same_site(one, other) is same_site(other, one) is same


@pytest.mark.parametrize("domain", ["com", "localhost", "co.uk", "com.au", "vercel.app", "github.io"])
def test_below_a_public_suffix_everybody_may_have_a_name(domain: str) -> None:
    assert is_public_suffix(domain)
    assert wrong_with_cookie_domain(domain, f"app.{domain}") is not None


@pytest.mark.parametrize("domain", ["example.com", "shop.co.uk", "ada.github.io", "co.example", "example.co"])
def test_a_name_somebody_has_is_none(domain: str) -> None:
    assert not is_public_suffix(domain)
    for host in (domain, f"accounts.{domain}", f"a.b.{domain}"):
        assert wrong_with_cookie_domain(domain, host) is None


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("example.com", "example.net"),
        ("example.com", "myexample.com"),
        ("accounts.example.com", "example.com"),
        ("accounts.example.com", "app.example.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("example.com:8000", "example.com"),
        ("example.com/", "example.com"),
        ("https://example.com", "example.com"),
        ("*.example.com", "a.example.com"),
        ("..example.com", "a.example.com"),
        ("example..com", "example.com"),
        ("example.com; Secure", "example.com"),
        ("", "example.com"),
        ("ü.example", "a.ü.example"),
    ],
)
def test_for_these_a_browser_keeps_no_cookie_of_that_host(domain: str, host: str) -> None:
    assert wrong_with_cookie_domain(domain, host) is not None


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://A.Example.com:8443", "a.example.com"), ("http://[::1]:8000", "::1"), ("null", ""), ("http://[", "")],
)
def test_the_host_is_what_stands_between_scheme_and_port(url: str, host: str) -> None:
    assert host_of(url) == host
