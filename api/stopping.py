"""Whether this process is about to stop: readiness then says no, and every answer asks to close the connection."""

from __future__ import annotations

import threading

STOPPING = threading.Event()
GRACE = 3.0
"""Seconds that requests in flight have to finish: with the database's own shutdown below ten."""
