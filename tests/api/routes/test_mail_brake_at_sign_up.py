"""Nobody is flooded with what a sign-up has sent: a link that verifies an address, or the notice that it is taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain import clock as system_clock
from domain.ids import new_id
from tests.api.browser import Browser
from tests.api.edge.limited import Counters
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD

VERIFICATION, NOTICE = "email-verification", "sign-up-attempt"


@pytest.fixture
def counters(module_database: Database) -> Iterator[Counters]:
    counters = Counters(module_database)
    counters.forget(set(counters.all()))
    yield counters
    counters.forget(set(counters.all()))


@pytest.fixture(scope="module", params=["asked", "required"])
def postman(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Postman:
    """Of an application that sends two messages of a kind an hour to a mailbox."""
    return postman_of(
        module_database,
        system_clock.now,
        tmp_path_factory,
        email_verification=request.param,
        rate_limit="on",
        mails_per_hour=2,
    )


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


def somebody(url: str, counters: Counters) -> Browser:
    """From an address that has asked for nothing lately."""
    counters.forget({key for key in counters.all() if key[0] == 1})
    return Browser(url)


def signs_up(url: str, email: str, counters: Counters, password: str = PASSWORD) -> int:
    return somebody(url, counters).sign_up(email, password=password).status


def test_what_stands_behind_a_plus_does_not_flood_who_stands_before_it(
    url: str, counters: Counters, postman: Postman
) -> None:
    bomb = f"bomb.{new_id().hex}"
    told = [signs_up(url, f"{bomb}+{number}@example.com", counters) for number in range(4)]
    assert told == [200] * 4
    sent = [len(postman.mails_to(f"{bomb}+{number}@example.com", VERIFICATION)) for number in range(4)]
    assert sent == [1, 1, 0, 0]
    # the account is there, and its link can be had once an hour has passed
    last = f"{bomb}+3@example.com"
    counters.age(3_600)
    assert somebody(url, counters).post("/send-verification-email", {"email": last}).status == 200
    assert len(postman.mails_to(last, VERIFICATION)) == 1


def test_a_link_at_sign_up_and_links_asked_for_are_counted_together(
    url: str, counters: Counters, postman: Postman
) -> None:
    email = f"again.{new_id().hex}@example.com"
    signs_up(url, email, counters)
    # else a later link takes the place of one that is not out yet
    postman.all_mails()
    for _ in range(3):
        assert somebody(url, counters).post("/send-verification-email", {"email": email}).status == 200
        postman.all_mails()
    assert len(postman.mails_to(email, VERIFICATION)) == 2


def test_who_signs_up_again_and_again_with_anothers_address_sends_them_no_more_notices_than_may_be(
    url: str, counters: Counters, postman: Postman
) -> None:
    if postman.settings.email_verification == "asked":
        pytest.skip("there who asks is told that the address is taken, and its holder nothing")
    email = f"taken.{new_id().hex}@example.com"
    for number in range(4):
        assert signs_up(url, email, counters, f"battery staple {number}") == 200
        postman.all_mails()
    assert (len(postman.mails_to(email, VERIFICATION)), len(postman.mails_to(email, NOTICE))) == (1, 2)
