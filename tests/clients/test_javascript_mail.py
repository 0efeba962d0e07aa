"""What takes mail, through the official JavaScript client, with the mail read from a real SMTP server (wire.md §9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.deliveries.mail_server import PASSWORD as MAIL_PASSWORD
from tests.api.deliveries.mail_server import USER, Mailbox, certificates, knows_us, mail_server
from tests.api.routes.mailbox import Link, link_in
from tests.clients.javascript import Application, JavaScript, signs_in, signs_up
from tests.databases import Database
from tests.faults.test_background_process import within
from tests.people import PASSWORD
from tests.server import Server, free_port, served

NEW = "battery staple 2"
DONE = {"status": True}
SENT = {"status": True, "message": "If this email exists in our system, check your email for the reset link"}
INVALID_TOKEN = {"message": "Invalid token", "code": "INVALID_TOKEN", "status": 400, "statusText": "Bad Request"}

RESET, VERIFY = "Choose a new password", "Confirm your e-mail address"
CONFIRM, NOTICE = "Confirm your new e-mail address", "Your e-mail address was changed"
_numbers = count(1)


@dataclass
class Post:
    """The mail server, and what of its mail was read already."""

    mailbox: Mailbox = field(default_factory=Mailbox)
    read: list[EmailMessage] = field(default_factory=list)

    def link_to(self, email: str, subject: str, origin: str) -> Link:
        """The link in the next mail that this address gets under this subject."""
        within(30, lambda: self._unread(email, subject) != [])
        [mail] = self._unread(email, subject)
        self.read.append(mail)
        return link_in(mail, origin)

    def _unread(self, email: str, subject: str) -> list[EmailMessage]:
        known = {str(mail["Message-ID"]) for mail in self.read}
        return [
            mail
            for mail in self.mailbox.messages()
            if (mail["To"], mail["Subject"]) == (email, subject) and str(mail["Message-ID"]) not in known
        ]


@pytest.fixture(scope="module")
def post() -> Post:
    return Post()


@pytest.fixture(scope="module", params=["in the clear", "encrypted and signed in"])
def server(
    module_database: Database, post: Post, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """It sends its mail to a server on this machine, with a certificate of an authority that it is told to trust."""
    folder, port, encrypted = tmp_path_factory.mktemp("server"), free_port(), request.param != "in the clear"
    known = certificates(folder)
    options: dict[str, Any] = {}
    url = f"smtp://localhost:{port}?tls=off"
    if encrypted:
        options = {
            "tls_context": known.context(),
            "require_starttls": True,
            "authenticator": knows_us,
            "auth_required": True,
        }
        url = f"smtp://{quote(USER, safe='')}:{quote(MAIL_PASSWORD, safe='')}@localhost:{port}"
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "SMTP_URL": url,
        "MAIL_FROM": "Accounts <no-reply@accounts.example.com>",
        "EMAIL_VERIFICATION": "asked",
    }
    with pytest.MonkeyPatch.context() as patch, mail_server(post.mailbox, port, **options):
        patch.setenv("SSL_CERT_FILE", str(known.authority))
        with served(folder / "log", settings) as server:
            yield server


@pytest.fixture
def email(server: Server) -> str:
    """An address without an account."""
    return f"ada.mail{next(_numbers)}@example.com"


@pytest.fixture
def laptop(javascript: JavaScript, email: str) -> Iterator[Application]:
    """Ada's laptop, signed in to a new account; it shows who is signed in."""
    with javascript.application() as laptop:
        assert laptop.take(signs_up(email)).error is None
        laptop.store("useSession", filled=True)
        yield laptop


def test_who_forgot_the_password_sets_another_one(
    javascript: JavaScript, laptop: Application, post: Post, email: str
) -> None:
    with javascript.application() as phone:
        asked = phone.call("requestPasswordReset", email=email, redirectTo="/new-password")
        assert (asked.error, asked.data) == (None, SENT)
        link = post.link_to(email, RESET, javascript.base_url)

        opened = httpx.get(f"{javascript.base_url}{link.path}")
        assert opened.headers["location"] == f"{javascript.base_url}/new-password?token={link.token}"

        done = phone.call("resetPassword", newPassword=NEW, token=link.token)
        assert (done.error, done.data) == (None, DONE)
        assert laptop.call("getSession").data is None
        assert phone.take(signs_in(email)).error["code"] == "INVALID_EMAIL_OR_PASSWORD"
        signed_in = phone.take(signs_in(email, NEW))
        assert (signed_in.error, signed_in.data["user"]["emailVerified"]) == (None, True)

        again = phone.call("resetPassword", newPassword="battery staple 3", token=link.token)
        assert (again.data, again.error) == (None, INVALID_TOKEN)


