"""A message by mail, as RFC 5322 has it: written here to the last byte, and looked at before it goes anywhere."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from itertools import count
from unicodedata import category

from api.setting_values import Mailbox

from .encoded_words import phrase, unstructured
from .transport import LastingRefusal

ADDRESS = re.compile(r"[A-Za-z0-9_.'+-]+@[A-Za-z0-9_.-]+", re.ASCII)
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
_MULTIPART = re.compile(
    rb'Content-Type: multipart/alternative; boundary="(=_[0-9a-f]{32})"\r\nContent-Transfer-Encoding: [78]bit'
)
_PART = re.compile(
    rb'Content-Type: text/(plain|html); charset="utf-8"\r\n'
    rb"Content-Transfer-Encoding: (?:7bit|8bit|quoted-printable)\r\n\r\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """Text and the same as HTML, to one address. `name` is the same whenever the same delivery is made, and no secret.

    `recipient` is an address alone; `at` is when it is written. `content` is all of it as it stands in an .eml file:
    CRLF at the end of each line, both in UTF-8 so that they can be read there, encoded only if a line is too long for
    mail servers; `in_ascii` the same with everything encoded, for a server that takes nothing else (RFC 6152). Readers
    show the last they can of both (RFC 2046 §5.1.4), so the text comes first. Who gets it twice can tell by its
    Message-ID (RFC 5322 §3.6.4); nobody's vacation answers it (RFC 3834 §5).

    There is none that cannot be sent: to make one raises LastingRefusal, which says what is wrong and quotes nothing.
    """

    name: str
    sender: Mailbox
    recipient: str
    subject: str
    text: str
    html: str
    at: datetime
    content: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write it, once."""
        object.__setattr__(self, "content", self._written(ascii_only=False))

    @property
    def in_ascii(self) -> bytes:
        """Written anew: most servers take eight bits."""
        return self._written(ascii_only=True)

    def _written(self, *, ascii_only: bool) -> bytes:
        _require(self.text.strip(), "text")
        _require(self.html.strip(), "HTML")
        parts = [
            _part("plain", _lines(self.text, "text"), ascii_only=ascii_only),
            _part("html", _lines(self.html, "HTML"), ascii_only=ascii_only),
        ]
        boundary = self._boundary(parts)
        head = f"{self._head()}\r\n{_multipart(boundary, ascii_only=ascii_only)}\r\n\r\n".encode("ascii")
        delimiter = b"--" + boundary.encode()
        body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts)
        content = head + body + delimiter + b"--\r\n"
        require_sound(content)
        return content

    def _boundary(self, parts: list[bytes]) -> str:
        """The same whenever the same is written, and nothing that stands in it (RFC 2046 §5.1.1)."""
        for number in count():
            boundary = f"=_{sha256(f'{self.name}/{number}'.encode()).hexdigest()[:32]}"
            if not any(boundary.encode() in part for part in parts):
                return boundary
        raise AssertionError("counting ends nowhere")

    def _head(self) -> str:
        """All but what its content is."""
        _require(_NAME.fullmatch(self.name), "name")
        _require(ADDRESS.fullmatch(self.sender.address), "sender's address")
        _require(_is_one_line(self.sender.name), "sender's name")
        _require(ADDRESS.fullmatch(self.recipient), "recipient's address")
        _require(self.subject and _is_one_line(self.subject), "subject")
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
            ]
        )


def _multipart(boundary: str, *, ascii_only: bool) -> str:
    """It says how its parts are, too (RFC 2045 §6.4)."""
    encoding = "7bit" if ascii_only else "8bit"
    return f'Content-Type: multipart/alternative; boundary="{boundary}"\r\nContent-Transfer-Encoding: {encoding}'


def _lines(text: str, part: str) -> bytes:
    _require(_can_be_encoded(text) and not {"\r", "\0"} & set(text), part)
    return text.replace("\n", "\r\n").encode()


def _part(subtype: str, text: bytes, *, ascii_only: bool) -> bytes:
    fits = max(map(len, text.split(b"\r\n"))) <= _LONGEST_LINE
    if fits and (text.isascii() or not ascii_only):
        encoding, encoded = b"7bit" if text.isascii() else b"8bit", text
    else:
        encoding, encoded = b"quoted-printable", binascii.b2a_qp(text, istext=True)
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
    return head + encoding + b"\r\n\r\n" + encoded


def require_sound(content: bytes) -> None:
    """The last look, at the bytes alone: the headers that are meant and no others, each once, in lines that may be.

    Then two parts and no more, text first, with the headers that are meant. Whatever is wrong with what wrote them,
    this has no part in it. Raises LastingRefusal.
    """
    lines = content.split(b"\r\n")
    _require(not any(one in line for line in lines for one in (b"\r", b"\n", b"\0")), "an end of line")
    _require(all(len(line) <= _LONGEST_LINE for line in lines), "the length of a line")
    head, _, body = content.partition(b"\r\n\r\n")
    boundary = _of_sound_head(head)
    before, *parts = body.split(b"--" + boundary)
    _require(len(parts) == 3 and before == b"" and parts[2] == b"--\r\n", "a part")
    _require(all(part.startswith(b"\r\n") and part.endswith(b"\r\n") for part in parts[:2]), "a part")
    found = [_PART.match(part.removeprefix(b"\r\n")) for part in parts[:2]]
    _require([None if one is None else one[1] for one in found] == [b"plain", b"html"], "a part")


def _of_sound_head(head: bytes) -> bytes:
    """What stands between the parts, by a head as it is meant."""
    lines = head.split(b"\r\n")
    _require(head.isascii(), "a sign in its head")
    _require(all(len(line) <= _LONGEST_LINE_OF_WORDS for line in lines if b"=?" in line), "the length of a word")
    began = tuple(line.partition(b": ")[0] for line in lines if not line.startswith(b" "))
    _require(began == _HEADERS, "a header")
    found = _MULTIPART.fullmatch(b"\r\n".join(lines[-2:]))
    _require(found, "a header")
    assert found is not None
    return found[1]


def _is_one_line(text: str) -> bool:
    return _can_be_encoded(text) and not any(category(one) in ("Cc", "Zl", "Zp") for one in text)


def _can_be_encoded(text: str) -> bool:
    """Half a surrogate cannot."""
    return not any(category(one) == "Cs" for one in text)


def _require(right: object, part: str) -> None:
    if not right:
        raise LastingRefusal(f"cannot be written as mail: {part}")
