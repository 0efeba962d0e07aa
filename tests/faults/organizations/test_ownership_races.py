"""Races of those who own an organization: whoever goes, somebody who owns it stays, and only who may made them go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.commands.context import Context
from domain.commands.membership import change_role, leave, remove_member, transfer_ownership
from domain.commands.organization import close_organization, update_organization
from domain.refusals import (
    Conflict,
    LastOwner,
    LastOwnerDemoted,
    MayNotChangeRole,
    MayNotClose,
    MayNotInvite,
    MayNotRemove,
    MayNotUpdateOrganization,
    MemberNotFound,
    NotAMember,
)
from domain.roles import Role
from tests.databases import Database
from tests.faults.organizations.facts import Organizations
from tests.faults.organizations.races import ROUNDS, SIDES, Person, Place, Races, bound, founded, invite, people

LOST = {LastOwner, LastOwnerDemoted, MayNotChangeRole, MayNotRemove, MemberNotFound, Conflict}

Blow = Callable[[Context, Place, Person, Person], object]
"""What one owner does to another, perhaps to themselves."""


def demote(context: Context, place: Place, by: Person, other: Person, role: Role = Role.ADMIN) -> None:
    change_role(
        context,
        by.acts(),
        organization_id=place.organization_id,
        membership_id=place.memberships[other],
        roles=(role,),
    )


def remove(context: Context, place: Place, by: Person, other: Person) -> None:
    membership_id = place.memberships[other]
    remove_member(context, by.acts(), organization_id=place.organization_id, membership_id=membership_id)


def leave_it(context: Context, place: Place, by: Person, other: Person) -> None:
    leave(context, by.acts(), organization_id=place.organization_id)


def transfer(context: Context, place: Place, by: Person, other: Person) -> None:
    membership_id = place.memberships[other]
    transfer_ownership(context, by.acts(), organization_id=place.organization_id, membership_id=membership_id)


def rename(context: Context, place: Place, by: Person, name: str) -> None:
    update_organization(context, by.acts(), organization_id=place.organization_id, changes={"name": name})


def close(context: Context, place: Place, by: Person) -> None:
    close_organization(context, by.acts(), organization_id=place.organization_id)


BLOWS: dict[str, list[Blow]] = {
    "demote": [demote],
    "remove": [remove],
    "leave": [leave_it],
    "transfer": [transfer],
    "anything": [demote, remove, leave_it, transfer],
}


@pytest.mark.parametrize("owning", [2, 4])
@pytest.mark.parametrize("blow", BLOWS)
def test_whatever_owners_do_to_each_other_one_stays(
    races: Races, database: Database, book: Organizations, blow: str, owning: int
) -> None:
    owners, blows = people(races.nodes[0], owning), BLOWS[blow]
    others = [*owners[1:], owners[0]]
    for number in range(ROUNDS):
        place = founded(races.nodes[0], owners[0], owner=owners[1:])
        acts = [blows[(side + number) % len(blows)] for side in range(SIDES)]
        told = races.run(
            [bound(act, place, by, other) for act, by, other in zip(acts, owners * SIDES, others * SIDES, strict=False)]
        )
        assert set(told) <= {None, *LOST}
        assert None in told
        roles = database.rows(
            "SELECT role FROM member_list WHERE organization_id = %s AND live_user_id IS NOT NULL",
            place.organization_id,
        )
        assert ("owner",) in roles
        races.told[f"{roles.count(('owner',))} of {owning} own it"] += 1


def test_who_is_demoted_demotes_nobody_after_it(races: Races, book: Organizations) -> None:
    """Judged by the log alone: whoever did something held the right to it at that place."""
    owner, other, third, fourth = people(races.nodes[0], 4)
    for _ in range(ROUNDS):
        place = founded(races.nodes[0], owner, owner=[other], admin=[third, fourth])
        pairs = [(owner, other), (other, owner), (third, fourth), (fourth, third)]
        told = races.run(
            [bound(demote, place, by, other, role) for by, other in pairs for role in (Role.MEMBER, Role.ADMIN)]
        )
        assert set(told) <= {None, *LOST}


@pytest.mark.parametrize("use", ["rename", "invite", "close"])
def test_who_loses_a_right_uses_it_no_more(races: Races, book: Organizations, use: str) -> None:
    """Judged by the log alone: whoever did something held the right to it at that place."""
    owner, other = people(races.nodes[0], 2)
    for number in range(ROUNDS):
        place = founded(races.nodes[0], owner, **{"owner" if use == "close" else "admin": [other]})
        if use == "rename":
            uses = [bound(rename, place, other, f"Name {side}") for side in range(SIDES - 2)]
        elif use == "invite":
            uses = [bound(invite, other, place, f"right{number}.{side}@example.com") for side in range(SIDES - 2)]
        else:
            uses = [bound(close, place, other)] * (SIDES - 2)
        told = races.run(uses, late=[bound(demote, place, owner, other, Role.MEMBER)] * 2)
        assert set(told) <= {None, NotAMember, MayNotUpdateOrganization, MayNotInvite, MayNotClose, *LOST}
