"""Word to the operator about pages that were turned away: more often a forgotten setting than an attack."""

from __future__ import annotations

import logging

from .origins import origin_of

_MOST = 20
"""Origins that are told of; whoever makes them up does not fill the log."""

_logger = logging.getLogger("daybook")


class RefusedOrigins:
    """Tells of each origin once, in one line, of so many at most. Belongs to the event loop."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._told = set[str]()

    def refused(self, sender: str) -> None:
        """A page was refused that called itself this. What is no origin no browser has sent, and it is not told."""
        origin = origin_of(sender)
        if origin is None or origin in self._told or len(self._told) >= _MOST:
            return
        self._told.add(origin)
        _logger.warning(
            "Pages of %s are refused: neither DAYBOOK_BASE_URL (%s) nor DAYBOOK_TRUSTED_ORIGINS names their origin.",
            origin,
            self._base_url,
        )
