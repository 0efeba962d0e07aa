"""Cursors: places in a journal, where a page ends and the next one begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LAST = 2**62
_CURSOR = re.compile(r"(-1(?=\.)|[0-9]{1,18})(?:\.([0-9a-f]{2,128}))?")


class BadCursor(ValueError):
    """Not a cursor of ours."""


@dataclass(frozen=True, order=True, slots=True)
class Cursor:
    """Where an entry stands: at a position of the log; attempts come after the event there, in order of their keys."""

    position: int
    key: bytes = b""

    def __str__(self) -> str:
        return f"{self.position}.{self.key.hex()}" if self.key else str(self.position)

    @staticmethod
    def of(cursor: str) -> Cursor:
        """The cursor of a text; of an empty one, the end of the log. Raises BadCursor."""
        if not cursor:
            return Cursor(_LAST)
        found = _CURSOR.fullmatch(cursor)
        if found is None or len(found[2] or "") % 2:
            raise BadCursor
        return Cursor(int(found[1]), bytes.fromhex(found[2] or ""))
