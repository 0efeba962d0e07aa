"""One worker of `daybook serve`. A module of its own, so that the supervisor need not load the application."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from contextlib import suppress

from api.app import create_app
from api.edge.gate import Gate

_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def application() -> Gate:
    """The application of one worker, which ends with its supervisor, also a killed one."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and os.getppid() != supervisor.pid:
        sys.exit()  # it was killed before we asked to be told
    return create_app()
