"""Mail servers on this machine: a real one (aiosmtpd), certificates for it, and one that misbehaves as it is told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.clock import now
from tests.server import free_port

USER, PASSWORD = "daybook@example.com", "p@ss/wörd: 1"
YEAR = timedelta(days=365)


@dataclass
class Mailbox:
    """What a server took, in order: from whom, to whom, the bytes, and by which connection."""

    taken: list[tuple[str, str, bytes, int]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content
        assert content is not None
        peer: Any = session.peer
        self.taken.append((str(envelope.mail_from), envelope.rcpt_tos[0], content, peer[1]))
        return "250 OK"

    def messages(self) -> list[EmailMessage]:
        """The same, read."""
        read = [message_from_bytes(content, policy=policy.default) for _, _, content, _ in self.taken]
        return [one for one in read if isinstance(one, EmailMessage)]

    def connections(self) -> int:
        """By how many it was brought."""
        return len({port for *_, port in self.taken})


@dataclass(frozen=True)
class Certificates:
    """Of an authority of ours, and of a server by it."""

    authority: Path
    server: Path

    def context(self) -> ssl.SSLContext:
        """What the server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context


def certificates(folder: Path, name: str = "localhost") -> Certificates:
    """Written there; the server's is for `name`."""
    key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada's authority")])
    ca = (
        _certificate(issuer, issuer, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    with suppress(ValueError):
        names = [x509.IPAddress(ip_address(name))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _certificate(subject, issuer, own.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    authority, server = folder / "authority.pem", folder / f"{name}.pem"
    authority.write_bytes(ca.public_bytes(pem))
    private = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server.write_bytes(private + certificate.public_bytes(pem))
    return Certificates(authority, server)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - YEAR)
        .not_valid_after(now() + YEAR)
    )


class Ending(Controller):
    """One that hangs up on those who are there when it ends: the library's leaves them to the collector."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._protocols = list[Any]()

    def factory(self) -> Any:
        made: Any = super().factory  # it has no types
        self._protocols.append(made())
        return self._protocols[-1]

    def hang_up(self) -> None:
        for one in self._protocols:
            if one.transport is not None:
                self.loop.call_soon_threadsafe(one.transport.abort)


@contextmanager
def mail_server(mailbox: Mailbox, port: int = 0, **options: Any) -> Iterator[int]:
    """One that takes mail, as aiosmtpd's controller is told; its port."""
    known = port or free_port()
    controller = Ending(mailbox, hostname="127.0.0.1", port=known, **options)
    controller.start()
    try:
        yield known
    finally:
        controller.hang_up()
        controller.stop()


def knows_us(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, auth: Any) -> AuthResult:
    """Lets in who has the password."""
    assert isinstance(auth, LoginPassword)
    right = (auth.login, auth.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


class Line:
    """A connection to one that misbehaves: what was said to it, and what it says."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    def hears(self) -> bytes:
        """One line, empty at the end."""
        return self._file.readline()

    def hears_message(self) -> bytes:
        """Up to the dot."""
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            line = self._file.readline()
            if not line:
                break
            content += line
        return content

    def says(self, text: bytes) -> None:
        self._connection.sendall(text)

    def over(self) -> None:
        """Nothing is read any more; what was said may still be on its way."""
        self._file.close()

    def hangs_up(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Misbehaving:
    """A server whose connections go as `behave` says; `heard` are the lines it was told, `took` what messages."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    took: list[bytes] = field(default_factory=list)
    connections: int = 0


HELLO = b"250-here\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n"


def answering(line: Line, server: Misbehaving, **replies: bytes) -> None:
    """As a server does, but for these answers, by greeting, EHLO, MAIL, RCPT, DATA, content, RSET; empty: hang up."""
    said = {
        "greeting": b"220 here\r\n",
        "EHLO": HELLO,
        "MAIL": b"250 OK\r\n",
        "RCPT": b"250 OK\r\n",
        "DATA": b"354 go on\r\n",
        "content": b"250 OK\r\n",
        "RSET": b"250 OK\r\n",
        "QUIT": b"221 bye\r\n",
    } | replies
    step = "greeting"
    while True:
        if said[step] == b"":
            line.hangs_up()
            return
        line.says(said[step])
        if step == "DATA" and said[step].startswith(b"354"):
            server.took.append(line.hears_message())
            step = "content"
            continue
        heard = line.hears()
        if not heard:
            return
        server.heard.append(heard)
        step = heard.split()[0].decode().upper()


@contextmanager
def misbehaving(behave: Callable[[Line, Misbehaving], None]) -> Iterator[Misbehaving]:
    """One on this machine."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Misbehaving(listening.getsockname()[1])
    connections = list[socket.socket]()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connections.append(connection)
            server.connections += 1
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        line = Line(connection)
        with suppress(OSError, ValueError):
            behave(line, server)
        line.over()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for one in connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        thread.join(5)
