"""A message by mail, as RFC 5322 has it: written here to the last byte, and looked at before it goes anywhere."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from unicodedata import category

from api.setting_values import Mailbox

from .encoded_words import phrase, unstructured
from .transport import LastingRefusal

_ADDRESS = re.compile(r"[A-Za-z0-9_.'+-]+@[A-Za-z0-9_.-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_LONGEST_LINE = 998
"""Bytes before its end (RFC 5322 §2.1.1)."""
_LONGEST_LINE_OF_WORDS = 76
"""Of one with an encoded word (RFC 2047 §2)."""
_HEADERS = (
    b"From",
    b"To",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"Auto-Submitted",
    b"MIME-Version",
    b"Content-Type",
    b"Content-Transfer-Encoding",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """Plain text to one address. `name` is the same whenever the same delivery is made, and has no secret in it.

    `recipient` is an address alone; `at` is when it is written. `content` is all of it as it stands in an .eml file:
    CRLF at the end of each line, the text in UTF-8 so that it can be read there, encoded only if a line is too long for
    mail servers. Who gets it twice can tell by its Message-ID (RFC 5322 §3.6.4); nobody's vacation answers it (RFC 3834
    §5).

    There is none that cannot be sent: to make one raises LastingRefusal, which says what is wrong and quotes nothing.
    """

    name: str
    sender: Mailbox
    recipient: str
    subject: str
    text: str
    at: datetime
    content: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write it, once."""
        content = f"{self._head()}\r\n".encode("ascii") + self._body()
        require_sound(content)
        object.__setattr__(self, "content", content)

    def _head(self) -> str:
        """All but how the text is encoded, which `_body` begins with."""
        _require(_NAME.fullmatch(self.name), "name")
        _require(_ADDRESS.fullmatch(self.sender.address), "sender's address")
        _require(_is_one_line(self.sender.name), "sender's name")
        _require(_ADDRESS.fullmatch(self.recipient), "recipient's address")
        _require(_is_one_line(self.subject), "subject")
        shown, address = self.sender
        # what stands before an address may fill its line
        named = f"{phrase(shown)}\r\n <{address}>" if shown else address
        return "\r\n".join(
            [
                f"From: {named}",
                f"To: {self.recipient}",
                f"Subject: {unstructured(self.subject)}",
                f"Date: {format_datetime(self.at)}",
                f"Message-ID: <{self.name}@{address.rpartition('@')[2]}>",
                "Auto-Submitted: auto-generated",
                "MIME-Version: 1.0",
                'Content-Type: text/plain; charset="utf-8"',
            ]
        )

    def _body(self) -> bytes:
        _require(_can_be_encoded(self.text) and not {"\r", "\0"} & set(self.text), "text")
        text = self.text.replace("\n", "\r\n").encode()
        if max(map(len, text.split(b"\r\n"))) <= _LONGEST_LINE:
            return b"Content-Transfer-Encoding: 8bit\r\n\r\n" + text
        return b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + binascii.b2a_qp(text, istext=True)


def require_sound(content: bytes) -> None:
    """The last look, at the bytes alone: the headers that are meant and no others, each once, in lines that may be.

    Whatever is wrong with what wrote them, this has no part in it. Raises LastingRefusal.
    """
    *lines, last = content.split(b"\r\n")
    _require(not any(one in line for line in (*lines, last) for one in (b"\r", b"\n", b"\0")), "an end of line")
    _require(all(len(line) <= _LONGEST_LINE for line in (*lines, last)), "the length of a line")
    head = lines[: lines.index(b"")] if b"" in lines else lines
    _require(all(line.isascii() for line in head), "a sign in its head")
    _require(all(len(line) <= _LONGEST_LINE_OF_WORDS for line in head if b"=?" in line), "the length of a word")
    began = tuple(line.partition(b": ")[0] for line in head if not line.startswith(b" "))
    _require(began == _HEADERS, "a header")


def _is_one_line(text: str) -> bool:
    return _can_be_encoded(text) and not any(category(one) in ("Cc", "Zl", "Zp") for one in text)


def _can_be_encoded(text: str) -> bool:
    """Half a surrogate cannot."""
    return not any(category(one) == "Cs" for one in text)


def _require(right: object, part: str) -> None:
    if not right:
        raise LastingRefusal(f"cannot be written as mail: {part}")
