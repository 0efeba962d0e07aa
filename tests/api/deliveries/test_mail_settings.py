"""What an operator says about mail: whom it is from, which page its links open, and what is none of either."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from api.cli.configured import configured
from api.cli.refusal import WontStart
from api.cli.serve import where_mail_goes
from api.setting_values import Mailbox
from api.settings import Settings
from api.smtp_url import SmtpServer, smtp_server


@pytest.mark.parametrize(
    ("given", "sender", "page"),
    [
        ({}, ("", "no-reply@localhost"), "http://localhost:8000/accept-invitation"),
        ({"base_url": "https://accounts.example.com:8443"}, ("", "no-reply@accounts.example.com"),
         "https://accounts.example.com:8443/accept-invitation"),
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
    with pytest.raises(ValidationError, match="needs DAYBOOK_MAIL_FROM"):
        Settings(base_url=f"http://{host}", smtp_url=SecretStr("smtp://mail.example.com"))
    assert Settings(base_url=f"http://{host}").mail_sender.address == "no-reply@localhost"


def test_what_is_wrong_with_the_sender_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(base_url="http://192.0.2.1", mail_folder=tmp_path, mail_from="Accounts")
    assert [error["loc"] for error in refused.value.errors()] == [("mail_from",)]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, "starttls", "", "")),
        ("smtps://mail.example.com/", SmtpServer("mail.example.com", 465, "tls", "", "")),
        ("smtp://u:p@mail.example.com:25", SmtpServer("mail.example.com", 25, "starttls", "u", "p")),
        ("smtps://a%40x.io:p%2F%3A%25%C3%A9@[2001:db8::1]:2465",
         SmtpServer("2001:db8::1", 2465, "tls", "a@x.io", "p/:%é")),
        ("smtp://localhost:1025?tls=off", SmtpServer("localhost", 1025, "off", "", "")),
    ],
)  # fmt: skip
def test_a_mail_server_is_named_by_a_url(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == Settings(smtp_url=SecretStr(url)).smtp == server


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mail.example.com", "must be smtp://HOST"),
        ("http://mail.example.com", "must be smtp://HOST"),
        ("smtp://", "must be smtp://HOST"),
        ("smtp://mail.example.com:0", "must be smtp://HOST"),
        ("smtp://mail.example.com:70000", "must be smtp://HOST"),
        ("smtp://mail.example.com?tls=on", "must be smtp://HOST"),
        ("smtp://mail.example.com?tls=off&x=y", "must be smtp://HOST"),
        ("smtp://mail.example.com/path", "must be smtp://HOST"),
        ("smtp://ada@mail.example.com", "must be smtp://HOST"),
        ("smtp://ada:hunter2@evil@mail.example.com", "must be smtp://HOST"),
        ("smtp://mail.example.com\r\nRCPT TO:x", "must be smtp://HOST"),
        ("smtps://mail.example.com?tls=off", "not both"),
        ("smtp://ada:hunter2@mail.example.com?tls=off", "in the clear"),
        ("smtp://ada:hunter2@localhost?tls=off", "in the clear"),
        ("smtp://ada:hunter2%00@mail.example.com", "NUL"),
        ("smtp://ada:%FF@mail.example.com", "UTF-8"),
    ],
)
def test_what_names_no_mail_server_is_refused_and_not_quoted(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Settings(smtp_url=SecretStr(url))
    assert "hunter2" not in str(refused.value)


def test_a_password_of_a_mail_server_is_never_shown() -> None:
    assert "hunter2" not in repr(Settings(smtp_url=SecretStr("smtp://ada:hunter2@mail.example.com")))


def test_mail_leaves_one_way(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="excludes DAYBOOK_MAIL_FOLDER"):
        Settings(mail_folder=tmp_path, smtp_url=SecretStr("smtp://mail.example.com"))


def test_only_beside_a_database_of_the_operators_does_mail_leave_nowhere(tmp_path: Path) -> None:
    own = "postgresql://db.example.com/daybook"
    assert not Settings(database_url=own).sends_mail
    assert Settings(database_url=own, smtp_url=SecretStr("smtp://mail.example.com")).sends_mail
    assert Settings(database_url=own, mail_folder=tmp_path).sends_mail
    embedded = Settings(data_dir=tmp_path / "data")
    assert embedded.sends_mail
    assert embedded.folder_of_mail == tmp_path / "data" / "outbox"
    assert Settings(smtp_url=SecretStr("smtp://mail.example.com")).folder_of_mail is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"smtp_url": "smtp://ada:hunter2@mail.example.com"},
         "Mail goes to the mail server mail.example.com, port 587 (STARTTLS)."),
        ({"smtp_url": "smtps://ada:hunter2@[2001:db8::1]:2465"},
         "Mail goes to the mail server 2001:db8::1, port 2465 (TLS)."),
        ({"smtp_url": "smtp://localhost:25?tls=off"},
         "Mail goes to the mail server localhost, port 25 (in the clear)."),
        ({"mail_folder": "/var/spool/mails"},
         "Mail goes to the folder /var/spool/mails, for a mail server to pick it up."),
        ({"data_dir": "/data"}, "Mail is not sent but left in /data/outbox: name a mail server by DAYBOOK_SMTP_URL."),
        ({"database_url": "postgresql://db.example.com/daybook"},
         "No mail leaves from here: set DAYBOOK_SMTP_URL or DAYBOOK_MAIL_FOLDER."),
    ],
)  # fmt: skip
def test_where_mail_goes_is_said_in_a_sentence_without_a_password(said: dict[str, str], told: str) -> None:
    assert where_mail_goes(Settings.model_validate(said)) == told


def test_workers_that_are_told_of_the_database_and_the_outbox_agree(tmp_path: Path) -> None:
    """As `daybook serve` tells them, also where no address can be at the host."""
    served = Settings(data_dir=tmp_path, base_url="http://127.0.0.1:8000")
    assert served.outbox is not None
    told = Settings(
        data_dir=tmp_path, base_url="http://127.0.0.1:8000", database_url="postgresql:///x", mail_folder=served.outbox
    )
    assert (told.folder_of_mail, told.mail_sender) == (served.folder_of_mail, served.mail_sender)


@pytest.mark.parametrize(
    ("name", "value"), [("EMAIL_VERIFICATION", "asked"), ("EMAIL_VERIFICATION", "required"), ("DELETION_BY_MAIL", "on")]
)
def test_what_needs_mail_where_none_leaves_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", "postgresql://db.example.com/daybook")
    monkeypatch.setenv("DAYBOOK_SECRET", "s" * 32)
    monkeypatch.setenv(f"DAYBOOK_{name}", value)
    with pytest.raises(WontStart) as refused:
        configured()
    sentence = f"DAYBOOK_{name} needs a way for mail to leave: set DAYBOOK_SMTP_URL or DAYBOOK_MAIL_FOLDER."
    assert str(refused.value) == sentence
