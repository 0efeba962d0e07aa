"""Fields that several bodies have, and what is accepted in them (wire.md §1, A18)."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from domain.email_address import canonical

NOTHING_TO_UPDATE = "No fields to update"
"""What is answered, without a code, to a body with nothing in it that may be set."""

_OWN_IMAGE = re.compile(r"/(?![/\\])[^\s\\]*|data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]*={0,2}", re.ASCII)
_IMAGE_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


def _email(text: str) -> str:
    if canonical(text) is None:
        raise ValueError("Invalid email address")
    return text


def _image_url(text: str) -> str:
    if text and not _IMAGE_URL.fullmatch(text):
        raise ValueError("Invalid image URL")
    return text


def _logo_url(text: str) -> str:
    if text and not (_IMAGE_URL.fullmatch(text) or _OWN_IMAGE.fullmatch(text)):
        raise ValueError("Invalid logo URL")
    return text


PersonsName = Annotated[str, Field(max_length=200)]
EmailAddress = Annotated[str, AfterValidator(_email)]
ImageUrl = Annotated[str, Field(max_length=2048), AfterValidator(_image_url)]
"""An address of http or https; empty for none."""
LogoUrl = Annotated[str, Field(max_length=2048), AfterValidator(_logo_url)]
"""The same, a path on the application's own host, or a small picture itself; nothing that a page could run."""

_ID = re.compile(r"[0-9a-f]{32}")
_NOBODY = UUID(int=0)


def id_in(text: str | None) -> UUID | None:
    """The id that was given; None if none was. One that cannot be an id is unknown, like any that nothing has."""
    if not text:
        return None
    return UUID(hex=text) if _ID.fullmatch(text) else _NOBODY
