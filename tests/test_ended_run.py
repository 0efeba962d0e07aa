"""A run of the tests that is ended from outside leaves no database server behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.processes import end_all
from tests.server import ROOT

SLEEPING = """
import time
from tests.api.cli.clusters import postmaster

def test_that_takes_long(cluster):
    with open(PLACE, "w") as file:
        file.write(str(postmaster(cluster.folder).pid))
    time.sleep(600)
"""
PATIENCE = 240
"""Seconds, on a machine that others keep busy."""


@pytest.mark.parametrize("shell", ["", "trap '' INT; "], ids=["in front", "in the background of a shell"])
@pytest.mark.parametrize("workers", [[], ["--numprocesses", "1"]], ids=["alone", "with a process of its own"])
def test_sigterm_ends_the_servers_of_a_run(tmp_path: Path, workers: list[str], shell: str) -> None:
    place = tmp_path / "postmaster"
    (tmp_path / "test_sleeping.py").write_text(SLEEPING.replace("PLACE", repr(str(place))))
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), *workers]
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(
            ["bash", "-c", f'{shell}exec "$@"', "bash", *command, tmp_path / "test_sleeping.py"],
            cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
    server = None
    try:
        while run.poll() is None and not (place.exists() and place.read_text()):
            time.sleep(0.05)
        assert run.poll() is None, (tmp_path / "log").read_text()
        server = psutil.Process(int(place.read_text()))
        run.send_signal(signal.SIGTERM)
        run.wait(PATIENCE)
        server.wait(PATIENCE)
    finally:
        run.kill()
        run.wait()
        if server is not None and server.is_running():
            end_all([server, *server.children(recursive=True)])
