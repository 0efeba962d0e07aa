"""The background process: beside the workers, for everything that works on the log."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

from domain.ids import new_token
from domain.store.wakeups import BACKGROUND_SOCKET

from . import own_program

_PATIENCE = 1.0
"""Seconds to end after SIGTERM; one that waits for a frozen database cannot."""
_TASKS = "api.background.tasks"


class BackgroundProcess:
    """The process as its supervisor sees it. Made before the workers, who learn from it how to wake the process."""

    def __init__(self) -> None:
        os.environ[BACKGROUND_SOCKET] = f"daybook-{new_token()}"
        self._process: subprocess.Popen[bytes] | None = None

    def keep_running(self) -> bool:
        """Start it if it does not run; whether it had ended."""
        ended = self._process is not None and self._process.poll() is not None
        if self._process is None or ended:
            command, environment = own_program.command(_TASKS, str(os.getpid())), own_program.environment()
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603  our own
        return ended

    def exit_code(self) -> int | None:
        """How it ended, None while it runs or was never started."""
        return None if self._process is None else self._process.poll()

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
            self._process.kill()
            self._process.wait()
