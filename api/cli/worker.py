"""One worker of `daybook serve`. A module of its own, so that the supervisor need not load the application."""

from __future__ import annotations

import multiprocessing

from api.app import create_app
from api.edge.gate import Gate

from .orphans import end_with


def application() -> Gate:
    """The application of one worker."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and supervisor.pid is not None:
        end_with(supervisor.pid)
    return create_app()
