"""A worker as its supervisor sees it: started, heard of through a pipe, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil

from api.background import own_program
from api.background.reports import ALIVE, READY

_SILENT = 30.0
"""Seconds without a sign of life, and without having used any processor time, after which a worker hangs."""
_STUCK = 300.0
"""The same however much it computes: its event loop goes nowhere."""


class WorkerProcess:
    """One process that answers requests. It has as long as it needs until it is ready."""

    def __init__(self, *, listener: int, counts: int, place: int) -> None:
        """Raises OSError if it cannot be started."""
        self._pipe, theirs = os.pipe()
        os.set_blocking(self._pipe, False)
        arguments = (os.getpid(), listener, theirs, counts, place)
        command = own_program.command("api.cli.worker", *map(str, arguments))
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                command,
                env=own_program.environment(),
                stdin=subprocess.PIPE,
                pass_fds=(listener, theirs, counts),
                process_group=0,  # Ctrl-C is for the supervisor, which lets them finish
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)
        self.ready_since: float | None = None
        self._heard, self._computed = time.monotonic(), 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def reports(self) -> bytes:
        """What it told since it was asked last, but for signs of life; one that is ready may open the port now."""
        told = b""
        with suppress(BlockingIOError):
            while received := os.read(self._pipe, 4096):
                told += received
        if told:
            self._heard = time.monotonic()
        if READY in told and self.ready_since is None:
            self.ready_since = time.monotonic()
            self._hang_up()
        return told.translate(None, ALIVE)

    def exit_code(self) -> int | None:
        """None while it lives; negative if a signal ended it."""
        return self._process.poll()

    def hangs(self) -> bool:
        """Whether one that was ready says nothing any more and makes no progress either. A starved one makes some."""
        silent = time.monotonic() - self._heard
        if self.ready_since is None or silent < _SILENT:
            return False
        with suppress(psutil.Error):
            times = psutil.Process(self.pid).cpu_times()
            if times.user + times.system > self._computed and silent < _STUCK:
                self._computed = times.user + times.system
                self._heard += _SILENT
                return False
        return True

    def lived(self) -> float:
        """Seconds since it was ready, 0 if it never was."""
        return 0.0 if self.ready_since is None else time.monotonic() - self.ready_since

    def signal(self, number: signal.Signals) -> None:
        """Harmless if it ended."""
        if number == signal.SIGTERM:
            self._hang_up()
        self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))
            return True
        return False

    def close(self) -> None:
        """It has ended."""
        self._hang_up()
        os.close(self._pipe)

    def _hang_up(self) -> None:
        """Standard input ends: it may open the port, or need not wait for that any more."""
        if self._process.stdin is not None:
            self._process.stdin.close()


def ending(exit_code: int) -> str:
    """How a process ended, for the log."""
    if exit_code >= 0:
        return f"with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"by {name}" + (" (out of memory, if nobody sent it)" if name == "SIGKILL" else "")
