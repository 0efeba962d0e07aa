"""What somebody may give as a picture of themselves or of an organization (wire.md A18, A36)."""

from __future__ import annotations

import re

from domain import pictures
from domain.pictures import NotAPicture, Picture, picture_in

LONGEST_URL = 2048
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*|/(?![/\\])[^\s\\]*", re.IGNORECASE)


def require_picture_url(text: str) -> str:
    """An address of a picture, or a picture in a `data:` URL; empty for none. Raises ValueError, which says why."""
    if text.startswith(pictures.SCHEME):
        _require_at_most(pictures.LONGEST_URL, text)
        try:
            picture_in(text)
        except NotAPicture:
            raise ValueError("Invalid image: not a PNG, JPEG, WebP or GIF in base64 that is what it says") from None
    elif text:
        _require_at_most(LONGEST_URL, text)
        if not (_URL.fullmatch(text) and text.isprintable()):
            raise ValueError("Invalid image URL")
    return text


def _require_at_most(longest: int, text: str) -> None:
    if len(text) > longest:
        raise ValueError(f"Too big: expected string to have <={longest} characters")


def wanted(url: str) -> Picture | str:
    """What somebody wants to show with an accepted URL: the picture in it, or the URL."""
    return picture_in(url) if url.startswith(pictures.SCHEME) else url
