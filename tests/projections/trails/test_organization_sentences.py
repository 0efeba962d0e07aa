"""What everything that happens in an organization is called in plain words, by whom and to whom it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.events.catalogue import INVITATION, MEMBERSHIP, NAME_BY_EVENT, ORGANIZATION, Event
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
    TakenBack,
)
from domain.membership import Joining, MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
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
from projections.trails.names import Names
from projections.trails.sentences import sentence
from tests.people import ADA, BO, CY, NOON

ADA_TO_BO = Names(
    actor="Ada", person="You", same=False, organization="Acme", device="", invited="bo@example.com", before="“Acme”"
)
ADA_TO_ALL = replace(ADA_TO_BO, person="Bo")
BO_TO_BO = replace(ADA_TO_BO, actor="You", same=True)

TOLD: dict[str, tuple[Event, str, str]] = {
    "PersonalOrganizationFounded": (
        PersonalOrganizationFounded(name="Ada's Organization", slug="org-1", slug_hash=b"", owner_id=ADA),
        "Ada founded Acme.",
        "Ada founded Acme.",
    ),
    "OrganizationFounded": (
        OrganizationFounded(name="Acme", slug="acme", slug_hash=b"", logo=None, metadata=None, owner_id=ADA),
        "Ada founded Acme.",
        "Ada founded Acme.",
    ),
    "OrganizationRenamed": (
        OrganizationRenamed(name="Acme\u202e Works\n"),
        "Ada renamed “Acme” to “Acme Works”.",
        "Ada renamed “Acme” to “Acme Works”.",
    ),
    "SlugChanged": (
        SlugChanged(before="acme", slug="works", slug_hash=b""),
        "Ada changed the slug of Acme from “acme” to “works”.",
        "Ada changed the slug of Acme from “acme” to “works”.",
    ),
    "LogoChanged": (
        LogoChanged(logo=None),
        "Ada changed the logo of Acme.",
        "Ada changed the logo of Acme.",
    ),
    "MetadataChanged": (
        MetadataChanged(metadata=None),
        "Ada changed the metadata of Acme.",
        "Ada changed the metadata of Acme.",
    ),
    "OwnerAdded": (OwnerAdded(user_id=BO), "You became an owner of Acme.", "Bo became an owner of Acme."),
    "OwnerRemoved": (
        OwnerRemoved(user_id=BO),
        "You ceased to be an owner of Acme.",
        "Bo ceased to be an owner of Acme.",
    ),
    "PersonalOrganizationGivenUp": (
        PersonalOrganizationGivenUp(user_id=BO),
        "Acme is no longer your personal organization.",
        "Acme is no longer Bo's personal organization.",
    ),
    "OrganizationClosed": (OrganizationClosed(), "Ada closed Acme.", "Ada closed Acme."),
    "OrganizationErased": (
        OrganizationErased(user_id=BO),
        "What was known of Acme was erased.",
        "What was known of Acme was erased.",
    ),
    "MemberJoined": (
        MemberJoined(organization_id=CY, user_id=BO, role="admin,member", joining=Joining.INVITED),
        "You joined Acme as admin and member.",
        "Bo joined Acme as admin and member.",
    ),
    "SeatTaken": (SeatTaken(seat=7), "You took seat 7 of Acme.", "Bo took seat 7 of Acme."),
    "MemberRoleChanged": (
        MemberRoleChanged(before="member", role="admin"),
        "Ada changed your role in Acme from member to admin.",
        "Ada changed Bo's role in Acme from member to admin.",
    ),
    "MemberLeft": (MemberLeft(), "You left Acme.", "Bo left Acme."),
    "MemberRemoved": (MemberRemoved(), "Ada removed you from Acme.", "Ada removed Bo from Acme."),
    "InvitationSent": (
        InvitationSent(
            organization_id=CY,
            email="bo@example.com",
            email_hash=b"",
            role="member",
            inviter_id=ADA,
            link_hash=b"",
            expires_at=NOON,
            place=None,
        ),
        "Ada invited bo@example.com to Acme as member.",
        "Ada invited bo@example.com to Acme as member.",
    ),
    "InvitationResent": (
        InvitationResent(inviter_id=ADA, expires_at=NOON),
        "Ada renewed the invitation of bo@example.com to Acme.",
        "Ada renewed the invitation of bo@example.com to Acme.",
    ),
    "InvitationAccepted": (
        InvitationAccepted(user_id=BO, membership_id=CY),
        "Ada accepted the invitation to Acme.",
        "Ada accepted the invitation to Acme.",
    ),
    "InvitationRejected": (
        InvitationRejected(user_id=BO),
        "Ada rejected the invitation to Acme.",
        "Ada rejected the invitation to Acme.",
    ),
    "InvitationCanceled": (
        InvitationCanceled(),
        "Ada took the invitation of bo@example.com to Acme back.",
        "Ada took the invitation of bo@example.com to Acme back.",
    ),
    "InvitationExpired": (
        InvitationExpired(),
        "The invitation of bo@example.com to Acme ran out.",
        "The invitation of bo@example.com to Acme ran out.",
    ),
    "RecipientErased": (
        RecipientErased(user_id=BO),
        "An invitation to Acme is over: the account of who was invited was deleted.",
        "An invitation to Acme is over: the account of who was invited was deleted.",
    ),
}


def test_each_event_of_organizations_is_told_of_here() -> None:
    kinds = [kind for one in (ORGANIZATION, MEMBERSHIP, INVITATION) for kind in one.event_classes]
    assert {NAME_BY_EVENT[kind] for kind in kinds} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_a_person_is_told_what_was_done_to_them(name: str) -> None:
    event, to_bo, _ = TOLD[name]
    assert sentence(event, ADA_TO_BO) == to_bo


@pytest.mark.parametrize("name", TOLD)
def test_an_organization_is_told_who_did_it_to_whom(name: str) -> None:
    event, _, to_all = TOLD[name]
    assert sentence(event, ADA_TO_ALL) == to_all


@pytest.mark.parametrize(
    ("because", "said"),
    [
        (TakenBack.CHANGE_UNDONE, "as sent after a change of address that was undone"),
        (TakenBack.ADDRESS_PROVED, "as sent before the address of the account was proved"),
    ],
)
def test_what_is_taken_back_with_others_says_why(because: TakenBack, said: str) -> None:
    taken_back = InvitationCanceled(because=because)
    assert sentence(taken_back, ADA_TO_ALL) == f"Ada took the invitation of bo@example.com to Acme back, {said}."


def test_a_founder_does_not_join() -> None:
    event = MemberJoined(organization_id=CY, user_id=BO, role="owner", joining=Joining.FOUNDED)
    assert sentence(event, ADA_TO_ALL) == "Bo became owner of Acme."


def test_who_removes_themselves_has_left() -> None:
    assert sentence(MemberRemoved(), BO_TO_BO) == "You left Acme."


def test_what_one_does_to_oneself_is_one_s_own() -> None:
    event = MemberRoleChanged(before="admin", role="member")
    assert sentence(event, BO_TO_BO) == "You changed your role in Acme from admin to member."
    assert (
        sentence(event, replace(ADA_TO_ALL, actor="Bo", same=True))
        == "Bo changed their role in Acme from admin to member."
    )
