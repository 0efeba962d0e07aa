"""Fields that several bodies have, and what is accepted in them (wire.md §1, A18)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.email_address import canonical

NOTHING_TO_UPDATE = "No fields to update"
"""What is answered, without a code, to a body with nothing in it that may be set."""

_IMAGE_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


def _email(text: str) -> str:
    if canonical(text) is None:
        raise ValueError("Invalid email address")
    return text


def _image_url(text: str) -> str:
    if text and not _IMAGE_URL.fullmatch(text):
        raise ValueError("Invalid image URL")
    return text


PersonsName = Annotated[str, Field(max_length=200)]
EmailAddress = Annotated[str, AfterValidator(_email)]
ImageUrl = Annotated[str, Field(max_length=2048), AfterValidator(_image_url)]
"""An address of http or https; empty for none."""
