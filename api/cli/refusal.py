"""How a command of the command line says that it will not go on."""

from __future__ import annotations

import psycopg


class WontStart(Exception):
    """Why nothing was started, in one sentence for the operator."""


def first_line(error: psycopg.Error) -> str:
    """What the database or the driver said, without the full stop."""
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
