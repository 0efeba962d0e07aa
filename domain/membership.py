"""Membership: one person's place in one organization, from joining to leaving."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .refusals import MemberNotFound
from .roles import Role, Roles, roles_in, text_of


class Joining(StrEnum):
    """How a person came into an organization."""

    FOUNDED = "founded"
    INVITED = "invited"


@dataclass(frozen=True, kw_only=True)
class MemberJoined:
    """A person became a member, with one role or several."""

    organization_id: UUID
    user_id: UUID
    role: str
    joining: Joining


@dataclass(frozen=True, kw_only=True)
class SeatTaken:
    """The member sits on a seat, of those an organization has where their number is limited."""

    seat: int


@dataclass(frozen=True, kw_only=True)
class MemberRoleChanged:
    """A member is something else in the organization."""

    before: str
    role: str


@dataclass(frozen=True, kw_only=True)
class MemberLeft:
    """A member left by themselves."""


@dataclass(frozen=True, kw_only=True)
class MemberRemoved:
    """A member was removed by somebody who may."""


MembershipEvent = MemberJoined | SeatTaken | MemberRoleChanged | MemberLeft | MemberRemoved


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A person's place in an organization. It holds while it has not ended and the organization is open."""

    organization_id: UUID
    user_id: UUID
    roles: Roles
    ended: bool = False

    @staticmethod
    def join(
        *, organization_id: UUID, user_id: UUID, roles: Roles, joining: Joining, seat: int | None = None
    ) -> list[MembershipEvent]:
        """Make the person a member, on a seat if those are limited."""
        joined = MemberJoined(organization_id=organization_id, user_id=user_id, role=text_of(roles), joining=joining)
        return [joined] if seat is None else [joined, SeatTaken(seat=seat)]

    @property
    def owns(self) -> bool:
        """Whether the member is an owner, perhaps among other things."""
        return Role.OWNER in self.roles

    def change_role(self, roles: Roles) -> list[MembershipEvent]:
        """Be something else; nothing if it is the same. Raises MemberNotFound if it has ended."""
        self._require_life()
        if roles == self.roles:
            return []
        return [MemberRoleChanged(before=text_of(self.roles), role=text_of(roles))]

    def leave(self) -> list[MembershipEvent]:
        """Leave. Raises MemberNotFound if it has ended."""
        self._require_life()
        return [MemberLeft()]

    def remove(self) -> list[MembershipEvent]:
        """Remove the member. Raises MemberNotFound if it has ended."""
        self._require_life()
        return [MemberRemoved()]

    def _require_life(self) -> None:
        if self.ended:
            raise MemberNotFound


def evolve(state: Membership | None, event: MembershipEvent) -> Membership:
    """What the membership is after one more event."""
    match event:
        case MemberJoined(organization_id=organization_id, user_id=user_id, role=role):
            return Membership(organization_id=organization_id, user_id=user_id, roles=roles_in(role))
    assert state is not None, "a membership begins with MemberJoined"
    match event:
        case SeatTaken():
            return state
        case MemberRoleChanged(role=role):
            return replace(state, roles=roles_in(role))
        case MemberLeft() | MemberRemoved():
            return replace(state, ended=True)
        case _:
            assert_never(event)
