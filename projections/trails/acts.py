"""Acts: of what one command did, the events that are worth telling. What another one says already is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from domain.api_key import ApiKeyMade, ApiKeyRotated
from domain.invitation import InvitationAccepted, InvitationRejected, RecipientErased
from domain.mailed_link import (
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    SignUpAttempted,
)
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
from domain.organization import (
    OrganizationClosed,
    OrganizationErased,
    OrganizationFounded,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
)
from domain.session import OrganizationChosen, SessionEnded, SessionKept, SessionStarted
from domain.user import (
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    SessionsRevoked,
    SignedUp,
)

T = TypeVar("T")

_OF_A_MEMBER = (MemberJoined, MemberRoleChanged, MemberLeft, MemberRemoved)
_SAID_BY: Mapping[type, tuple[type, ...]] = {
    # what somebody may do in an organization is what they are there
    SeatTaken: (MemberJoined,),
    OwnerAdded: _OF_A_MEMBER,
    OwnerRemoved: _OF_A_MEMBER,
    PersonalOrganizationGivenUp: _OF_A_MEMBER,
    # who is gone did not refuse it
    InvitationRejected: (RecipientErased,),
    OrganizationErased: (OrganizationClosed,),
    # to accept is to join
    InvitationAccepted: (MemberJoined,),
    # to found is to join, and an account comes with an organization
    MemberJoined: (OrganizationFounded, PersonalOrganizationFounded),
    PersonalOrganizationFounded: (SignedUp,),
    # the session that goes on after all others ended
    SessionKept: (SessionsRevoked,),
    SessionEnded: (PasswordChanged,),
    SessionStarted: (PasswordChanged,),
    # a link is told of by what was done with it
    MailedLinkUsed: (PasswordReset, EmailVerified, EmailChanged),
    MailedLinkWithdrawn: (EmailChanged, EmailRestored, PasswordReset, EmailContested),
    SignUpAttempted: (EmailContested,),
    EmailChangeUndoOffered: (EmailChanged,),
    EmailChangeUndoLapsed: (PersonErased,),
    EmailVerificationRequested: (SignedUp,),
    EmailVerified: (PasswordReset, SignedUp),
    # a key that is made anew has the name of the one before
    ApiKeyMade: (ApiKeyRotated,),
}


def told(act: Sequence[T], event_of: Callable[[T], Any]) -> list[T]:
    """The parts of an act that are told, in order. `event_of` a part is None if it cannot be read."""
    kinds = {type(event_of(one)) for one in act}
    # to turn to an organization is news only where nothing else happened
    aside = kinds - {OrganizationChosen}
    worth = [
        one
        for one in act
        if kinds.isdisjoint(_SAID_BY.get(type(event_of(one)), ()))
        and not (aside and isinstance(event_of(one), OrganizationChosen))
    ]
    return worth or list(act)
