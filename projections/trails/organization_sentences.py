"""What happens in organizations in words: founding, members and what they are, invitations."""

from __future__ import annotations

from typing import assert_never

from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationEvent,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
)
from domain.membership import (
    Joining,
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    MemberRoleChanged,
    MembershipEvent,
    SeatTaken,
)
from domain.organization import (
    LogoChanged,
    MetadataChanged,
    OrganizationClosed,
    OrganizationEvent,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)

from .cast import Cast
from .printable import printable


def of_an_organization(event: OrganizationEvent | MembershipEvent | InvitationEvent, cast: Cast) -> str:
    """What happened, in plain words."""
    match event:
        case PersonalOrganizationFounded() | OrganizationFounded():
            return f"{cast.actor} founded {cast.organization}."
        case OrganizationRenamed(name=name):
            return f'{cast.actor} renamed an organization: it is "{printable(name)}" now.'
        case SlugChanged(before=before, slug=slug):
            return (
                f"{cast.actor} changed the slug of {cast.organization} from {printable(before)} to {printable(slug)}."
            )
        case LogoChanged():
            return f"{cast.actor} changed the logo of {cast.organization}."
        case MetadataChanged():
            return f"{cast.actor} changed the metadata of {cast.organization}."
        case OwnerAdded():
            return f"{cast.person} became an owner of {cast.organization}."
        case OwnerRemoved():
            return f"{cast.person} ceased to be an owner of {cast.organization}."
        case PersonalOrganizationGivenUp():
            return f"{cast.organization} is no longer {cast.whose} personal organization."
        case OrganizationClosed():
            return f"{cast.actor} closed {cast.organization}."
        case MemberJoined() | SeatTaken() | MemberRoleChanged() | MemberLeft() | MemberRemoved():
            return _of_a_member(event, cast)
        case _:
            return _of_an_invitation(event, cast)


def _of_a_member(event: MembershipEvent, cast: Cast) -> str:
    match event:
        case MemberJoined(role=role, joining=Joining.FOUNDED):
            return f"{cast.person} became {_roles(role)} of {cast.organization}."
        case MemberJoined(role=role):
            return f"{cast.person} joined {cast.organization} as {_roles(role)}."
        case SeatTaken(seat=seat):
            return f"{cast.person} took seat {seat} of {cast.organization}."
        case MemberRoleChanged(before=before, role=role):
            change = f"from {_roles(before)} to {_roles(role)}"
            return f"{cast.actor} changed {cast.whose} role in {cast.organization} {change}."
        case MemberLeft():
            return f"{cast.person} left {cast.organization}."
        case MemberRemoved() if cast.actor == cast.person:
            return f"{cast.person} left {cast.organization}."
        case MemberRemoved():
            return f"{cast.actor} removed {cast.whom} from {cast.organization}."
        case _:
            assert_never(event)


def _of_an_invitation(event: InvitationEvent, cast: Cast) -> str:
    match event:
        case InvitationSent(role=role):
            return f"{cast.actor} invited {cast.invited} to {cast.organization} as {_roles(role)}."
        case InvitationResent():
            return f"{cast.actor} renewed the invitation of {cast.invited} to {cast.organization}."
        case InvitationAccepted():
            return f"{cast.actor} accepted the invitation to {cast.organization}."
        case InvitationRejected():
            return f"{cast.actor} rejected the invitation to {cast.organization}."
        case InvitationCanceled():
            return f"{cast.actor} took the invitation of {cast.invited} to {cast.organization} back."
        case InvitationExpired():
            return f"The invitation of {cast.invited} to {cast.organization} ran out."
        case _:
            assert_never(event)


def _roles(text: str) -> str:
    return text.replace(",", " and ")
