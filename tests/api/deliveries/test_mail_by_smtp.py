"""Mail from the call to the mailbox, through servers that run as they are run: encrypted, signed in, and away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.api.browser import Browser
from tests.api.deliveries.mail_server import PASSWORD, USER, Certificates, Mailbox, certificates, knows_us, mail_server
from tests.api.deliveries.test_invitations_by_mail import PAGE, link_in
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database
from tests.faults.test_background_process import within
from tests.server import Server, free_port, served

PORT = free_port()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def server(
    module_database: Database, authority: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "WORKERS": 1,
        "SMTP_URL": f"smtp://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@localhost:{PORT}",
        "MAIL_FROM": "Accounts <no-reply@accounts.example.com>",
        "INVITATION_PAGE": PAGE,
    }
    log = tmp_path_factory.mktemp("server") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.authority))
        with served(log, settings) as server:
            yield server
    written = log.read_text()
    assert "ERROR" not in written
    assert written.count(f"Mail goes to the mail server localhost, port {PORT} (STARTTLS).") == 1
    # neither whom a mail is for, nor what the server said, nor what opens it
    assert "@" not in written
    assert "invitationId" not in written
    assert PASSWORD not in written
    assert quote(PASSWORD, safe="") not in written


@pytest.fixture
def ada(server: Server) -> Person:
    ada = Person(server.url, "Ada")
    ada.founds(f"acme-{time.monotonic_ns()}")
    return ada


def test_who_is_invited_while_the_mail_server_is_away_gets_the_message_when_it_is_back(
    server: Server, ada: Person, authority: Certificates, module_database: Database
) -> None:
    emails = [new_email() for _ in range(3)]
    began = time.monotonic()
    for email in emails:
        ada.invites(email)
    # nobody waits for a mail server
    assert time.monotonic() - began < 10
    reason = "SELECT count(*) FROM deliveries WHERE reason = 'SMTP refused at connecting'"
    within(30, lambda: module_database.value(reason) > 0)
    mailbox = Mailbox()
    options = {"tls_context": authority.context(), "authenticator": knows_us, "auth_required": True}
    with mail_server(mailbox, PORT, **options):
        within(60, lambda: len(mailbox.taken) == 3)
        within(20, lambda: module_database.value("SELECT count(*) FROM deliveries WHERE state = 'sent'") == 3)
        messages = {message["To"]: message for message in mailbox.messages()}
    assert set(messages) == set(emails)
    link = link_in(messages[emails[0]])
    bo = Browser(server.url)
    assert bo.sign_up(emails[0], name="Bo", callbackURL=link.replace(PAGE, "/join")).status == 200
    assert bo.session()["activeOrganizationId"] == ada.active
