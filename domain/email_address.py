"""E-mail addresses: which are accepted, and the one spelling they are stored and looked up in."""

from __future__ import annotations

import re

LONGEST = 254  # characters; wire.md part A, 18

# Every repetition ends at a character it cannot itself contain, so matching is linear.
_ACCEPTED = re.compile(
    r"[a-z0-9_'+-]+(?:\.[a-z0-9_'+-]+)*(?<!')"
    r"@(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}",
    re.IGNORECASE | re.ASCII,
)

_EITHER_CASE = _ACCEPTED.pattern.replace("a-z", "A-Za-z").replace("(?<!')", "")
PATTERN = f"^(?:{_EITHER_CASE})$"
"""The same for whoever validates with JSON Schema: either case, and no look-behind, which some engines do not have."""


def canonical(text: str) -> str | None:
    """The address in lower case, or None when it is none we accept (wire.md §1). Blanks around it are not forgiven."""
    if len(text) > LONGEST or _ACCEPTED.fullmatch(text) is None:
        return None
    return text.lower()
