"""How a command of the command line says that it will not go on."""

from __future__ import annotations


class WontStart(Exception):
    """Why nothing was started, in one sentence for the operator."""
