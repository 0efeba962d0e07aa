"""Whose personal data a stream's own key seals: what an erasure of somebody has to reach, by the events alone."""

from __future__ import annotations

from typing import NamedTuple, assert_never
from uuid import UUID

from domain.api_key import (
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
)
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
)
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    SignUpAttempted,
)
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
from domain.organization import (
    LogoChanged,
    MetadataChanged,
    OrganizationClosed,
    OrganizationErased,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)
from domain.session import (
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
)
from domain.user import (
    AccountUnlocked,
    ApiKeysRevoked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    LanguageChosen,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    SessionsRevoked,
    SignedUp,
)

from .catalogue import Event, stored_names


class KeyOwner(NamedTuple):
    """The person whose data it is from now on, and goes when they go; None if it is nobody's alone."""

    person_id: UUID | None


ERASING: tuple[type, ...] = (PersonErased, OrganizationErased, RecipientErased)
"""Events after which a key may be gone, in the stream whose it is or in that of the person it is of.

Whatever other key is gone got lost, and may come back.
"""


def erasing_names() -> list[str]:
    """The stored names of those, of their older shapes too."""
    return [name for event in ERASING for name in stored_names(event)]


def key_owner(stream_id: UUID, event: Event) -> KeyOwner | None:
    """Whose the key of the event's stream is after it; None if the event says nothing about that.

    A person's is their own. An organization is nobody's alone, but for the one that came with an account, until that
    is given up. An invitation becomes the person's who accepts it. What is erased with a person becomes theirs.
    """
    match event:
        case SignedUp():
            return KeyOwner(stream_id)
        case PersonalOrganizationFounded(owner_id=owner_id):
            return KeyOwner(owner_id)
        case OrganizationFounded() | PersonalOrganizationGivenUp() | InvitationSent():
            return KeyOwner(None)
        case InvitationAccepted(user_id=user_id) | RecipientErased(user_id=user_id):
            return KeyOwner(user_id)
        case OrganizationErased(user_id=user_id):
            return KeyOwner(user_id)
        case NameChanged() | ImageChanged() | PasswordChanged() | PasswordReset() | SessionsRevoked() | PersonErased():
            return None
        case (
            EmailVerified() | EmailContested() | EmailChanged() | EmailRestored() | LanguageChosen() | AccountUnlocked()
        ):
            return None
        case ApiKeysRevoked():
            return None
        case OrganizationRenamed() | SlugChanged() | LogoChanged() | MetadataChanged() | OrganizationClosed():
            return None
        case OwnerAdded() | OwnerRemoved():
            return None
        case InvitationResent() | InvitationRejected() | InvitationCanceled() | InvitationExpired():
            return None
        # these streams have no keys of their own
        case MemberJoined() | SeatTaken() | MemberRoleChanged() | MemberLeft() | MemberRemoved():
            return None
        case SessionStarted() | SessionRenewed() | SessionReauthenticated() | SessionMoved() | SessionKept():
            return None
        case OrganizationChosen() | SessionEnded():
            return None
        case PasswordResetRequested() | EmailVerificationRequested() | EmailChangeRequested():
            return None
        case EmailChangeUndoOffered() | AccountDeletionRequested() | SignUpAttempted():
            return None
        case MailedLinkUsed() | MailedLinkWithdrawn() | EmailChangeUndoLapsed():
            return None
        case ApiKeyMade() | ApiKeyRenamed() | ApiKeyMetadataChanged() | ApiKeyEnabled() | ApiKeyDisabled():
            return None
        case ApiKeyLifetimeChanged() | ApiKeyRotated() | ApiKeyUsed() | ApiKeyEnded():
            return None
        case _:
            assert_never(event)
