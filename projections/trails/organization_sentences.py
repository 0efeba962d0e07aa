"""What happens in organizations in words: founding, members and what they are, invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationEvent,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
    TakenBack,
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
    OrganizationErased,
    OrganizationEvent,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)

from .names import Names
from .printable import quoted


def of_an_organization(event: OrganizationEvent | MembershipEvent | InvitationEvent, names: Names) -> str:
    """What happened, in plain words."""
    match event:
        case PersonalOrganizationFounded() | OrganizationFounded():
            return f"{names.actor} founded {names.organization}."
        case OrganizationRenamed(name=name):
            return f"{names.actor} renamed {names.before} to {quoted(name, otherwise='something else')}."
        case SlugChanged(before=before, slug=slug):
            change = f"from {quoted(before, otherwise='something else')} to {quoted(slug, otherwise='something else')}"
            return f"{names.actor} changed the slug of {names.organization} {change}."
        case LogoChanged():
            return f"{names.actor} changed the logo of {names.organization}."
        case MetadataChanged():
            return f"{names.actor} changed the metadata of {names.organization}."
        case OwnerAdded():
            return f"{names.person} became an owner of {names.organization}."
        case OwnerRemoved():
            return f"{names.person} ceased to be an owner of {names.organization}."
        case PersonalOrganizationGivenUp():
            return f"{names.organization} is no longer {names.whose} personal organization."
        case OrganizationClosed():
            return f"{names.actor} closed {names.organization}."
        case OrganizationErased():
            return f"What was known of {names.organization} was erased."
        case MemberJoined() | SeatTaken() | MemberRoleChanged() | MemberLeft() | MemberRemoved():
            return _of_a_member(event, names)
        case _:
            return _of_an_invitation(event, names)


def _of_a_member(event: MembershipEvent, names: Names) -> str:
    match event:
        case MemberJoined(role=role, joining=Joining.FOUNDED):
            return f"{names.person} became {_roles(role)} of {names.organization}."
        case MemberJoined(role=role):
            return f"{names.person} joined {names.organization} as {_roles(role)}."
        case SeatTaken(seat=seat):
            return f"{names.person} took seat {seat} of {names.organization}."
        case MemberRoleChanged(before=before, role=role):
            change = f"from {_roles(before)} to {_roles(role)}"
            return f"{names.actor} changed {names.whose} role in {names.organization} {change}."
        case MemberLeft():
            return f"{names.person} left {names.organization}."
        case MemberRemoved() if names.same:
            return f"{names.person} left {names.organization}."
        case MemberRemoved():
            return f"{names.actor} removed {names.whom} from {names.organization}."
        case _:
            assert_never(event)


def _of_an_invitation(event: InvitationEvent, names: Names) -> str:
    match event:
        case InvitationSent(role=role):
            return f"{names.actor} invited {names.invited} to {names.organization} as {_roles(role)}."
        case InvitationResent():
            return f"{names.actor} renewed the invitation of {names.invited} to {names.organization}."
        case InvitationAccepted():
            return f"{names.actor} accepted the invitation to {names.organization}."
        case InvitationRejected():
            return f"{names.actor} rejected the invitation to {names.organization}."
        case InvitationCanceled(because=because):
            return f"{names.actor} took the invitation of {names.invited} to {names.organization} back{_WHY[because]}."
        case InvitationExpired():
            return f"The invitation of {names.invited} to {names.organization} ran out."
        case RecipientErased():
            return f"An invitation to {names.organization} is over: the account of who was invited was deleted."
        case _:
            assert_never(event)


_WHY: Mapping[TakenBack | None, str] = {
    None: "",
    TakenBack.CHANGE_UNDONE: ", as sent after a change of address that was undone",
    TakenBack.ADDRESS_PROVED: ", as sent before the address of the account was proved",
}


def _roles(text: str) -> str:
    return text.replace(",", " and ")
