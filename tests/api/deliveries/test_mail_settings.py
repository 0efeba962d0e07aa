"""What an operator says about mail: whom it is from, which page its links open, and what is none of either."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from api.setting_values import Mailbox
from api.settings import Settings


@pytest.mark.parametrize(
    ("given", "sender", "page"),
    [
        ({}, ("", "no-reply@localhost"), "http://localhost:8000/"),
        ({"base_url": "https://accounts.example.com:8443"}, ("", "no-reply@accounts.example.com"),
         "https://accounts.example.com:8443/"),
        ({"mail_from": "Accounts <a@x.io>", "invitation_page": "https://app.x.io/#/join?a=b"}, ("Accounts", "a@x.io"),
         "https://app.x.io/#/join?a=b"),
    ],
)  # fmt: skip
def test_what_is_not_said_follows_from_how_the_service_is_reached(
    given: dict[str, str], sender: tuple[str, str], page: str
) -> None:
    settings = Settings.model_validate(given)
    assert (settings.mail_sender, settings.page_of_invitations) == (Mailbox(*sender), page)


@pytest.mark.parametrize(
    "sender",
    [
        "Accounts",
        "Accounts <>",
        "a@x.io, b@x.io",
        "a@x.io\r\nBcc: b@x.io",
        "A\x00 <a@x.io>",
        "a@localhost",
        "Ä <ä@x.io>",
        "Daybook: Accounts <a@x.io>",
        "Daybook: Accounts <a@x.io>;",
        "undisclosed:a@x.io;",
        "undisclosed:;",
        "b@x.io, Accounts <a@x.io>",
        "Accounts <@hop.io:a@x.io>",
        "Accounts (a@x.io)",
        "a@x.io (Accounts)",
        'A" <b@x.io>, "B <a@x.io>',
        "Accounts <a@x.io> <b@x.io>",
        "Accounts\u2028 <a@x.io>",
    ],
)
def test_what_is_no_sender_is_refused(sender: str) -> None:
    with pytest.raises(ValidationError, match="must be one address"):
        Settings(mail_from=sender)


@pytest.mark.parametrize(
    "page",
    ["/join", "app.x.io/join", "ftp://x.io/", "javascript:alert(1)", "https://", "https://u:p@x.io/",
     "https://x.io/a b", "https://x.io/\n", "https://x.io/jöin"],
)  # fmt: skip
def test_what_is_no_page_is_refused(page: str) -> None:
    with pytest.raises(ValidationError, match="must be a URL"):
        Settings(invitation_page=page)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("<a@x.io>", ""),
        ("Acme Inc. <a@x.io>", "Acme Inc."),
        ("Grüße<a@x.io>", "Grüße"),
        ('"Acme, Inc.: Accounts" <a@x.io>', "Acme, Inc.: Accounts"),
        ("=?utf-8?q?a=0ABcc=3Ab?= <a@x.io>", "=?utf-8?q?a=0ABcc=3Ab?="),
    ],
)
def test_a_senders_name_is_text(said: str, name: str) -> None:
    assert Settings(mail_from=said).mail_sender == Mailbox(name, "a@x.io")


@pytest.mark.parametrize(
    "host",
    ["[2001:db8::1]", "[::1]:8000", "192.0.2.1", "127.0.0.1:8000", "a..example.com", "-a.example.com", "my_host"],
)
def test_where_no_address_can_be_the_sender_must_be_said(host: str, tmp_path: Path) -> None:
    """RFC 5321 §4.1.2: a domain has labels of letters, digits and hyphens; few take mail from an IP address."""
    with pytest.raises(ValidationError, match="needs DAYBOOK_MAIL_FROM"):
        Settings(base_url=f"http://{host}", mail_folder=tmp_path)
    assert Settings(base_url=f"http://{host}", mail_folder=tmp_path, mail_from="a@x.io").mail_sender.address == "a@x.io"
    assert Settings(base_url=f"http://{host}").mail_folder is None


def test_what_is_wrong_with_the_sender_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(base_url="http://192.0.2.1", mail_folder=tmp_path, mail_from="Accounts")
    assert [error["loc"] for error in refused.value.errors()] == [("mail_from",)]
