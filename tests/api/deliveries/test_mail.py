"""A message as RFC 5322 has it: read back by the standard library, and by a reading of our own that decodes nothing
but encoded words."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.deliveries.mail import Mail, require_sound
from api.deliveries.transport import LastingRefusal
from api.setting_values import Mailbox
from tests.people import NOON

MAIL = Mail(
    name="invitation.00000000000000000000000000000001.1",
    sender=Mailbox("Accounts", "no-reply@accounts.example.com"),
    recipient="bo@example.com",
    subject="Invitation to “Analytical Engines”",
    text="Grüße,\n\nhttps://app.example.com/join?invitationId=0123456789abcdef0123456789abcdef&x=" + "y" * 100 + "\n",
    html="<p>Grüße,</p>\n",
    at=NOON,
)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]
BOUNDARY = MAIL.content.partition(b'boundary="=_')[2][:32]
BODY_AND_COPY = (
    "x =?us-ascii?q?a=0ABcc=3Av1@y.zz=0AContent-Type=3Atext/html=0A=0A=3Ca_href=3Dhttp=3A//evil.zz=3E"
    "Your_account_is_locked=3C/a=3E=3C!--?= " + 40 * "y" + " " + 23 * "z"
)
"""The name of an organization that the library's own parser makes a copy to somebody else and a page of HTML of."""


def read(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def text_of(mail: Mail) -> str:
    """The first part, and that the second is the HTML."""
    text, html = parts_of(read(mail))
    assert text.get_content_type() == "text/plain"
    assert html.get_content() == mail.html.replace("\n", "\r\n")
    return str(text.get_content())


def parts_of(message: EmailMessage) -> list[EmailMessage]:
    """Both, and that there are no more: nobody sees only one of them, and neither hides in the other."""
    assert message.get_content_type() == "multipart/alternative"
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.keys() for part in parts] == [["Content-Type", "Content-Transfer-Encoding"]] * 2
    assert all(part.defects == [] for part in parts)
    return parts


def head_of(content: bytes) -> list[tuple[str, str]]:
    """Names and values as they stand in the bytes; where lines were folded (RFC 5322 §2.2.3), they are joined again."""
    lines = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or len(line) > 998 for line in lines)
    assert all(len(line) <= 76 for line in lines if b"=?" in line), "RFC 2047 §2"
    unfolded = list[str]()
    for line in (line.decode("ascii") for line in lines):
        if line.startswith(" "):
            unfolded[-1] += line
        else:
            unfolded.append(line)
    return [(name, value) for name, _, value in (line.partition(": ") for line in unfolded)]


def decoded(value: str) -> str:
    """What a value says; each encoded word is decoded by itself (RFC 2047 §5), and what is none stands for itself."""
    if not value.startswith("=?"):
        return value
    words = value.split(" ")
    assert all(re.fullmatch(r"=\?utf-8\?b\?[A-Za-z0-9+/]+=*\?=", word) for word in words)
    read = list[str]()
    for [(text, charset)] in map(decode_header, words):
        assert isinstance(text, bytes)
        assert charset == "utf-8"
        read.append(text.decode())
    return "".join(read)


def test_it_reads_back_as_it_was_written() -> None:
    message = read(MAIL)
    assert dict(message.items()) == {
        "From": "Accounts <no-reply@accounts.example.com>",
        "To": "bo@example.com",
        "Subject": "Invitation to “Analytical Engines”",
        "Date": "Sat, 14 Mar 2026 12:00:00 +0000",
        "Message-ID": "<invitation.00000000000000000000000000000001.1@accounts.example.com>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{message.get_boundary()}"',
        "Content-Transfer-Encoding": "8bit",
    }
    assert text_of(MAIL) == MAIL.text.replace("\n", "\r\n")


def test_its_head_is_ascii_and_its_links_are_whole() -> None:
    """RFC 5322 §2.1.1 and §2.2: CRLF, no line longer than 998; who reads the file can follow a link from there."""
    head, _, body = MAIL.content.partition(b"\r\n\r\n")
    assert head.isascii()
    assert MAIL.text.replace("\n", "\r\n").encode() in body
    assert MAIL.html.replace("\n", "\r\n").encode() in body
    assert MAIL.content.count(b"\n") == MAIL.content.count(b"\r\n")
    assert max(map(len, MAIL.content.split(b"\r\n"))) <= 998


