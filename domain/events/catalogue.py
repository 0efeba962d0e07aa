"""The catalogue of stored events: which name stands for which class, and how old shapes become new ones.

Stored names are data, not module paths: a class may move and be renamed, what is stored stays readable. When an event
changes its shape, the new shape gets a new stored name, and the old name an entry in `UPCASTS`; a sample of each stays
in `tests/history/` for ever.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from domain import api_key, invitation, mailed_link, membership, organization, session, user

from .keys import legacy_slug_hash

S = TypeVar("S")
Fields = dict[str, Any]
Upcast = tuple[str, Callable[[Fields], Fields]]
"""The stored name of the next shape, and how the fields of the old one become those of the new."""
Event = (
    user.UserEvent
    | session.SessionEvent
    | organization.OrganizationEvent
    | membership.MembershipEvent
    | invitation.InvitationEvent
    | mailed_link.MailedLinkEvent
    | api_key.ApiKeyEvent
)
"""Every event there is: a `match` over it is checked to leave none out."""


@dataclass(frozen=True)
class Aggregate(Generic[S]):
    """A noun that has streams: its name, the union of its events, and how its state follows from them."""

    name: str
    events: Any
    evolve: Callable[[S | None, Any], S]

    @property
    def event_classes(self) -> tuple[type, ...]:
        """The members of the union; a union of one is the class itself."""
        return get_args(self.events) or (self.events,)


USER = Aggregate("user", user.UserEvent, user.evolve)
SESSION = Aggregate("session", session.SessionEvent, session.evolve)
ORGANIZATION = Aggregate("organization", organization.OrganizationEvent, organization.evolve)
MEMBERSHIP = Aggregate("membership", membership.MembershipEvent, membership.evolve)
INVITATION = Aggregate("invitation", invitation.InvitationEvent, invitation.evolve)
MAILED_LINK = Aggregate("mailed_link", mailed_link.MailedLinkEvent, mailed_link.evolve)
API_KEY = Aggregate("api_key", api_key.ApiKeyEvent, api_key.evolve)
AGGREGATES: tuple[Aggregate[Any], ...] = (USER, SESSION, ORGANIZATION, MEMBERSHIP, INVITATION, MAILED_LINK, API_KEY)

AGGREGATE_BY_EVENT: Mapping[type, Aggregate[Any]] = {
    event: aggregate for aggregate in AGGREGATES for event in aggregate.event_classes
}
EVENT_BY_NAME: Mapping[str, type] = {
    "SignedUp": user.SignedUp,
    "NameChanged": user.NameChanged,
    "ImageChanged": user.ImageChanged,
    "LanguageChosen": user.LanguageChosen,
    "PasswordChanged": user.PasswordChanged,
    "PasswordReset": user.PasswordReset,
    "EmailVerified": user.EmailVerified,
    "EmailContested": user.EmailContested,
    "EmailChanged": user.EmailChanged,
    "EmailRestored": user.EmailRestored,
    "SessionsRevoked": user.SessionsRevoked,
    "ApiKeysRevoked": user.ApiKeysRevoked,
    "AccountUnlocked": user.AccountUnlocked,
    "PersonErased": user.PersonErased,
    "SessionStarted": session.SessionStarted,
    "SessionRenewed": session.SessionRenewed,
    "SessionReauthenticated": session.SessionReauthenticated,
    "SessionMoved": session.SessionMoved,
    "SessionKept": session.SessionKept,
    "OrganizationChosen": session.OrganizationChosen,
    "SessionEnded": session.SessionEnded,
    "PersonalOrganizationFounded": organization.PersonalOrganizationFounded,
    "OrganizationFounded": organization.OrganizationFounded,
    "OrganizationRenamed": organization.OrganizationRenamed,
    "SlugChanged": organization.SlugChanged,
    "LogoChanged": organization.LogoChanged,
    "MetadataChanged": organization.MetadataChanged,
    "OwnerAdded": organization.OwnerAdded,
    "OwnerRemoved": organization.OwnerRemoved,
    "PersonalOrganizationGivenUp": organization.PersonalOrganizationGivenUp,
    "OrganizationClosed": organization.OrganizationClosed,
    "OrganizationErased": organization.OrganizationErased,
    "MemberJoined": membership.MemberJoined,
    "SeatTaken": membership.SeatTaken,
    "MemberRoleChanged": membership.MemberRoleChanged,
    "MemberLeft": membership.MemberLeft,
    "MemberRemoved": membership.MemberRemoved,
    "InvitationSent": invitation.InvitationSent,
    "InvitationResent": invitation.InvitationResent,
    "InvitationAccepted": invitation.InvitationAccepted,
    "InvitationRejected": invitation.InvitationRejected,
    "InvitationCanceled": invitation.InvitationCanceled,
    "InvitationExpired": invitation.InvitationExpired,
    "PasswordResetRequested": mailed_link.PasswordResetRequested,
    "EmailVerificationRequested": mailed_link.EmailVerificationRequested,
    "EmailChangeRequested": mailed_link.EmailChangeRequested,
    "EmailChangeUndoOffered": mailed_link.EmailChangeUndoOffered,
    "AccountDeletionRequested": mailed_link.AccountDeletionRequested,
    "SignUpAttempted": mailed_link.SignUpAttempted,
    "MailedLinkUsed": mailed_link.MailedLinkUsed,
    "MailedLinkWithdrawn": mailed_link.MailedLinkWithdrawn,
    "EmailChangeUndoLapsed": mailed_link.EmailChangeUndoLapsed,
    "RecipientErased": invitation.RecipientErased,
    "ApiKeyMade": api_key.ApiKeyMade,
    "ApiKeyRenamed": api_key.ApiKeyRenamed,
    "ApiKeyMetadataChanged": api_key.ApiKeyMetadataChanged,
    "ApiKeyEnabled": api_key.ApiKeyEnabled,
    "ApiKeyDisabled": api_key.ApiKeyDisabled,
    "ApiKeyLifetimeChanged": api_key.ApiKeyLifetimeChanged,
    "ApiKeyRotated": api_key.ApiKeyRotated,
    "ApiKeyUsed": api_key.ApiKeyUsed,
    "ApiKeyEnded": api_key.ApiKeyEnded,
}
NAME_BY_EVENT: Mapping[type, str] = {event: name for name, event in EVENT_BY_NAME.items()}
UPCASTS: Mapping[str, Upcast] = {}


def _with_slug_hash(fields: Fields) -> Fields:
    """Slugs stood in the clear, and were claimed as they stood (docs/decisions/0021-organizations-are-subjects.md)."""
    if "slug_hash" in fields or fields.get("slug") is None:
        return fields
    return fields | {"slug_hash": b64encode(legacy_slug_hash(fields["slug"])).decode()}


ADDED_FIELDS: Mapping[str, Callable[[Fields], Fields]] = {
    "PersonalOrganizationFounded": _with_slug_hash,
    "OrganizationFounded": _with_slug_hash,
    "SlugChanged": _with_slug_hash,
}
"""Fields that an older shape under the same name lacks, made from those it has. They leave the newest shape alone."""


class UnknownEvent(Exception):
    """An event is stored under a name that this release does not know."""


def current(name: str, fields: Fields, upcasts: Mapping[str, Upcast] = UPCASTS) -> tuple[str, Fields]:
    """The newest stored name of an event, and its fields in that shape."""
    while name in upcasts:
        name, upcast = upcasts[name]
        fields = upcast(fields)
    return name, ADDED_FIELDS[name](fields) if name in ADDED_FIELDS else fields


def stored_names(event: type) -> list[str]:
    """Every stored name that reads as this event: its own, and those of its older shapes."""
    own = NAME_BY_EVENT[event]
    return [own, *(name for name in UPCASTS if _newest(name) == own)]


def _newest(name: str) -> str:
    while name in UPCASTS:
        name, _ = UPCASTS[name]
    return name


def event_class(name: str) -> type:
    """The class of a current stored name. Raises UnknownEvent."""
    try:
        return EVENT_BY_NAME[name]
    except KeyError:
        raise UnknownEvent(name) from None
