"""Every refusal: why a command did not happen, each with the stable code clients branch on (wire.md §13)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID


class Refusal(Exception):
    """A command that may not happen. Nothing was written.

    `user_id` is whose account it concerned, where that is not who asked; for the journal, never for an answer.
    """

    code: ClassVar[str]
    user_id: UUID | None = None


class EmailTaken(Refusal):
    """Another account has this address, in whatever case."""

    code = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"


class MalformedEmail(Refusal):
    """The address is not of the accepted form (wire.md §1)."""

    code = "INVALID_EMAIL"


class WrongCredentials(Refusal):
    """No account has this address and password; which of the two is wrong is not said."""

    code = "INVALID_EMAIL_OR_PASSWORD"

    def __init__(self, user_id: UUID | None = None) -> None:
        super().__init__()
        self.user_id = user_id


class WrongPassword(Refusal):
    """A signed-in person gave a password that is not theirs."""

    code = "INVALID_PASSWORD"

    def __init__(self, user_id: UUID | None = None) -> None:
        super().__init__()
        self.user_id = user_id


class NoPassword(Refusal):
    """The account has no password to compare with or to change."""

    code = "CREDENTIAL_ACCOUNT_NOT_FOUND"


class PasswordTooShort(Refusal):
    """Fewer than eight UTF-16 code units."""

    code = "PASSWORD_TOO_SHORT"


class PasswordTooLong(Refusal):
    """More than 128 UTF-16 code units."""

    code = "PASSWORD_TOO_LONG"


class InvitationNotFound(Refusal):
    """No invitation that can still be accepted has this id."""

    code = "INVITATION_NOT_FOUND"


class SessionOver(Refusal):
    """The session was ended, or has run out."""

    code = "UNAUTHORIZED"


class SessionNotFresh(Refusal):
    """The last authentication is too long ago for this; `POST /verify-password` makes the session fresh again."""

    code = "SESSION_NOT_FRESH"


class SlugTaken(Refusal):
    """Another organization has this slug."""

    code = "ORGANIZATION_ALREADY_EXISTS"


class TooManyAttempts(Refusal):
    """Too many tries in too short a time; `retry_after` seconds from now one is admitted again."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, retry_after: int, user_id: UUID | None = None) -> None:
        super().__init__(retry_after)
        self.retry_after, self.user_id = retry_after, user_id


class Conflict(Refusal):
    """Others changed the same things again and again while this command tried; it may be repeated."""

    code = "CONFLICT"


class SubjectGone(Refusal):
    """The person was erased: nothing can be sealed for them any more."""

    code = "UNAUTHORIZED"
