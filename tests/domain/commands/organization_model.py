"""Some organizations in plain lists, as the contract has them (wire.md §10, §10.1-10.3, A9, A11, A20, A27, A28).

Knows nothing of events, seats or tables. People are numbers; so are organizations, memberships and invitations, in the
order in which they came to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain import refusals as no

LIFETIME = timedelta(days=7)
ROLES = ("owner", "admin", "member")
ADMINS = {"owner", "admin"}
ELSEWHERE = -1
"""An organization that is none of these."""

Outcome = type[no.Refusal] | bool
"""How it was refused; else whether anything is different."""


@dataclass
class Organization:
    """What it is called, and whether it is open."""

    name: str
    slug: str
    logo: str | None = None
    metadata: str | None = None
    open: bool = True


@dataclass
class Membership:
    """Whose place, where, and as what."""

    organization: int
    person: int
    roles: list[str]
    live: bool = True


@dataclass
class Invitation:
    """A place offered to an address; `by` is who stands for it."""

    organization: int
    address: int
    roles: list[str]
    by: int
    expires_at: datetime
    status: str = "pending"


@dataclass
class OrganizationModel:
    """Everything there is. `most_members`, `most_pending`: of an organization, None for any number.

    `turned` is what each person's session chose.
    """

    most_members: int | None = None
    most_pending: int | None = None
    organizations: list[Organization] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    turned: dict[int, int | None] = field(default_factory=dict)

    def place(self, organization: int, person: int) -> Membership | None:
        """Where a person stands in an organization, None if it is closed or they do not belong to it."""
        here = [one for one in self.of(organization) if one.person == person]
        return here[0] if here and self.organizations[organization].open else None

    def of(self, organization: int) -> list[Membership]:
        """Who belongs to an organization."""
        return [one for one in self.memberships if one.organization == organization and one.live]

    def active(self, person: int) -> int | None:
        """The organization a person sees: the one chosen, while they belong to it."""
        turned = self.turned.get(person)
        return None if turned is None or self.place(turned, person) is None else turned

    def found(self, person: int, name: str, slug: str) -> Outcome:
        """An organization more, which its founder owns and turns to."""
        if self._known(slug):
            return no.SlugTaken
        self.turned[person] = len(self.organizations)
        self.memberships.append(Membership(len(self.organizations), person, ["owner"]))
        self.organizations.append(Organization(name, slug))
        return True

    def update(self, person: int, organization: int, changes: Mapping[str, str | None]) -> Outcome:
        """What is among the changes is as it says."""
        own, it = self.place(organization, person), self.organizations[organization]
        if own is None:
            return no.NotAMember
        if not ADMINS & {*own.roles}:
            return no.MayNotUpdateOrganization
        slug = changes.get("slug")
        if slug is not None and slug != it.slug and self._known(slug):
            return no.NewSlugTaken
        before = dict(vars(it))
        vars(it).update(changes)
        return vars(it) != before

    def close(self, person: int, organization: int) -> Outcome:
        """Nobody belongs to it any more."""
        own = self.place(organization, person)
        if own is None:
            return no.NotAMember
        if "owner" not in own.roles:
            return no.MayNotClose
        self.organizations[organization].open = False
        return True

    def turn(self, person: int, organization: int | None) -> Outcome:
        """Another organization is chosen, or none."""
        if organization is not None and self.place(organization, person) is None:
            return no.NotAMember
        before = self.turned.get(person)
        self.turned[person] = organization
        return organization != before

    def invite(
        self, person: int, organization: int, address: int, role: str, *, resend: bool, now: datetime
    ) -> Outcome:
        """A place more is offered, or the clock of one starts anew."""
        own, roles = self.place(organization, person), [one.strip() for one in role.split(",") if one.strip()]
        if own is None:
            return no.MemberNotFound
        if not ADMINS & {*own.roles}:
            return no.MayNotInvite
        if not roles:
            return no.EmptyRole
        if not {*roles} <= {*ROLES}:
            return no.UnknownRole
        if not self._may_grant(own, roles):
            return no.MayNotInviteAs
        if self.place(organization, address) is not None:
            return no.AlreadyMember
        pending = [one for one in self._pending(organization) if one.address == address]
        for one in pending:
            self.run_out(one, now)
        if pending and pending[0].status == "pending":
            if resend:
                return self._resend(own, pending[0], now)
            if self._stands(pending[0]):
                return no.AlreadyInvited
            pending[0].status = "canceled"
        if self.most_pending is not None:
            for one in self._pending(organization):
                self.run_out(one, now)
            if len(self._pending(organization)) >= self.most_pending:
                return no.InvitationLimitReached
        self.invitations.append(Invitation(organization, address, roles, person, now + LIFETIME))
        return True

    def _resend(self, own: Membership, pending: Invitation, now: datetime) -> Outcome:
        if not self._may_grant(own, pending.roles):
            return no.MayNotInviteAs
        pending.by, pending.expires_at = own.person, now + LIFETIME
        return False

    def cancel(self, person: int, invitation: Invitation) -> Outcome:
        """The invitation is taken back."""
        own = self.place(invitation.organization, person)
        if own is None:
            return no.MemberNotFound if self.organizations[invitation.organization].open else no.InvitationNotFound
        if not ADMINS & {*own.roles}:
            return no.MayNotCancel
        if invitation.status in ("accepted", "rejected"):
            return no.InvitationNotFound
        invitation.status = "canceled"
        return True

    def reject(self, person: int, invitation: Invitation) -> Outcome:
        """The invitation is not wanted."""
        if invitation.status not in ("pending", "expired"):
            return no.InvitationNotFound
        if not self.organizations[invitation.organization].open:
            return no.InvitationNotFound
        if person != invitation.address:
            return no.NotTheRecipient
        invitation.status = "rejected"
        return True

    def accept(self, person: int, invitation: Invitation, now: datetime) -> Outcome:
        """Who was invited belongs to the organization, and turns to it."""
        self.run_out(invitation, now)
        organization = invitation.organization
        if invitation.status != "pending":
            return no.InvitationNotFound
        if not self.organizations[organization].open:
            return no.InvitationNotFound
        if person != invitation.address:
            return no.NotTheRecipient
        if not self._stands(invitation):
            return no.InviterGone
        if self.place(organization, person) is not None:
            return no.AlreadyMember
        if self.most_members is not None and len(self.of(organization)) >= self.most_members:
            return no.MemberLimitReached
        invitation.status = "accepted"
        self.memberships.append(Membership(organization, person, invitation.roles))
        self.turned[person] = organization
        return True

    def run_out(self, invitation: Invitation, now: datetime) -> bool:
        """What has run out is noted; whether it has."""
        if invitation.status != "pending" or now < invitation.expires_at:
            return False
        invitation.status = "expired"
        return True

    def change_role(self, person: int, organization: int, target: Membership, roles: list[str]) -> Outcome:
        """A member is something else."""
        own = self.place(organization, person)
        if own is None or not target.live or target.organization != organization:
            return no.MemberNotFound
        if not ADMINS & {*own.roles}:
            return no.MayNotChangeRole
        if not self._may_grant(own, roles) or not self._may_grant(own, target.roles):
            return no.MayNotChangeRole
        if "owner" not in roles and self._only_owner(target):
            return no.LastOwnerDemoted
        before, target.roles = target.roles, roles
        return before != roles

    def remove(self, person: int, organization: int, target: Membership) -> Outcome:
        """A member belongs to it no longer."""
        own = self.place(organization, person)
        if own is None or not target.live or target.organization != organization:
            return no.MemberNotFound
        if "owner" in target.roles and ("owner" not in own.roles or self._only_owner(target)):
            return no.LastOwner
        if not ADMINS & {*own.roles}:
            return no.MayNotRemove
        target.live = False
        return True

    def leave(self, person: int, organization: int) -> Outcome:
        """A member goes."""
        own = self.place(organization, person)
        if own is None:
            return no.MemberNotFound
        if self._only_owner(own):
            return no.LastOwner
        own.live = False
        return True

    def transfer(self, person: int, organization: int, target: Membership) -> Outcome:
        """Another member is the owner, the one who was is an admin."""
        own = self.place(organization, person)
        if own is None or not target.live or target.organization != organization:
            return no.MemberNotFound
        if "owner" not in own.roles or target is own:
            return no.MayNotChangeRole
        target.roles, own.roles = ["owner"], ["admin"]
        return True

    def _stands(self, invitation: Invitation) -> bool:
        by = self.place(invitation.organization, invitation.by)
        return by is not None and bool(ADMINS & {*by.roles}) and self._may_grant(by, invitation.roles)

    def _known(self, slug: str) -> bool:
        return any(one.slug == slug for one in self.organizations if one.open)

    def _pending(self, organization: int) -> list[Invitation]:
        return [one for one in self.invitations if one.organization == organization and one.status == "pending"]

    def _only_owner(self, member: Membership) -> bool:
        owners = [one for one in self.of(member.organization) if "owner" in one.roles]
        return owners == [member]

    @staticmethod
    def _may_grant(own: Membership, roles: list[str]) -> bool:
        return "owner" in own.roles or ("admin" in own.roles and "owner" not in roles) or roles == ["member"]
