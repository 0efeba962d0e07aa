"""Settings of mail: whom it is from, by which way it leaves, and which pages its links open."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from .deployment_settings import DeploymentSettings
from .setting_values import Mailbox, is_page, mailbox, may_be_mailed_from
from .sites import host_of
from .smtp_url import SmtpServer, smtp_server

_HERE = "http://localhost"


class MailSettings(DeploymentSettings):
    """Mail leaves by a server, or into a folder from which a server takes it. With the embedded database and neither
    it is left in `outbox`, to be looked at.
    """

    # Whom messages to people are from, an address with or without a name; else no-reply at the host of base_url.
    mail_from: str | None = None
    # Where they are left for a mail server, as .eml files.
    mail_folder: Path | None = None
    # The mail server that takes them, such as smtp://user:password@mail.example.com.
    smtp_url: SecretStr | None = None
    # For how long one message is tried at once, all steps together: less than the minute it is leased for.
    smtp_timeout: int = Field(default=30, ge=1, le=45)
    # A folder with texts of the operator's in place of ours, in files called as ours are.
    mail_templates: Path | None = None
    # The page that the link of an invitation opens; else the front page of base_url.
    invitation_page: str | None = None
    # The page that asks for a new password, where who asked for the link named none; else the front page of base_url.
    reset_page: str | None = None
    # The page on which people look through where they are signed in.
    sessions_page: str | None = None
    # Whether they are told of a sign-in from a browser, system and network they were never seen on.
    new_device_mail: Literal["on", "off"] = "on"

    @field_validator("mail_from")
    @classmethod
    def _require_sender(cls, sender: str | None) -> str | None:
        if sender is not None and mailbox(sender) is None:
            message = (
                "must be one address, such as no-reply@example.com or Accounts <no-reply@example.com>;"
                ' a name with punctuation in quotation marks: "Example, Inc." <no-reply@example.com>'
            )
            raise PydanticCustomError("sender", message)
        return sender

    @field_validator("mail_folder")
    @classmethod
    def _require_sender_of_files(cls, folder: Path | None, others: ValidationInfo) -> Path | None:
        # what was refused is not among them
        data_dir = others.data.get("data_dir")
        if folder is not None and (data_dir is None or folder != _outbox(data_dir)):
            _require_someone_to_be_from(others)
        return folder

    @field_validator("smtp_url")
    @classmethod
    def _require_one_way(cls, url: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        if url is not None:
            smtp_server(url.get_secret_value())
            if others.data.get("mail_folder") is not None:
                raise PydanticCustomError("smtp_url", "excludes DAYBOOK_MAIL_FOLDER: say by which of both mail leaves")
            _require_someone_to_be_from(others)
        return url

    @field_validator("invitation_page", "reset_page", "sessions_page")
    @classmethod
    def _require_page(cls, page: str | None) -> str | None:
        if page is not None and not is_page(page):
            raise PydanticCustomError("page", "must be a URL such as https://app.example.com/join")
        return page

    @property
    def sends_mail(self) -> bool:
        """Whether mail leaves from here at all, be it only into the outbox."""
        return self.smtp_url is not None or self.folder_of_mail is not None

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server, if one takes it."""
        return None if self.smtp_url is None else smtp_server(self.smtp_url.get_secret_value())

    @property
    def outbox(self) -> Path | None:
        """Where mail is left because nothing else was said; made where it is missing. None where something was."""
        said = self.smtp_url is not None or self.mail_folder is not None or self.database_url is not None
        return None if said else _outbox(self.data_dir)

    @property
    def folder_of_mail(self) -> Path | None:
        """The folder into which it is written, if it is."""
        return self.mail_folder or self.outbox

    @property
    def mail_sender(self) -> Mailbox:
        """Whom messages to people are from. Into the outbox they are written wherever they could not come from."""
        said = None if self.mail_from is None else mailbox(self.mail_from)
        host = host_of(self.origin)
        return said or Mailbox("", f"no-reply@{host if may_be_mailed_from(host) else 'localhost'}")


def _outbox(data_dir: Path) -> Path:
    return data_dir.absolute() / "outbox"


def _require_someone_to_be_from(others: ValidationInfo) -> None:
    # what was refused is not among them
    said = {"base_url", "mail_from"} <= others.data.keys() and others.data["mail_from"] is None
    if said and not may_be_mailed_from(host_of(others.data["base_url"] or _HERE)):
        message = "needs DAYBOOK_MAIL_FROM: no address can be at the host of DAYBOOK_BASE_URL"
        raise PydanticCustomError("no_sender", message)