CHARSETS = st.sampled_from(
    ["us-ascii", "ascii", "US-ASCII", "utf-8", "utf8", "UTF-8", "iso-8859-1", "latin1", "windows-1252", "utf-7",
     "utf-16", "utf-32", "shift_jis", "iso-2022-jp", "unknown-8bit", "idna", "rot13", "x", "", "utf-8*en"]
)  # fmt: skip
SPOILT = st.sampled_from(
    ["=0D=0A", "=0A", "=0D", "=0ABcc=3Av1@y.zz=0A", "=0D=0A=0D=0A<b>", "=E2=80=AEgnp.exe", "=E2=80=9D_locked", "=00",
     "DQpCY2M6IHYxQHkueno=", "CkJjYzogdjFAeS56eg==", "4oCuZ25wLmV4ZQ==", "=", "", "_", "a b", "+AA0ACg-"]
)  # fmt: skip
ENCODED_WORDS = st.builds(
    "=?{}?{}?{}?={}".format,
    CHARSETS,
    st.sampled_from(["q", "Q", "b", "B", "x", ""]),
    st.lists(SPOILT, max_size=4).map("".join),
    st.sampled_from(["", " ", "x", "?="]),
)
RUNS = st.builds(lambda sign, number: sign * number, st.sampled_from('yz é😀=?_,:;<>()[]"\\@.\t'), st.integers(0, 90))
# what nobody can be called, since it ends a line or cannot be written at all, has a test of its own
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=60)
HOSTILE = (
    st.lists(st.one_of(ENCODED_WORDS, RUNS, ANY_TEXT), max_size=8)
    .map("".join)
    .filter(lambda text: text != "" and "\t" not in text)
)


@given(HOSTILE)
@example("Invitation to “" + BODY_AND_COPY + "”")
@example("Invitation to “=?utf-8?q?=E2=80=AEgnp.exe?=”")
@example("Invitation to “=?utf-8?q?=E2=80=9D_Your_account_is_locked?=”")
@example("=?utf-8?q?a=0D=0ABcc=3A_x@y.z=0D=0A?=")
@example(" x ")
@example("x" * 2_000)
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    mail = replace(MAIL, subject=text, sender=Mailbox(text, "no-reply@accounts.example.com"))
    head = head_of(mail.content)
    assert [name for name, _ in head] == HEADERS
    values = dict(head)
    assert decoded(values["Subject"]) == text
    name, _, address = values["From"].rpartition(" ")
    assert (decoded(name), address) == (text, "<no-reply@accounts.example.com>")
    assert mail.content.partition(b"\r\n\r\n")[2] == MAIL.content.partition(b"\r\n\r\n")[2]


@given(HOSTILE)
@example(BODY_AND_COPY)
def test_the_library_reads_no_other_header_and_no_other_body_in_it(text: str) -> None:
    message = message_from_bytes(replace(MAIL, subject=text).content)
    assert message.keys() == HEADERS
    _, *parts = message.walk()
    shown = [part.get_payload(decode=True) for part in parts]
    assert shown == [one.replace("\n", "\r\n").encode() for one in (MAIL.text, MAIL.html)]


MORE = "x@example.com\r\nBcc: cy@example.com"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sender": Mailbox("", MORE)}, "sender's address"),
        ({"sender": Mailbox(MORE, "x@example.com")}, "sender's name"),
        ({"sender": Mailbox("", "x@2001:db8::1")}, "sender's address"),
        ({"recipient": MORE}, "recipient's address"),
        ({"recipient": "Bo <bo@example.com>"}, "recipient's address"),
        ({"recipient": "bo@example.com, cy@example.com"}, "recipient's address"),
        ({"recipient": "bö@example.com"}, "recipient's address"),
        ({"recipient": "bo@" + "x" * 1_000 + ".com"}, "the length of a line"),
        ({"subject": MORE}, "subject"),
        ({"subject": "a\u2028b"}, "subject"),
        ({"subject": "a\x00b"}, "subject"),
        ({"subject": "\ud800"}, "subject"),
        ({"text": "\ud800"}, "text"),
        ({"text": "a\rb"}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": " \n"}, "text"),
        ({"html": "a\rb"}, "HTML"),
        ({"html": ""}, "HTML"),
        ({"subject": ""}, "subject"),
        ({"name": "a>\r\nBcc: x"}, "name"),
    ],
)
def test_what_cannot_be_written_as_mail_is_refused_for_good_and_says_which_part(
    changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LastingRefusal) as refused:
        replace(MAIL, **changed)
    assert refused.value.reason == f"cannot be written as mail: {reason}"


