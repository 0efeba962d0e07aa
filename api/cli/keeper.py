"""The keeper of the log: one process beside the workers, which runs the sequencer. Any node may have one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from domain.store.sequencer import run_sequencer

from .orphans import end_with

_PATIENCE = 1.0
"""Seconds to end after SIGTERM; one that waits for a frozen database cannot."""


class Keeper:
    """The process as its supervisor sees it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def keep_running(self) -> bool:
        """Start it if it does not run; whether it had ended."""
        ended = self._process is not None and self._process.poll() is not None
        if self._process is None or ended:
            command = [sys.executable, "-m", __name__, str(os.getpid())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own module
        return ended

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Keep the log until told to stop. Argument: the process to end with."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    end_with(int(sys.argv[1]))
    run_sequencer(os.environ["DAYBOOK_DATABASE_URL"], stop)


if __name__ == "__main__":
    main()
