"""One connection to a mail server, from its greeting on: every step within one deadline, every answer within bounds.

The standard library's client speaks the protocol (RFC 5321). What it waits for without end is done here: its timeouts
are for each byte, and its answers may have any number of lines.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from base64 import b64encode
from contextlib import suppress
from typing import Any

from api.smtp_url import SmtpServer

_LONGEST_REPLY = 16_384
"""Bytes, all its lines together; RFC 5321 §4.5.3.1.5 has 512 for each."""
_REPLY = re.compile(rb"([2-5][0-9]{2})(?:[ -][^\r\n]*)?\r?\n")
_GOODBYE = 1.0
"""Seconds for the last words."""

Deadline = float
"""A moment by `time.monotonic`."""


class SmtpTrouble(Exception):
    """A step failed: `said` is the code the server said, 0 if it said none; `word` ours for what happened instead.

    What the server wrote beside its code is in neither: it may quote addresses.
    """

    def __init__(self, step: str, said: int = 0, word: str = "") -> None:
        super().__init__(f"{said or word} at {step}")
        self.step, self.said, self.word = step, said, word

    @property
    def gone(self) -> bool:
        """Whether the connection is of no use any more."""
        return self.said in (0, 421)


class SmtpSession(smtplib.SMTP):
    """Connected, encrypted and signed in where it is to be, once it is made. Methods raise SmtpTrouble.

    TLS by the system's trust, 1.2 or newer, for the server's own name; where it is asked for (STARTTLS) nothing goes on
    without it.
    """

    def __init__(self, server: SmtpServer, own_name: str, until: Deadline) -> None:
        super().__init__(local_hostname=own_name)
        self._until, self._step, self._received = until, "connecting", bytearray()
        try:
            self._begin(server)
        except BaseException:
            self.close()
            raise

    def _begin(self, server: SmtpServer) -> None:
        self.sock: Any = self._connected(server)
        if server.security == "tls":
            self._encrypt(server.host)
        self._expect(220, "the greeting", self.getreply)
        self._say_hello()
        if server.security == "starttls":
            if not self.has_extn("starttls"):
                raise SmtpTrouble("STARTTLS", word="none offered")
            self._expect(220, "STARTTLS", lambda: self.docmd("STARTTLS"))
            if self._received:
                # said in the clear and to be taken for what was said in secret (CVE-2011-0411)
                raise SmtpTrouble("STARTTLS", word="garbage")
            self._encrypt(server.host)
            self.esmtp_features = {}
            self._say_hello()
        if server.user:
            self._sign_in(server)

    def _connected(self, server: SmtpServer) -> socket.socket:
        addresses = _addresses(server.host, server.port, self._left())
        last: OSError | None = None
        for number, (family, address) in enumerate(addresses):
            one = socket.socket(family, socket.SOCK_STREAM)
            try:
                # one that does not answer leaves the others their time
                one.settimeout(self._left() / (len(addresses) - number))
                one.connect(address)
            except OSError as error:
                one.close()
                last = error
            else:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return one
        raise SmtpTrouble(self._step, word=_word(last or OSError()))

    def _encrypt(self, host: str) -> None:
        self._step = "TLS"
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.sock.settimeout(self._left())
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        except OSError as error:
            raise SmtpTrouble(self._step, word=_word(error)) from None

    def _say_hello(self) -> None:
        self._expect(250, "EHLO", self.ehlo)

    def _sign_in(self, server: SmtpServer) -> None:
        """PLAIN (RFC 4616) or LOGIN, in UTF-8; over TLS both are as good as what hides the password."""
        offered = str(self.esmtp_features.get("auth", "")).upper().split()
        user, password = server.user.encode(), server.password.encode()
        if "PLAIN" in offered:
            secret = b64encode(b"\0" + user + b"\0" + password).decode()
            self._expect(235, "AUTH", lambda: self.docmd("AUTH", f"PLAIN {secret}"))
        elif "LOGIN" in offered:
            self._expect(334, "AUTH", lambda: self.docmd("AUTH", "LOGIN"))
            self._expect(334, "AUTH", lambda: self.docmd(b64encode(user).decode()))
            self._expect(235, "AUTH", lambda: self.docmd(b64encode(password).decode()))
        else:
            raise SmtpTrouble("AUTH", word="none offered")

    def hand_over(self, sender: str, recipient: str, content: bytes, until: Deadline) -> None:
        """One message, whole; `content` ends its lines with CRLF. What failed at `the content` may have been taken."""
        self._until = until
        self._expect(250, "MAIL", lambda: self.mail(sender, self._options(content)))
        # 251: it forwards it (RFC 5321 §3.4)
        self._expect((250, 251), "RCPT", lambda: self.rcpt(recipient))
        self._expect(354, "DATA", lambda: self.docmd("DATA"))
        self._step = "the content"
        # lines of one dot would end it (RFC 5321 §4.5.2)
        self.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        self._expect(250, "the content", self.getreply)

    def begin_anew(self, until: Deadline) -> None:
        """After another message: what was begun is forgotten, and the server is seen to be there."""
        self._until = until
        self._expect(250, "RSET", self.rset)

    @property
    def takes_eight_bits(self) -> bool:
        """Whether bodies need not be ASCII (RFC 6152)."""
        return self.has_extn("8bitmime")

    def _options(self, content: bytes) -> list[str]:
        size = [f"SIZE={len(content)}"] if self.has_extn("size") else []
        return [*size, "BODY=8BITMIME"] if self.takes_eight_bits and not content.isascii() else size

    def say_goodbye(self) -> None:
        """And close it, whatever becomes of that."""
        self._until = time.monotonic() + _GOODBYE
        with suppress(SmtpTrouble, OSError, smtplib.SMTPException):
            self.docmd("QUIT")
        self.close()

    def _expect(self, wanted: int | tuple[int, ...], step: str, speak: Any) -> None:
        self._step = step
        try:
            said = speak()[0]
        except smtplib.SMTPException:
            raise SmtpTrouble(step, word="disconnected") from None
        if said not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            raise SmtpTrouble(step, said)

    def send(self, s: Any) -> None:
        """All of it, before the deadline."""
        try:
            self.sock.settimeout(self._left())
            self.sock.sendall(s.encode("ascii") if isinstance(s, str) else s)
        except OSError as error:
            raise SmtpTrouble(self._step, word=_word(error)) from None

    def getreply(self) -> tuple[int, bytes]:
        """The code of an answer and its lines; all of them say the same code (RFC 5321 §4.2.1)."""
        lines, code, size = list[bytes](), b"", 0
        while True:
            line = self._line(_LONGEST_REPLY - size)
            size += len(line)
            found = _REPLY.fullmatch(line)
            if found is None or code not in (b"", found[1]):
                raise SmtpTrouble(self._step, word="garbage")
            code = found[1]
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(code), b"\n".join(lines)

    def _line(self, longest: int) -> bytes:
        while (end := self._received.find(b"\n") + 1) == 0:
            if len(self._received) > longest:
                raise SmtpTrouble(self._step, word="garbage")
            try:
                self.sock.settimeout(self._left())
                more = self.sock.recv(4096)
            except OSError as error:
                raise SmtpTrouble(self._step, word=_word(error)) from None
            if not more:
                raise SmtpTrouble(self._step, word="disconnected")
            self._received += more
        line = bytes(self._received[:end])
        del self._received[:end]
        if len(line) > longest:
            raise SmtpTrouble(self._step, word="garbage")
        return line

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise SmtpTrouble(self._step, word="timeout")
        return left


def _addresses(host: str, port: int, left: float) -> list[tuple[int, Any]]:
    """Where that is. A resolver takes as long as it likes, so another thread waits for it."""
    found = list[tuple[int, Any]]()

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            found.extend((one[0], one[4]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    resolving = threading.Thread(target=resolve, name="resolver", daemon=True)
    resolving.start()
    resolving.join(left)
    if not found:
        raise SmtpTrouble("connecting", word="timeout" if resolving.is_alive() else "no such host")
    return [*found]


def _word(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError):
        return "TLS"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "disconnected" if isinstance(error, ConnectionError) else "unreachable"
