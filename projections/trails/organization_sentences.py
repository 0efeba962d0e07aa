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

from .language import Word
from .names import Names


def of_an_organization(event: OrganizationEvent | MembershipEvent | InvitationEvent, names: Names) -> str:
    """What happened, in plain words."""
    match event:
        case PersonalOrganizationFounded() | OrganizationFounded():
            return names.say("{actor} founded {organization}.")
        case OrganizationRenamed(name=name):
            new = names.quoted(name, otherwise=Word("something else"))
            return names.say("{actor} renamed {before} to {new}.", new=new)
        case SlugChanged(before=before, slug=slug):
            former, new = (names.quoted(one, otherwise=Word("something else")) for one in (before, slug))
            return names.say(
                "{actor} changed the slug of {organization} from {former} to {new}.", former=former, new=new
            )
        case LogoChanged():
            return names.say("{actor} changed the logo of {organization}.")
        case MetadataChanged():
            return names.say("{actor} changed the metadata of {organization}.")
        case OwnerAdded():
            return names.say("{person} became an owner of {organization}.")
        case OwnerRemoved():
            return names.say("{person} ceased to be an owner of {organization}.")
        case PersonalOrganizationGivenUp():
            return names.say("{organization} is no longer {whose} personal organization.")
        case OrganizationClosed():
            return names.say("{actor} closed {organization}.")
        case OrganizationErased():
            return names.say("What was known of {organization} was erased.")
        case MemberJoined() | SeatTaken() | MemberRoleChanged() | MemberLeft() | MemberRemoved():
            return _of_a_member(event, names)
        case _:
            return _of_an_invitation(event, names)


def _of_a_member(event: MembershipEvent, names: Names) -> str:
    match event:
        case MemberJoined(role=role, joining=Joining.FOUNDED):
            return names.say("{person} became {roles} of {organization}.", roles=names.roles(role))
        case MemberJoined(role=role):
            return names.say("{person} joined {organization} as {roles}.", roles=names.roles(role))
        case SeatTaken(seat=seat):
            return names.say("{person} took seat {seat} of {organization}.", seat=str(seat))
        case MemberRoleChanged(before=before, role=role):
            return names.say(
                "{actor} changed {whose} role in {organization} from {former} to {roles}.",
                former=names.roles(before),
                roles=names.roles(role),
            )
        case MemberLeft():
            return names.say("{person} left {organization}.")
        case MemberRemoved() if names.same:
            return names.say("{person} left {organization}.")
        case MemberRemoved():
            return names.say("{actor} removed {whom} from {organization}.")
        case _:
            assert_never(event)


def _of_an_invitation(event: InvitationEvent, names: Names) -> str:
    match event:
        case InvitationSent(role=role):
            return names.say("{actor} invited {invited} to {organization} as {roles}.", roles=names.roles(role))
        case InvitationResent():
            return names.say("{actor} renewed the invitation of {invited} to {organization}.")
        case InvitationAccepted():
            return names.say("{actor} accepted the invitation to {organization}.")
        case InvitationRejected():
            return names.say("{actor} rejected the invitation to {organization}.")
        case InvitationCanceled(because=None):
            return names.say("{actor} took the invitation of {invited} to {organization} back.")
        case InvitationCanceled(because=TakenBack.CHANGE_UNDONE):
            return names.say(
                "{actor} took the invitation of {invited} to {organization} back, as sent after a change of address"
                " that was undone."
            )
        case InvitationCanceled():
            return names.say(
                "{actor} took the invitation of {invited} to {organization} back, as sent before the address of the"
                " account was proved."
            )
        case InvitationExpired():
            return names.say("The invitation of {invited} to {organization} ran out.")
        case RecipientErased():
            return names.say("An invitation to {organization} is over: the account of who was invited was deleted.")
        case _:
            assert_never(event)
