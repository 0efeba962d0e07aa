"""What an operator may say of cookies: only what browsers keep (wire.md A33)."""

from __future__ import annotations

import pytest

from api.cli.configured import configured
from api.cli.refusal import WontStart
from api.settings import Settings

HOME = "https://accounts.example.com"
NEEDS_HTTPS = (
    "DAYBOOK_COOKIE_SAME_SITE: None needs https, else browsers drop the cookie:"
    " set DAYBOOK_BASE_URL to an https address."
)


def said(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Settings:
    for name, value in settings.items():
        monkeypatch.setenv(f"DAYBOOK_{name}", value)
    return configured()


def test_without_a_word_they_are_better_auths(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = said(monkeypatch)
    assert (settings.cookie_same_site, settings.cookie_partitioned, settings.cookie_domain) == ("Lax", "off", None)


@pytest.mark.parametrize("value", ["None", "none", "NONE", " none "])
def test_same_site_is_said_in_any_case(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert said(monkeypatch, BASE_URL=HOME, COOKIE_SAME_SITE=value).cookie_same_site == "None"


def test_strict_needs_no_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, COOKIE_SAME_SITE="strict").cookie_same_site == "Strict"


@pytest.mark.parametrize("domain", ["example.com", ".Example.com", "accounts.example.com"])
def test_a_family_of_hosts_has_the_base_urls_among_it(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    settings = said(monkeypatch, BASE_URL=f"{HOME}:8443", COOKIE_DOMAIN=domain)
    assert settings.cookie_domain == domain.lower().removeprefix(".")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"COOKIE_SAME_SITE": "None"},
            NEEDS_HTTPS,
        ),
        (
            {"COOKIE_SAME_SITE": "None", "BASE_URL": "http://accounts.example.com"},
            NEEDS_HTTPS,
        ),
        (
            {"COOKIE_SAME_SITE": "Loose", "BASE_URL": HOME},
            "DAYBOOK_COOKIE_SAME_SITE: must be one of: Lax, Strict, None.",
        ),
        (
            {"COOKIE_SAME_SITE": ""},
            "DAYBOOK_COOKIE_SAME_SITE is there but empty: say Lax or Strict or None, or leave it out.",
        ),
        (
            {"COOKIE_PARTITIONED": "on", "BASE_URL": HOME},
            "DAYBOOK_COOKIE_PARTITIONED: on is for pages of other sites only: set DAYBOOK_COOKIE_SAME_SITE to None"
            " too.",
        ),
        (
            {"COOKIE_DOMAIN": "example.net", "BASE_URL": HOME},
            "DAYBOOK_COOKIE_DOMAIN: must be the host of DAYBOOK_BASE_URL or a domain above it: browsers drop other"
            " cookies.",
        ),
        (
            {"COOKIE_DOMAIN": "co.uk", "BASE_URL": "https://shop.co.uk"},
            "DAYBOOK_COOKIE_DOMAIN: must be a domain of your own: everybody may have a name below this one, so browsers"
            " drop its cookies.",
        ),
        (
            {"COOKIE_DOMAIN": "192.0.2.1", "BASE_URL": "https://192.0.2.1"},
            "DAYBOOK_COOKIE_DOMAIN: must be a domain such as example.com, no address, port or path.",
        ),
        (
            {"COOKIE_DOMAIN": "example.com"},
            "DAYBOOK_COOKIE_DOMAIN: must be the host of DAYBOOK_BASE_URL or a domain above it: browsers drop other"
            " cookies.",
        ),
        ({"COOKIE_PREFIX": "__Host-shop"}, "DAYBOOK_COOKIE_PREFIX: must not begin with __Secure- or __Host-."),
        ({"COOKIE_PREFIX": "__secure-shop"}, "DAYBOOK_COOKIE_PREFIX: must not begin with __Secure- or __Host-."),
        # what is wrong with the base URL is said, and nothing that follows from it
        (
            {"COOKIE_SAME_SITE": "None", "COOKIE_DOMAIN": "example.com", "BASE_URL": "x.test"},
            "DAYBOOK_BASE_URL: must begin with https:// or http://.",
        ),
    ],
)
def test_what_browsers_would_drop_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(WontStart) as refused:
        said(monkeypatch, **settings)
    assert str(refused.value) == sentence
