"""What the tests of sending are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.deliveries import smtp
from tests.api.deliveries.handing_over import Taking, close_all, transport_to
from tests.api.deliveries.mail_server import Certificates, Mailbox, certificates
from tests.databases import Database
from tests.inviting import Acme, acme_in


@pytest.fixture
def acme(database: Database) -> Iterator[Acme]:
    """Ada's organization, into which nobody was invited yet."""
    with acme_in(database) as acme:
        yield acme


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """Trusted by this machine, as an operator has it trusted: by OpenSSL's own variable."""
    made = certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    return made


@pytest.fixture(autouse=True)
def all_closed() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def taking() -> Iterator[Taking]:
    """A transport to a server that answers as it is told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtp, "_AWAY_FOR", 0.0)
        yield lambda server, **options: transport_to(f"smtp://localhost:{server.port}?tls=off", **options)
