"""A message by mail, as RFC 5322 has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """Plain text to one address. `name` is the same whenever the same delivery is made, and has no secret in it.

    `sender` may be an address with a name before it; `recipient` is an address alone; `at` is when it is written.
    """

    name: str
    sender: str
    recipient: str
    subject: str
    text: str
    at: datetime

    def to_bytes(self) -> bytes:
        """As it stands in an .eml file: CRLF at the end of each line, the text in UTF-8 so that it can be read there.

        Who gets it twice can tell by its Message-ID (RFC 5322 §3.6.4); nobody's vacation answers it (RFC 3834 §5).
        """
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = self.recipient
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.at)
        message["Message-ID"] = f"<{self.name}@{domain_of(self.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self.text, cte="8bit")
        return message.as_bytes()


def domain_of(sender: str) -> str:
    """What stands behind the @ of an address, with or without a name before it."""
    return parseaddr(sender)[1].rpartition("@")[2]
