"""What a real browser does with the cookies of each setting, on pages of other hosts and sites (wire.md A33)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.clock import now
from tests.api.conftest import settings_for
from tests.api.routes.fellows import new_email
from tests.browser.chromium import ACCOUNTS, PROGRAM, Hosts, hosts, visits
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")

HOME = f"https://{ACCOUNTS}"
SAME_SITE, OTHER_SITE = "app.example.com", "app.example.net"
TRUSTED = f"https://{SAME_SITE},https://{OTHER_SITE}"
COOKIE = "__Secure-better-auth.session_token="


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with hosts(tmp_path_factory.mktemp("hosts")) as served:
        yield served


def signing_up(email: str) -> list[Any]:
    """Sign up, then ask who that is."""
    return [["/sign-up/email", {"name": "Ada", "email": email, "password": PASSWORD}], ["/get-session", None]]


@pytest.fixture
def email() -> str:
    """An address without an account."""
    return new_email()


def who(told: Any) -> str | None:
    """Whose session the last question found."""
    *_, session, _ = told
    return None if session is None else str(session["user"]["email"])


@pytest.mark.parametrize(
    ("host", "settings", "apart", "stays"),
    [
        (ACCOUNTS, {}, True, True),
        (SAME_SITE, {}, True, True),
        (OTHER_SITE, {}, False, False),
        (SAME_SITE, {"cookie_same_site": "Strict"}, True, True),
        (OTHER_SITE, {"cookie_same_site": "None"}, False, True),
        (OTHER_SITE, {"cookie_same_site": "None"}, True, False),
        (OTHER_SITE, {"cookie_same_site": "None", "cookie_partitioned": "on"}, True, True),
        (OTHER_SITE, {"cookie_same_site": "None", "cookie_partitioned": "on", "cookie_domain": "example.com"},
         True, True),
    ],
)  # fmt: skip
def test_a_page_stays_signed_in_where_the_setting_says_so(
    internet: Hosts, module_database: Database, tmp_path: Path, email: str, host: str, settings: dict[str, str],
    apart: bool, stays: bool,
) -> None:  # fmt: skip
    given = settings_for(module_database, base_url=HOME, trusted_origins=TRUSTED, **settings)
    with application(given, now) as internet.daybook:
        told = visits(internet, host, tmp_path / "profile", signing_up(email), apart=apart)
    assert told[0]["user"]["email"] == email
    assert who(told) == (email if stays else None)


def test_every_host_below_the_domain_gets_the_cookie_and_no_other(
    internet: Hosts, module_database: Database, tmp_path: Path, email: str
) -> None:
    given = settings_for(module_database, base_url=HOME, trusted_origins=TRUSTED, cookie_domain="example.com")
    with application(given, now) as internet.daybook:
        *_, sent = visits(internet, SAME_SITE, tmp_path / "profile", signing_up(email))
        *_, elsewhere = visits(internet, OTHER_SITE, tmp_path / "profile", [])
    assert COOKIE in sent["cookies"]
    assert elsewhere["cookies"] == ""


@pytest.mark.parametrize("domain", ["example.com", ACCOUNTS])
def test_who_signs_in_after_the_setting_changed_is_who_they_signed_in_as(
    internet: Hosts, module_database: Database, tmp_path: Path, email: str, domain: str
) -> None:
    """The cookie of before would be shown first; and where the domain is the host, it may be the same cookie."""
    profile, bo = tmp_path / "profile", f"bo.{email}"
    given: dict[str, Any] = {"base_url": HOME, "trusted_origins": TRUSTED}
    with application(settings_for(module_database, **given), now) as internet.daybook:
        assert who(visits(internet, ACCOUNTS, profile, signing_up(email))) == email
        assert who(visits(internet, ACCOUNTS, profile, [["/get-session", None]])) == email
    with application(settings_for(module_database, **given, cookie_domain=domain), now) as internet.daybook:
        assert who(visits(internet, ACCOUNTS, profile, [["/get-session", None]])) == email
        assert who(visits(internet, ACCOUNTS, profile, signing_up(bo))) == bo
        assert who(visits(internet, ACCOUNTS, profile, [["/get-session", None]])) == bo
        assert who(visits(internet, ACCOUNTS, profile, [["/sign-out", {}], ["/get-session", None]])) is None
        *_, sent = visits(internet, ACCOUNTS, profile, [])
    assert COOKIE not in sent["cookies"]
