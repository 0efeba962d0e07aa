"""Ids as the wire shows them, 32 hex digits (wire.md §1)."""

from __future__ import annotations

import re
from uuid import UUID

_ID = re.compile(r"[0-9a-f]{32}")
_NOBODY = UUID(int=0)


def id_in(text: str | None) -> UUID | None:
    """The id that was given; None if none was. One that cannot be an id is unknown, like any that nothing has."""
    if not text:
        return None
    return UUID(hex=text) if _ID.fullmatch(text) else _NOBODY
