"""How the processes of `daybook serve` write their logs: one line each, on standard error."""

from __future__ import annotations

from typing import Any

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "daybook": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # what clients send wrongly is no news: uvicorn would warn of each
        "uvicorn": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
