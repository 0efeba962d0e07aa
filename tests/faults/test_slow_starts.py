"""Starts on a machine that has hardly any time for them: slow, and up in the end, with nothing killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from tests.faults.processes import end
from tests.server import Server

STARTS = 5
PATIENCE = 900.0
"""Seconds for one start."""
_ONE, _TWO = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
"""Where control groups of version 1 and 2 are."""


def _new_group() -> Path | None:
    """A control group that has a tenth of a core; None where we may not make one."""
    name = f"daybook-tests-{os.getpid()}"
    first = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "10000"}
    for root, limit in ((_ONE, first), (_TWO, {"cpu.max": "10000 100000"})):
        with suppress(OSError):
            group = root / name
            group.mkdir()
            try:
                for file, value in limit.items():
                    (group / file).write_text(value)
            except OSError:
                group.rmdir()
                continue
            return group
    return None


@contextmanager
def starved() -> Iterator[Path | None]:
    """A group with a tenth of a core or, without the right to make one, twenty processes that take all there is."""
    group = _new_group()
    command = [sys.executable, "-c", "while True: pass"]
    busy = [] if group is not None else [subprocess.Popen(command) for _ in range(20)]
    try:
        yield group
    finally:
        for process in busy:
            process.kill()
            process.wait()
        if group is not None:
            with suppress(OSError):
                group.rmdir()


class Starved(Server):
    """All of its processes live in the group."""

    group: Path | None = None

    def _popen(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        enter = "true" if self.group is None else f"echo $$ > {self.group}/cgroup.procs"
        command = ["/bin/sh", "-c", f'{enter} && exec "$@"', "sh", sys.executable, "-m", "api.cli", "serve"]
        return subprocess.Popen(command, cwd=self.log.parent, env=self.environment, stdout=log, stderr=log)


@pytest.mark.long
def test_five_of_five_starts_on_a_tenth_of_a_core_succeed(tmp_path: Path) -> None:
    took = list[float]()
    with starved() as group:
        for number in range(STARTS):
            # the first also makes the database
            server = Starved(tmp_path / f"log{number}", {"DATA_DIR": tmp_path / "data", "WORKERS": 2})
            server.group = group
            try:
                took.append(server.start(wait=PATIENCE))
            finally:
                if group is not None:
                    # what ends need not starve
                    with suppress(OSError):
                        (group / "cpu.cfs_quota_us").write_text("-1")
                end(server, tmp_path / "data" / "postgres")
                if group is not None:
                    with suppress(OSError):
                        (group / "cpu.cfs_quota_us").write_text("10000")
            log = server.log.read_text()
            assert " ended " not in log
            assert "WARNING" not in log
    print([round(seconds) for seconds in took])
    assert len(took) == STARTS