def test_what_is_no_address_gets_no_link_and_a_bad_password_uses_none_up(
    laptop: Application, post: Post, javascript: JavaScript, email: str
) -> None:
    refused = laptop.call("requestPasswordReset", email="no address")
    assert (refused.error["status"], refused.error["code"]) == (400, "VALIDATION_ERROR")

    assert laptop.call("requestPasswordReset", email=email).data == SENT
    token = post.link_to(email, RESET, javascript.base_url).token
    for password, code in [("short 1", "PASSWORD_TOO_SHORT"), ("password1", "PASSWORD_COMPROMISED")]:
        refused = laptop.call("resetPassword", newPassword=password, token=token)
        assert (refused.error["status"], refused.error["code"]) == (400, code)
    assert laptop.call("resetPassword", newPassword=NEW, token=token).data == DONE


def test_an_address_is_verified_and_the_session_store_shows_it(
    laptop: Application, post: Post, javascript: JavaScript, email: str
) -> None:
    # the one of the sign-up, whose place the next one takes
    post.link_to(email, VERIFY, javascript.base_url)
    assert laptop.call("sendVerificationEmail", email=email, callbackURL="/in").data == DONE
    link = post.link_to(email, VERIFY, javascript.base_url)
    assert link.callback_url == "/in"

    other = laptop.call("sendVerificationEmail", email="bo@example.com")
    assert (other.error["status"], other.error["code"]) == (400, "EMAIL_MISMATCH")
    wrong = laptop.call("verifyEmail", query={"token": "0" * 32})
    assert (wrong.error["status"], wrong.error["code"]) == (401, "INVALID_TOKEN")

    verified = laptop.call("verifyEmail", query={"token": link.token})
    assert (verified.error, verified.data) == (None, {"status": True, "user": None})
    assert laptop.refetched()["user"]["emailVerified"] is True
    again = laptop.call("sendVerificationEmail", email=email)
    assert (again.error["status"], again.error["code"]) == (400, "EMAIL_ALREADY_VERIFIED")


def test_an_address_is_changed_and_given_back_to_who_had_it(
    laptop: Application, post: Post, javascript: JavaScript, email: str
) -> None:
    same = laptop.call("changeEmail", newEmail=email)
    assert same.error == {"message": "Email is the same", "status": 400, "statusText": "Bad Request"}

    assert laptop.call("changeEmail", newEmail=f"new.{email}", callbackURL="/changed").data == DONE
    link = post.link_to(f"new.{email}", CONFIRM, javascript.base_url)
    changed = laptop.call("verifyEmail", query={"token": link.token})
    assert changed.error is None
    assert (changed.data["status"], changed.data["user"]["email"]) == (True, f"new.{email}")
    assert laptop.refetched()["user"]["email"] == f"new.{email}"
    used = laptop.call("verifyEmail", query={"token": link.token})
    assert (used.error["status"], used.error["code"]) == (401, "INVALID_TOKEN")

    undo = post.link_to(email, NOTICE, javascript.base_url)
    assert laptop.call("resetPassword", newPassword=NEW, token=undo.token).data == DONE
    assert laptop.call("getSession").data is None
    assert laptop.take(signs_in(f"new.{email}", PASSWORD)).error["code"] == "INVALID_EMAIL_OR_PASSWORD"
    assert laptop.take(signs_in(email, NEW)).data["user"]["email"] == email


def test_an_address_that_somebody_has_looks_as_if_it_could_be_had(
    laptop: Application, javascript: JavaScript, post: Post, email: str
) -> None:
    with javascript.application() as bos:
        assert bos.take(signs_up(f"bo.{email}", "Bo")).error is None
    assert laptop.call("changeEmail", newEmail=f"bo.{email}").data == DONE
    assert laptop.call("changeEmail", newEmail=f"new.{email}").data == DONE
    post.link_to(f"new.{email}", CONFIRM, javascript.base_url)
    # which went out after whatever would have gone to Bo
    assert [mail["Subject"] for mail in post.mailbox.messages() if mail["To"] == f"bo.{email}"] == [VERIFY]
