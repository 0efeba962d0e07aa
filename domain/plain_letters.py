"""Text as it is compared where case, accents, width and signs are none of the difference."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Small letters without accents: José, JOSE\u0301 and jose are the same name."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one)).casefold()


def squeezed(text: str) -> str:
    """Its letters and digits alone."""
    return "".join(filter(str.isalnum, text))
