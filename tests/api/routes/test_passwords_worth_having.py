"""Passwords that would be guessed, over the wire: where they are refused, in which order, and where not (A13)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.password_strength import Weakness
from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

EVENTS = "SELECT count(*) FROM events"
WEAK = "zqzqzqzq"
"""Repeated, and in no list."""


def compromised(reason: Weakness) -> tuple[int, dict[str, str]]:
    return 400, {"message": reason.value, "code": "PASSWORD_COMPROMISED"}


@pytest.fixture(scope="module")
def lenient_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """The same service where any password will do that is not among the commonest."""
    with application(settings_for(module_database, password_minimum_score=0), module_clock) as url:
        yield url


@pytest.fixture(scope="module")
def strict_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """The same service where they are to be long and strong."""
    strict = settings_for(module_database, password_minimum_score=4, password_minimum_length=15)
    with application(strict, module_clock) as url:
        yield url


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Password1", Weakness.COMMON),
        (WEAK, Weakness.REPEATED),
        ("1987-03-04", Weakness.DATE),
        ("Daybook2024!", Weakness.FAMILIAR),
        ("by Ada Lovelace, 1815", Weakness.PERSONAL),
    ],
)
def test_no_account_is_opened_with_a_password_that_would_be_guessed(
    browser: Browser, email: str, module_database: Database, password: str, reason: Weakness
) -> None:
    before = module_database.value(EVENTS)
    answer = browser.sign_up(email, name="Ada Lovelace", password=password)
    assert (answer.status, answer.json()) == compromised(reason)
    assert answer.set_cookies == []
    assert module_database.value(EVENTS) == before
    assert browser.sign_up(email, name="Ada Lovelace").status == 200


def test_the_address_is_no_password(browser: Browser) -> None:
    email = new_email()
    answer = browser.sign_up(email, password=f"{email.upper()} and more")
    assert (answer.status, answer.json()) == compromised(Weakness.PERSONAL)


def test_its_length_is_told_first(browser: Browser, email: str) -> None:
    assert browser.sign_up(email, password="aaaaaaa").problem == (400, "PASSWORD_TOO_SHORT")
    assert browser.sign_up(email, password="a" * 129).problem == (400, "PASSWORD_TOO_LONG")
    assert browser.sign_up(email, password="a" * 128).problem == (400, "PASSWORD_COMPROMISED")


def test_a_taken_address_with_a_weak_password_is_told_of_the_password_as_a_free_one_is(browser: Browser) -> None:
    email = new_email()
    browser.sign_up(email)
    known, unknown = (Browser(browser.url).sign_up(one, password=WEAK) for one in (email, new_email()))
    assert (known.status, known.json()) == (unknown.status, unknown.json()) == compromised(Weakness.REPEATED)


def test_a_weak_password_uses_no_invitation_up_and_the_organizations_name_counts_for_nothing(
    browser: Browser,
) -> None:
    ada = Person(browser.url, "Ada")
    ada.founds("pelargonium-traders")
    email = new_email()
    link = f"/join?invitationId={ada.invites(email)}"
    bo = Browser(browser.url)
    assert bo.sign_up(new_email(), password="Pelargonium-1").status == 200
    answer = Browser(browser.url).sign_up(email, callbackURL=link, password="Pelargonium-1")
    assert (answer.status, answer.json()) == compromised(Weakness.FAMILIAR)
    assert Browser(browser.url).sign_up(email, callbackURL=link).status == 200


def test_it_is_refused_when_the_password_changes_and_the_old_one_stays(browser: Browser, email: str) -> None:
    browser.sign_up(email, name="Ada Lovelace")
    for new, reason in (("iloveyou", Weakness.COMMON), ("Lovelace1815!", Weakness.FAMILIAR)):
        answer = browser.post("/change-password", {"currentPassword": PASSWORD, "newPassword": new})
        assert (answer.status, answer.json()) == compromised(reason)
    assert Browser(browser.url).sign_in(email).status == 200


def test_the_active_organizations_name_counts_for_nothing_either(browser: Browser) -> None:
    ada = Person(browser.url, "Ada")
    change = {"currentPassword": PASSWORD, "newPassword": "Pelargonium-1"}
    ada.founds("pelargonium-sellers")
    answer = ada.post("/change-password", change)
    assert (answer.status, answer.json()) == compromised(Weakness.FAMILIAR)
    ada.post("/organization/set-active", {"organizationId": None})
    assert ada.post("/change-password", change).status == 200


def test_who_has_a_weak_one_still_signs_in_and_confirms_it(browser: Browser, lenient_url: str, strict_url: str) -> None:
    email = new_email()
    assert Browser(lenient_url).sign_up(email, password=WEAK).status == 200
    for url in (browser.url, strict_url):
        other = Browser(url)
        assert other.sign_in(email, WEAK).status == 200
        assert other.post("/verify-password", {"password": WEAK}).status == 200
        assert other.post("/change-password", {"currentPassword": WEAK, "newPassword": WEAK}).problem[0] == 400


def test_the_commonest_are_refused_also_where_no_strength_is_asked_for(lenient_url: str) -> None:
    answer = Browser(lenient_url).sign_up(new_email(), password="password")
    assert (answer.status, answer.json()) == compromised(Weakness.COMMON)


def test_an_operator_may_ask_for_long_and_strong_ones(strict_url: str) -> None:
    browser, email = Browser(strict_url), new_email()
    assert browser.sign_up(email, password="jx4p9wqk#2Lmvv").problem == (400, "PASSWORD_TOO_SHORT")
    assert browser.sign_up(email, password="zqzqzqzqzqzqzqz").problem == (400, "PASSWORD_COMPROMISED")
    assert browser.sign_up(email, password="jx4p9wqk#2Lmvvt").status == 200