@pytest.mark.parametrize(
    ("written", "instead", "reason"),
    [
        (b"\r\nTo: bo@example.com", b"\r\nTo: bo@example.com\r\nBcc: cy@example.com", "a header"),
        (b"\r\nTo: bo@example.com", b"\r\nTo: bo@example.com\r\nTo: cy@example.com", "a header"),
        (b"\r\nTo: bo@example.com", b"\r\nto: bo@example.com", "a header"),
        (b"\r\nTo: bo@example.com", b"", "a header"),
        (b"\r\nTo: bo@example.com", b"\r\n\r\nTo: bo@example.com", "a header"),
        (b"\r\nTo: bo@example.com", b"\r\nTo: bo@example.com\nBcc: cy@example.com", "an end of line"),
        (b"\r\nTo: bo@example.com", b"\r\nTo: bo@example.com\rBcc: cy@example.com", "an end of line"),
        (b"bo@example.com", "bö@example.com".encode(), "a sign in its head"),
        (b"bo@example.com", b"=?utf-8?b?" + b"QUJD" * 20 + b"?=", "the length of a word"),
        (b"bo@example.com", b"x" * 1_000, "the length of a line"),
        (b"=_", b"=-", "a header"),
        (b"multipart/alternative", b"multipart/mixed", "a header"),
        (b"8bit\r\n\r\nGr", b"8bit\r\nX: y\r\n\r\nGr", "a part"),
        (b"text/plain", b"text/html", "a part"),
        (b"text/html", b"text/plain", "a part"),
        (b'text/html; charset="utf-8"', b"text/html; name=x.exe", "a part"),
        (b"--\r\n", b"\r\n", "a part"),
        (b"<p>", b"--=_" + BOUNDARY + b"\r\n\r\n<p>", "a part"),
        (b"--\r\n", b"--\r\nmore", "a part"),
        (b"yyyy\r\n", b"yyyy\n", "an end of line"),
        (b"yyyy\r\n", b"y" * 1_000 + b"\r\n", "the length of a line"),
        (b"yyyy\r\n", b"y\0\r\n", "an end of line"),
    ],
)
def test_whatever_went_wrong_in_writing_it_the_last_look_finds_it(written: bytes, instead: bytes, reason: str) -> None:
    require_sound(MAIL.content)
    assert written in MAIL.content
    with pytest.raises(LastingRefusal) as refused:
        require_sound(MAIL.content.replace(written, instead))
    assert refused.value.reason == f"cannot be written as mail: {reason}"


@pytest.mark.parametrize("name", ["", "Accounts", "Acme, Inc.: “Accounts”"])
def test_its_id_is_of_the_senders_domain(name: str) -> None:
    message_id = read(replace(MAIL, sender=Mailbox(name, "no-reply@accounts.example.com")))["Message-ID"]
    assert message_id == "<invitation.00000000000000000000000000000001.1@accounts.example.com>"


@pytest.mark.parametrize("length", [998, 999, 5_000])
@pytest.mark.parametrize("sign", ["x", "é", "😀", "=", ".", " "])
def test_no_line_of_a_body_is_too_long_for_a_mail_server(length: int, sign: str) -> None:
    """RFC 5322 §2.1.1 and RFC 5321 §4.5.3.1.6: 998 bytes; the text is the same, blanks before an end of line too."""
    line = sign * (length // len(sign.encode())) + "x" * (length % len(sign.encode()))
    text = f"{line}\n.\n\nFrom here  \n{line}\n"
    mail = replace(MAIL, text=text, html=text)
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert mail.content.count(b"\n") == mail.content.count(b"\r\n") == mail.content.count(b"\r")
    assert [name for name, _ in head_of(mail.content)] == HEADERS
    assert text_of(mail) == mail.text.replace("\n", "\r\n")


def test_what_stands_between_the_parts_stands_in_none_of_them() -> None:
    """Whatever a text has: also what would have been taken first."""
    taken = f"--=_{BOUNDARY.decode()}"
    mail = replace(MAIL, text=f"a\n{taken}\n\nContent-Type: text/html\n{taken}--\n", html=f"<p>{taken}</p>\n")
    assert text_of(mail) == mail.text.replace("\n", "\r\n")
    assert replace(mail, at=NOON).content == mail.content


@given(HOSTILE, HOSTILE)
@example("\n--=_x\n", "</html>\n.\n")
def test_any_text_comes_out_as_it_went_in_where_servers_take_eight_bits_and_where_not(text: str, html: str) -> None:
    mail = replace(MAIL, text=f"{text}\n.\nx", html=f"{html}\nx\n")
    for content in (mail.content, mail.in_ascii):
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        shown = [part.get_payload(decode=True) for part in parts_of(message)]
        assert shown == [one.replace("\n", "\r\n").encode() for one in (mail.text, mail.html)]
        assert message["Message-ID"] == f"<{mail.name}@accounts.example.com>"
    assert mail.in_ascii.isascii()
