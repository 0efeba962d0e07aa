"""The processes of a PostgreSQL on a data folder: which they are, and ending them however they were left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

_PROGRESS_EVERY = 0.5
"""Seconds between two looks whether a start gets anywhere."""


def pid_file(data: Path) -> list[str]:
    """Lines of postmaster.pid: the first is the process id, the fifth the folder of the socket, the eighth the state.

    None when there is no such file.
    """
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except OSError:
        return []


def end(child: subprocess.Popen[bytes], data: Path) -> None:
    """Fast shutdown of our own server; after 2.5 s an immediate one; after 3.2 s whatever works there is killed.

    Whom the kernel keeps a while yet, since a disk is slow, goes when it lets go; the next start sweeps.
    """
    for sign, patience in ((signal.SIGINT, 2.5), (signal.SIGQUIT, 0.7)):  # signals to a child that ended are none
        child.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    if child.poll() is None:
        child.kill()
        for process in _working_in(data):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(1)


def sweep(data: Path) -> bool:
    """End what a killed predecessor left working in a data folder; whether nothing of it is left.

    Else a busy backend blocks the start for a minute.
    """
    for sign, patience in ((signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 30.0)):
        deadline = time.monotonic() + patience
        # Looked for anew each time: what is being ended may still start a child.
        while (left := _working_in(data)) and time.monotonic() < deadline:
            master = [process for process in left if pid_file(data)[:1] == [str(process.pid)]]
            if sign is signal.SIGINT and not master:
                break
            for process in master if sign is signal.SIGINT else left:
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    process.send_signal(sign)
            time.sleep(0.02)
    return not _working_in(data)


class Progress:
    """Whether a process and those below it get anywhere: compute, read or write, or their log grows.

    A deadline would say how fast the machine must be.
    """

    def __init__(self, look: Callable[[], tuple[int | None, int]]) -> None:
        """`look` gives the process and the size of its log."""
        self._look = look
        self._seen: object = None
        self._at = self._asked = time.monotonic()

    def stood_still(self) -> float:
        """Seconds since it last got anywhere."""
        now = time.monotonic()
        if now - self._asked > _PROGRESS_EVERY:
            self._asked = now
            pid, logged = self._look()
            seen = (pid, logged, _work(pid))
            if seen != self._seen:
                self._seen, self._at = seen, now
        return now - self._at


def _work(pid: int | None) -> tuple[float, int]:
    """Seconds computed, bytes read and written by a process and all below it."""
    computed, moved = 0.0, 0
    if pid is None:
        return computed, moved
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error, AttributeError):
                times = one.cpu_times()
                computed += times.user + times.system
                counters = one.io_counters()
                moved += counters.read_bytes + counters.write_bytes
    return computed, moved


def _working_in(data: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] in ("postgres", "initdb"):
            with suppress(psutil.Error, OSError):
                # Linux's link leads into the process's own view of the files: a container's /data is not ours.
                cwd = f"/proc/{process.pid}/cwd" if sys.platform == "linux" else process.cwd()
                if os.path.samefile(cwd, data):
                    found.append(process)
    return found
