"""Names as they may be printed: on one line, and what they seem."""

from __future__ import annotations

from unicodedata import category


def printable(name: str | None) -> str:
    """A name on one line, without what cannot be seen or turns the direction of what can: it may imitate another."""
    seen = (" " if category(one) == "Cc" else one for one in name or "" if category(one) != "Cf")
    return " ".join("".join(seen).split())
