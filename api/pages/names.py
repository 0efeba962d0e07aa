"""Names as people may type them on pages: more than nothing to see, one line, and no longer than the wire takes."""

from __future__ import annotations

import unicodedata

from .wording import Wording
from .wording import marked as _

LONGEST = 200
"""Characters of a name (wire.md A18); a browser's `maxlength` counts UTF-16 code units, two for an emoji."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol that look like a space."""


def wrong_with_name(name: str, wording: Wording, *, missing: str) -> str | None:
    """What to say of a name that is refused, None of a good one; `missing` is what is said where nothing was typed."""
    if not name.strip():
        return wording.text(missing)
    if len(name) > LONGEST:
        return wording.text(_("This is too long: %(number)s characters at most."), number=wording.number(LONGEST))
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        return wording.text(_("Line breaks, tabs and other control characters cannot stand here."))
    if not any(unicodedata.category(letter)[0] in "LNPS" and letter not in _BLANK for letter in name):
        return wording.text(_("Nothing of this can be seen."))
    return None
