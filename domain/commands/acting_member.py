"""Where who acts stands in an organization: what their rights are decided by, and guarded by until it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.membership import Membership
from domain.organization import Organization
from domain.roles import Role, Roles, allow, cover
from domain.store import Loaded, StreamQuery, Subject

from .context import Context
from .principal import LoadedPerson, Person, load_principal
from .queries import membership_of, the_organization


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberContext:
    """A member of an open organization, as both stand in the log."""

    organization: Loaded[Organization]
    membership: Loaded[Membership]

    @property
    def roles(self) -> Roles:
        """What the member is."""
        return self.membership.state.roles

    @property
    def organization_key(self) -> Subject:
        """The organization's key."""
        assert self.organization.subject is not None, "organizations have keys"
        return self.organization.subject

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read."""
        return [self.organization, self.membership]


@dataclass(frozen=True, kw_only=True, slots=True)
class ActingMember(MemberContext):
    """A member of an open organization who gives a command in it.

    Their rights are what their roles allow, narrowed by what they act by. No command asks the roles themselves.
    """

    principal: LoadedPerson

    @property
    def subject(self) -> Subject:
        """The member's key."""
        return self.principal.subject

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read, what they act by too."""
        return [self.organization, self.membership, *self.principal.guards]

    @property
    def owns(self) -> bool:
        """Whether they act as an owner, who alone may remove others and pass ownership on."""
        return Role.OWNER in self.roles and self.may_grant((Role.OWNER,))

    def may(self, resource: str, action: str) -> bool:
        """Whether they may do this."""
        return allow(self.roles, resource, action, at_most=self.principal.at_most)

    def may_grant(self, roles: Roles) -> bool:
        """Whether they may make somebody this: nobody grants what they do not hold, or do not hold here."""
        return cover(self.roles, roles, at_most=self.principal.at_most)


def member_context(
    context: Context, organization_id: UUID, user_id: UUID, *beside: StreamQuery[Any]
) -> tuple[MemberContext | None, list[Loaded[Any] | None]]:
    """Where a person stands in an open organization, None if they do not belong to it; and other streams, read with it.

    One query for all, so that a command decides on one moment.
    """
    organization, membership, *others = context.store.find(*_queries(organization_id, user_id), *beside)
    return belonging(organization, membership), others


def belonging(organization: Loaded[Organization] | None, membership: Loaded[Membership] | None) -> MemberContext | None:
    """Who belongs to it in this way, None if there is no such membership, or the organization is closed."""
    if organization is None or membership is None or organization.state.closed:
        return None
    return MemberContext(organization=organization, membership=membership)


def acting_member(
    context: Context, principal: Person, organization_id: UUID, *beside: StreamQuery[Any]
) -> tuple[ActingMember | None, list[Loaded[Any] | None]]:
    """As `member_context`, of who gives a command. Raises SessionOver."""
    loaded, [organization, membership, *others] = load_principal(
        context, principal, *_queries(organization_id, principal.user_id), *beside
    )
    return acting_as(loaded, organization, membership), others


def acting_as(
    principal: LoadedPerson, organization: Loaded[Organization] | None, membership: Loaded[Membership] | None
) -> ActingMember | None:
    """Who acts as this member; None if there is no such membership, the organization is closed, or they act by
    something that is not for it.
    """
    found = belonging(organization, membership)
    if found is None or not principal.reaches(found.organization.stream_id):
        return None
    return ActingMember(organization=found.organization, membership=found.membership, principal=principal)


def _queries(organization_id: UUID, user_id: UUID) -> tuple[StreamQuery[Organization], StreamQuery[Membership]]:
    return the_organization(organization_id), membership_of(user_id, organization_id)
