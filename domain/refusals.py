"""Every refusal: why a command did not happen, each with the stable code clients branch on (wire.md §13)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from .password_strength import Weakness


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


class AccountNotFound(Refusal):
    """There is no such open account."""

    code = "USER_NOT_FOUND"


class NoPassword(Refusal):
    """The account has no password to compare with or to change."""

    code = "CREDENTIAL_ACCOUNT_NOT_FOUND"


class PasswordTooShort(Refusal):
    """Fewer UTF-16 code units than are asked for: eight or more."""

    code = "PASSWORD_TOO_SHORT"


class PasswordTooLong(Refusal):
    """More than 128 UTF-16 code units."""

    code = "PASSWORD_TOO_LONG"


class PasswordCompromised(Refusal):
    """The password would be guessed; `reason` says why, and what helps (wire.md A13)."""

    code = "PASSWORD_COMPROMISED"

    def __init__(self, reason: Weakness) -> None:
        super().__init__(reason)
        self.reason = reason


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


class PictureNotKept(Refusal):
    """The address given is of a picture of ours, but of none that is kept for who would show it."""

    code = "VALIDATION_ERROR"


class SubjectGone(Refusal):
    """The person was erased: nothing can be sealed for them any more."""

    code = "UNAUTHORIZED"


class OrganizationNotFound(Refusal):
    """No open organization is meant, or none that the person can see."""

    code = "ORGANIZATION_NOT_FOUND"


class NotAMember(Refusal):
    """The person does not belong to the organization; whether it exists is not said."""

    code = "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"


class MemberNotFound(Refusal):
    """The organization has no such member."""

    code = "MEMBER_NOT_FOUND"


class EmptyRole(Refusal):
    """No role was named."""

    code = "ROLE_NOT_FOUND"


class UnknownRole(Refusal):
    """A role was named that there is not."""

    code = "ROLE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class LastOwner(Refusal):
    """An organization without an owner would be nobody's: its only one stays."""

    code = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER"


class LastOwnerDemoted(Refusal):
    """The only owner may become more, but not less."""

    code = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER"


class MayNotFound(Refusal):
    """The settings leave it at the organizations there are."""

    code = "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION"


class MayNotUpdateOrganization(Refusal):
    """No role of the member allows to change the organization."""

    code = "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION"


class MayNotClose(Refusal):
    """No role of the member allows to close the organization."""

    code = "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION"


class NewSlugTaken(Refusal):
    """Another organization has the slug this one asked for."""

    code = "ORGANIZATION_SLUG_ALREADY_TAKEN"


class MayNotChangeRole(Refusal):
    """No role of the member allows to make that one this."""

    code = "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER"


class MayNotRemove(Refusal):
    """No role of the member allows to remove others."""

    code = "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER"


class InvitationsOff(Refusal):
    """The settings allow nobody to invite, and nobody to accept."""

    code = "INVITATIONS_ARE_DISABLED"


class MayNotInvite(Refusal):
    """No role of the member allows to invite."""

    code = "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION"


class MayNotInviteAs(Refusal):
    """The member may invite, but does not hold what that role allows."""

    code = "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE"


class AlreadyMember(Refusal):
    """Whoever has the address belongs to the organization."""

    code = "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION"


class AlreadyInvited(Refusal):
    """The address has an invitation to the organization that can still be accepted."""

    code = "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION"


class InvitationLimitReached(Refusal):
    """As many invitations of the organization are pending as the settings allow."""

    code = "INVITATION_LIMIT_REACHED"


class MemberLimitReached(Refusal):
    """The organization has as many members as the settings allow."""

    code = "ORGANIZATION_MEMBERSHIP_LIMIT_REACHED"


class InvitationNotFound(Refusal):
    """No invitation that this could be done to has this id."""

    code = "INVITATION_NOT_FOUND"


class NotTheRecipient(Refusal):
    """The invitation was sent to another address."""

    code = "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION"


class InviterGone(Refusal):
    """Who invited belongs to the organization no longer, or may no longer grant this role."""

    code = "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION"


class MayNotCancel(Refusal):
    """No role of the member allows to take invitations back."""

    code = "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION"


class LinkNotFound(Refusal):
    """No link that went out by mail is this one, or it opens nothing any more."""

    code = "INVALID_TOKEN"


class LinkExpired(Refusal):
    """The link that went out by mail was good until a while ago."""

    code = "TOKEN_EXPIRED"


class EmailNotVerified(Refusal):
    """The settings let nobody in whose address is not proved to be theirs."""

    code = "EMAIL_NOT_VERIFIED"


class EmailAlreadyVerified(Refusal):
    """The address is proved to be the person's: there is nothing to be sent."""

    code = "EMAIL_ALREADY_VERIFIED"


class EmailMismatch(Refusal):
    """The address is another than the account's."""

    code = "EMAIL_MISMATCH"


class SameEmail(Refusal):
    """The address to be changed to is the one the account has."""

    code = "EMAIL_IS_THE_SAME"


class SignUpByInvitationOnly(Refusal):
    """The settings allow an account only to who was invited."""

    code = "EMAIL_PASSWORD_SIGN_UP_DISABLED"
