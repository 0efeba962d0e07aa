"""Membership: joined, changed, left."""

from __future__ import annotations

from uuid import UUID

from domain.membership import (
    Joining,
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    MemberRoleChanged,
    Membership,
    MembershipEvent,
    SeatTaken,
    evolve,
)
from domain.refusals import MemberNotFound
from domain.roles import Role
from tests.domain.stories import given, refuses
from tests.people import ADA

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
JOINED = MemberJoined(organization_id=ACME, user_id=ADA, role="member", joining=Joining.INVITED)


def ada(*events: MembershipEvent) -> Membership:
    return given(evolve, [JOINED, *events])


def test_a_person_joins_with_a_role() -> None:
    joined = Membership.join(organization_id=ACME, user_id=ADA, roles=(Role.MEMBER,), joining=Joining.INVITED)
    assert joined == [JOINED]


def test_a_person_may_have_several_roles_and_sit_on_a_seat() -> None:
    joined = Membership.join(
        organization_id=ACME, user_id=ADA, roles=(Role.OWNER, Role.ADMIN), joining=Joining.FOUNDED, seat=7
    )
    assert joined == [
        MemberJoined(organization_id=ACME, user_id=ADA, role="owner,admin", joining=Joining.FOUNDED),
        SeatTaken(seat=7),
    ]
    assert given(evolve, joined).roles == (Role.OWNER, Role.ADMIN)


def test_a_changed_role_tells_what_it_was() -> None:
    assert ada().change_role((Role.ADMIN,)) == [MemberRoleChanged(before="member", role="admin")]
    assert ada().change_role((Role.MEMBER,)) == []


def test_a_second_change_starts_from_the_first() -> None:
    admin = ada(MemberRoleChanged(before="member", role="admin"))
    assert admin.change_role((Role.OWNER,)) == [MemberRoleChanged(before="admin", role="owner")]


def test_owning_is_having_the_owner_s_role_among_others() -> None:
    assert not ada().owns
    assert ada(MemberRoleChanged(before="member", role="admin,owner")).owns


def test_a_member_leaves_or_is_removed_and_can_do_neither_again() -> None:
    assert ada().leave() == [MemberLeft()]
    assert ada().remove() == [MemberRemoved()]
    for end in (MemberLeft(), MemberRemoved()):
        gone = ada(end)
        for act in (gone.leave, gone.remove, lambda gone=gone: gone.change_role((Role.ADMIN,))):
            with refuses(MemberNotFound):
                act()


def test_how_a_person_came_in_is_stored_in_these_words() -> None:
    assert [joining.value for joining in Joining] == ["founded", "invited"]
