"""The database's disk is full: writes are refused, and the log says why, once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.databases import begin_log
from tests.faults.ledger import post_sign_up
from tests.faults.test_starting import LINE, lines, told, until
from tests.server import served


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=0755", "none", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only who may mount a file system can fill one")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(file: Path) -> None:
    with file.open("wb") as filling, suppress(OSError):
        while True:
            os.write(filling.fileno(), b"\0" * 4096)


def test_a_full_disk_is_in_the_log_in_our_words_and_once(small: Path, tmp_path: Path) -> None:
    external = EmbeddedPostgres(small / "external")
    external.start()
    try:
        begin_log(external.conninfo("postgres"))
        with served(tmp_path / "log", {"DATABASE_URL": external.conninfo("daybook"), "WORKERS": 2}) as server:
            fill(small / "filling")
            statuses = list[int]()
            with server.client() as client:
                while statuses.count(503) < 20 and len(statuses) < 500:
                    fill(small / "filling")
                    statuses.append(post_sign_up(client, f"ada.{len(statuses)}@example.com").status_code)
                assert set(statuses) <= {200, 503}
                until(lambda: told(server, "The database's disk is full since") == 1)
                assert client.get("/healthz").status_code == 200
                (small / "filling").unlink()
                until(lambda: post_sign_up(client, f"bo.{os.urandom(4).hex()}@example.com").status_code == 200)  # noqa: TID251
            assert told(server, "disk is full") == 1
            assert [line for line in lines(server) if not LINE.fullmatch(line)] == []
            assert len(lines(server)) <= 3
    finally:
        external.stop()
