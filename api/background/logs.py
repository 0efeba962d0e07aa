"""How the processes of `daybook serve` write their logs: one line each, on standard error."""

from __future__ import annotations

import logging
import traceback
from logging.config import dictConfig
from pathlib import Path
from typing import Any

from .reports import OutageHandler, Reports

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class OneLine(logging.Formatter):
    """A record in one line: of an error only what it was and where, since its text may quote what people typed."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message."""
        return " ".join(super().format(record).split("\n")).rstrip()

    def formatException(self, ei: Any) -> str:
        """The type of the error and the innermost place."""
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)
        where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        return f"({kind.__name__}{where})"


class FirstLine(OneLine):
    """Of a record of several lines the first: the others show objects, and with them what people typed."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The format with the message cut."""
        record.message = record.message.partition("\n")[0]
        return super().formatMessage(record)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": OneLine, "format": _FORMAT},
        "first line": {"()": FirstLine, "format": _FORMAT},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain"},
        "first line": {"class": "logging.StreamHandler", "formatter": "first line"},
        "outage": {"()": OutageHandler},
    },
    "loggers": {
        "daybook": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # that the database is away is the supervisor's to say
        "daybook.unavailable": {"handlers": ["outage"], "level": "WARNING", "propagate": False},
        "psycopg": {"handlers": ["outage"], "level": "WARNING", "propagate": False},
        # else what nobody waited for is written with its whole traceback
        "asyncio": {"handlers": ["first line"], "level": "WARNING", "propagate": False},
        # what clients send wrongly is no news: uvicorn would warn of each
        "uvicorn": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}


def log_as_worker(reports: Reports) -> None:
    """The same, and outages are told to the supervisor."""
    outage = {"()": OutageHandler, "reports": reports}
    dictConfig(LOGGING | {"handlers": LOGGING["handlers"] | {"outage": outage}})
