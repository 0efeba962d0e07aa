"""Settings of the pages: whether there are any, and how they look."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from .mail_settings import MailSettings


class PageSettings(MailSettings):
    """Without pages only the API is served, and links in mails lead to the application's own."""

    pages: Literal["on", "off"] = "on"
    # What the service is called on them.
    pages_name: str = Field(default="Daybook", min_length=1, max_length=60)
    # A picture beside the name: a file of PNG, JPEG, WebP, GIF or SVG.
    pages_logo: Path | None = None
    # A sentence at the top of every page.
    pages_notice: str = Field(default="", max_length=500)
    # A style sheet that comes after ours, such as `:root { --accent: #0a7 }`.
    pages_style: Path | None = None
    # The language of who asks for none that there is.
    pages_language: Literal["en", "de"] = "en"

    @field_validator("pages_name")
    @classmethod
    def _require_something_to_see(cls, name: str) -> str:
        # it is all that the link to the front page is called by
        if not any(letter.isprintable() and not letter.isspace() for letter in name):
            raise PydanticCustomError("pages_name", "must have something to see in it")
        return name

    @property
    def page_of_invitations(self) -> str:
        """The URL that the link of an invitation opens."""
        return self._page(self.invitation_page, "/accept-invitation")

    @property
    def page_of_resets(self) -> str:
        """The URL of the page that asks for a new password."""
        return self._page(self.reset_page, "/reset-password")

    @property
    def page_of_confirmations(self) -> str | None:
        """The URL of the page that asks whether an address is somebody's, None if there is none."""
        return f"{self.origin}/confirm-address" if self.has_pages else None

    @property
    def page_of_sessions(self) -> str | None:
        """The URL of the page on which people look through where they are signed in, None if there is none."""
        return self.sessions_page or (f"{self.origin}/account/sessions" if self.has_pages else None)

    def _page(self, named: str | None, ours: str) -> str:
        return named or f"{self.origin}{ours if self.has_pages else '/'}"

    @property
    def has_pages(self) -> bool:
        """Whether pages are served."""
        return self.pages == "on"
