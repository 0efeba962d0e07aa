"""Mail where nobody said how it leaves: beside the embedded database, in a folder that the log names once."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.deliveries.test_invitations_by_mail import mail_to
from tests.api.routes.fellows import Person, new_email
from tests.server import Server, free_port, served


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Not tmp_path: as root that lies in a folder that lets nobody else pass."""
    with tempfile.TemporaryDirectory(prefix="outbox-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def server(data_dir: Path, log: Path) -> Iterator[Server]:
    port = free_port()
    # no address can be at this host
    reached = {"BASE_URL": f"http://127.0.0.1:{port}", "TRUSTED_ORIGINS": f"http://localhost:{port}"}
    with served(log, {"DATA_DIR": data_dir, "WORKERS": 1, "PORT": port, **reached}) as server:
        yield server


def test_messages_are_left_in_the_outbox_for_who_serves_alone(server: Server, data_dir: Path) -> None:
    ada, email = Person(server.url, "Ada"), new_email()
    ada.founds(f"acme-{time.monotonic_ns()}")
    ada.invites(email)
    [message] = mail_to(email, data_dir / "outbox")
    assert message["From"] == "no-reply@localhost"
    [file] = (data_dir / "outbox").glob("*.eml")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_log_names_the_folder_once_and_nothing_that_is_in_it(server: Server, data_dir: Path, log: Path) -> None:
    lines = [line for line in log.read_text().splitlines() if "/outbox" in line and "Mail" in line]
    assert len(lines) == 1
    assert str(data_dir / "outbox") in lines[0]
    assert "@" not in log.read_text()
