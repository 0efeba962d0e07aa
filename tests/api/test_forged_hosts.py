"""Whatever host a request claims to have been sent to, links and redirects lead where the settings say (wire.md §4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from urllib.parse import quote, urlsplit

import pytest

from domain.commands.context import Context
from domain.commands.user import sign_up
from tests.api.browser import BASE, signed
from tests.api.conftest import HandClock, settings_for
from tests.api.forging import EVIL, FORGERIES, ORDINARY, OURS, Forgery, Response, exchange
from tests.api.routes.mailbox import Postman, link_in
from tests.databases import Database
from tests.faults.owners import HERE
from tests.lived import context_over
from tests.people import NOON, PASSWORD
from tests.server import application

APP = "https://app.example.com"
EVERY = [ORDINARY, *FORGERIES]
PLACES = [f"{number}@example.com" for number in range(len(EVERY))]
AS_JSON = ("Content-Type: application/json", f"Origin: {OURS}")


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    """Of an application behind a proxy that it believes."""
    settings = settings_for(
        module_database,
        base_url=OURS,
        trusted_origins=APP,
        trusted_proxies="127.0.0.1, ::1",
        email_verification="required",
        mail_folder=tmp_path_factory.mktemp("mail"),
    )
    return Postman(module_database, settings, module_clock)


@pytest.fixture(scope="module")
def port(postman: Postman) -> Iterator[int]:
    with application(postman.settings, postman.clock) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


def joined(context: Context, emails: Sequence[str]) -> list[str]:
    """Somebody for each of them; the secrets of their sessions."""
    return [
        sign_up(
            context, email=email, name="Ada", image=None, password=PASSWORD, remembered=True, now=NOON, where_from=HERE
        ).session.token
        for email in emails
    ]


def posted(forgery: Forgery, path: str, *lines: str, **fields: object) -> bytes:
    return forgery.request("POST", f"{BASE}{path}", json.dumps(fields).encode(), *AS_JSON, *lines)


def require_the_same_links(postman: Postman, told: Sequence[Response], emails: Sequence[str]) -> None:
    """Who was told that it was sent got what an ordinary request sends; who was refused, nothing."""
    mails: dict[str, list[EmailMessage]] = {}
    for mail in postman.all_mails():
        mails.setdefault(str(mail["To"]), []).append(mail)
    assert told[0].status == 200
    links = set()
    for answer, email in zip(told, emails, strict=True):
        assert answer.status in (200, 400, 404), answer
        assert EVIL.encode() not in answer.body.lower()
        assert len(mails.get(email, [])) == (answer.status == 200)
        for mail in mails.get(email, []):
            link = link_in(mail, OURS)
            links.add(link.path.replace(link.token, "…"))
            assert EVIL not in "".join(part.get_content() for part in mail.iter_parts()).lower()
            assert EVIL not in str(mail["From"]) + str(mail["Message-ID"])
    assert len(links) == 1
    # what a server takes at all, and that is most of it
    assert [answer.status for answer in told].count(200) > len(told) / 2


def test_there_are_enough_of_them() -> None:
    assert len({(*one.lines, one.before, one.version) for one in FORGERIES}) == len(FORGERIES) >= 64


def test_no_forged_host_is_in_a_link_for_a_new_password(port: int, context: Context, postman: Postman) -> None:
    emails = [f"reset{place}" for place in PLACES]
    joined(context, emails)
    told = exchange(
        port,
        [
            posted(one, "/request-password-reset", email=email, redirectTo="/new")
            for one, email in zip(EVERY, emails, strict=True)
        ],
    )
    require_the_same_links(postman, told, emails)


def test_no_forged_host_is_in_a_link_that_verifies(port: int, context: Context, postman: Postman) -> None:
    emails = [f"verify{place}" for place in PLACES]
    joined(context, emails)
    told = exchange(
        port,
        [posted(one, "/send-verification-email", email=email) for one, email in zip(EVERY, emails, strict=True)],
    )
    require_the_same_links(postman, told, emails)


def test_no_forged_host_is_in_a_link_that_changes_an_address(port: int, context: Context, postman: Postman) -> None:
    tokens, emails = joined(context, [f"old{place}" for place in PLACES]), [f"new{place}" for place in PLACES]
    cookies = [f"Cookie: __Secure-better-auth.session_token={signed(token)}" for token in tokens]
    told = exchange(
        port,
        [
            posted(one, "/change-email", cookie, newEmail=email, callbackURL=f"{APP}/changed")
            for one, email, cookie in zip(EVERY, emails, cookies, strict=True)
        ],
    )
    require_the_same_links(postman, told, emails)


def test_no_forged_host_is_in_the_link_of_a_sign_up(port: int, postman: Postman) -> None:
    emails = [f"up{place}" for place in PLACES]
    told = exchange(
        port,
        [
            posted(one, "/sign-up/email", email=email, name="Ada", password=PASSWORD)
            for one, email in zip(EVERY, emails, strict=True)
        ],
        # as many passwords as may wait to be hashed
        at_once=12,
    )
    require_the_same_links(postman, told, emails)


@pytest.mark.parametrize("target", ["", "/here", "/here?to=there#top", f"{APP}/in"])
@pytest.mark.parametrize("path", ["/reset-password/{}?callbackURL={}", "/verify-email?token={}&callbackURL={}"])
def test_a_link_leads_where_the_settings_say_whatever_host_it_is_opened_at(port: int, path: str, target: str) -> None:
    opened = BASE + path.format("0" * 32, quote(target, safe=""))
    told = exchange(port, [one.request("GET", opened) for one in EVERY])
    places = set()
    for answer in told:
        assert answer.status in (302, 400, 401, 404)
        assert EVIL.encode() not in answer.body.lower()
        if answer.location is not None:
            places.add(answer.location)
            url = urlsplit(answer.location)
            assert f"{url.scheme}://{url.netloc}" in (OURS, APP)
    # all to the same page; a verification that leads nowhere is answered where it is opened
    assert len(places) == (target != "" or "reset" in path)


def test_a_link_that_opens_something_leads_there_too(port: int, context: Context, postman: Postman) -> None:
    joined(context, ["opened@example.com"])
    exchange(port, [posted(ORDINARY, "/request-password-reset", email="opened@example.com", redirectTo="/new")])
    link = postman.link_to("opened@example.com")
    told = exchange(port, [one.request("GET", link.path) for one in EVERY])
    assert {one.location for one in told if one.status == 302} == {f"{OURS}/new?token={link.token}"}
    assert {one.status for one in told} <= {302, 400, 404}
