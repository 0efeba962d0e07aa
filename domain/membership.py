"""Membership: one person's place in one organization, from joining to leaving."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .roles import Role


class Joining(StrEnum):
    """How a person came into an organization."""

    FOUNDED = "founded"


@dataclass(frozen=True, kw_only=True)
class MemberJoined:
    """A person became a member."""

    organization_id: UUID
    user_id: UUID
    role: Role
    joining: Joining


MembershipEvent = MemberJoined


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A person's place in an organization."""

    organization_id: UUID
    user_id: UUID
    role: Role

    @staticmethod
    def join(*, organization_id: UUID, user_id: UUID, role: Role, joining: Joining) -> list[MembershipEvent]:
        """Make the person a member."""
        return [MemberJoined(organization_id=organization_id, user_id=user_id, role=role, joining=joining)]


def evolve(state: Membership | None, event: MembershipEvent) -> Membership:
    """What the membership is after one more event."""
    match event:
        case MemberJoined(organization_id=organization_id, user_id=user_id, role=role):
            return Membership(organization_id=organization_id, user_id=user_id, role=role)
        case _:
            assert_never(event)
