"""Children of a supervisor end with it, also with a killed one: they would keep the port and the database busy."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def end_with(supervisor: int) -> None:
    """Be sent SIGTERM when the process with this id ends; end now if it already has."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != supervisor:
        sys.exit()  # it was killed before we asked to be told
