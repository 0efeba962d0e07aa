"""A process that sends invitations into a folder, or to a mail server, and writes down each before it does; argument: a
JSON object.

It is the product's own sender, but for the lease, which is short so that many run out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.background.orphans import end_with
from api.deliveries.invitation_mail import InvitationMails
from api.deliveries.mail import Mail
from api.deliveries.mail_folder import MailFolder
from api.deliveries.mail_texts import MailTexts
from api.deliveries.sender import Sender, run_sender
from api.deliveries.smtp import SmtpTransport
from api.deliveries.transport import Channel, Transport
from api.setting_values import Mailbox
from api.smtp_url import smtp_server
from domain.store.connections import Statements, connect, open_pool
from domain.store.requirements import open_keyring
from domain.store.servers import LOST
from projections.deliveries.due import INVITATION
from projections.deliveries.queue import Queue
from tests.people import NOON, SECRET


@dataclass
class WrittenDown:
    """A transport that says when it hands what over to another one, and who does, in a file that outlasts a kill."""

    ledger: int
    into: Transport[Mail]

    def deliver(self, message: Mail) -> None:
        """First written down: what the ledger has may not have left yet, and what left is in it."""
        os.write(self.ledger, f"{time.monotonic_ns()} {os.getpid()} {message.name}\n".encode())
        self.into.deliver(message)


def send(asked: dict[str, Any], stop: threading.Event) -> None:
    """Until killed."""
    conninfo = asked["conninfo"]
    with connect(conninfo, "drill") as connection:
        keyring = open_keyring(connection, SECRET)
    with open_pool(conninfo, size=1, name="drill") as pool:
        statements = Statements(pool)
        mails = InvitationMails(
            statements=statements,
            keyring=keyring,
            clock=lambda: NOON,
            texts=MailTexts(),
            sender=Mailbox("", "a@example.com"),
            page="https://x.io/",
            allowed=True,
        )
        ledger = os.open(asked["ledger"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        transport = WrittenDown(ledger, _way(asked))
        queue = Queue(statements, leased_for=timedelta(seconds=asked["leased_for"]))
        run_sender(conninfo, Sender(queue, {INVITATION: Channel(mails.compose, transport)}), stop)


def _way(asked: dict[str, Any]) -> Transport[Mail]:
    if "smtp" in asked:
        return SmtpTransport(smtp_server(asked["smtp"]), own_name="example.com", patience=30)
    return MailFolder(Path(asked["folder"]))


def main() -> None:
    """Begin again, as the background process does, when the database could not be reached: one frozen was too late."""
    end_with(os.getppid())
    while True:
        with suppress(*LOST):
            send(json.loads(sys.argv[1]), threading.Event())


if __name__ == "__main__":
    main()
