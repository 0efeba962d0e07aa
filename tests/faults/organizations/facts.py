"""Organizations as the log has them: who may do what at each place of it, and what it may never say of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from tests.databases import Database

_ENTRIES = """
SELECT l.position, e.stream_id, e.name, e.body, e.command_id, c.actor_id
  FROM events e JOIN commands c USING (command_id) LEFT JOIN log l USING (stream_id, version)
 ORDER BY l.position NULLS FIRST
"""
_CHANGES = ("OrganizationRenamed", "SlugChanged", "LogoChanged", "MetadataChanged")
_MAY = {"owner", "admin"}
"""Whoever is one of these may invite, cancel, change and remove members, and change the organization."""


class Entry(NamedTuple):
    """One event, by which command, and whose."""

    position: int
    stream_id: UUID
    name: str
    fields: dict[str, Any]
    command_id: UUID
    actor: str


@dataclass
class Organization:
    """Who owns it by its own word, the slug it has (hashed), and whether it is open."""

    owners: set[str]
    slug: str
    open: bool = True
    members: list[Member] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)


@dataclass
class Member:
    """Whose place, where, and as what."""

    organization: str
    user: str
    roles: set[str]
    live: bool = True


@dataclass
class Invitation:
    """A place offered, by whom, as what, and what became of it."""

    organization: str
    address: str
    roles: set[str]
    inviter: str
    status: str = "pending"


@dataclass
class Organizations:
    """All of them, a command at a time in the order of the log; `wrong` is what it says that should not be.

    `members` and `pending` are how many an organization may have of each, None for any number.
    """

    members: int | None = None
    pending: int | None = None
    organizations: dict[str, Organization] = field(default_factory=dict)
    memberships: dict[str, Member] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    invited: set[str] = field(default_factory=set)
    slugs: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def apply(self, database: Database) -> None:
        """The whole log."""
        for command in _commands(database):
            for entry in command:
                if reason := self._objection(entry):
                    self.wrong.append(f"{entry.name} at {entry.position}: {reason}")
            touched = dict.fromkeys(self._apply(entry) for entry in command)
            for organization in touched:
                if organization is not None:
                    self._require_order(organization, command[-1].position)
        joined = {membership: invitation for invitation, membership in self.accepted.items()}
        if set(joined) != self.invited or len(joined) != len(self.accepted):
            self.wrong.append("who was invited and joined is not who accepted")

    def of(self, organization: UUID) -> dict[UUID, set[str]]:
        """Who belongs to an organization, as what."""
        return {UUID(one.user): one.roles for one in self._living(str(organization))}

    def _objection(self, entry: Entry) -> str | None:
        """Why this may not happen here. Asked before anything of the command has happened."""
        fields, key = entry.fields, str(entry.stream_id)
        match entry.name:
            case "InvitationSent":
                return self._may_grant(entry.actor, fields["organization_id"], _roles(fields))
            case "InvitationResent":
                sent = self.invitations[key]
                return self._is(key, "pending") or self._may_grant(entry.actor, sent.organization, sent.roles)
            case "InvitationAccepted":
                sent = self.invitations[key]
                return self._is(key, "pending") or self._may_grant(sent.inviter, sent.organization, sent.roles)
            case "InvitationCanceled":
                mays = self._may(entry.actor, self.invitations[key].organization, _MAY)
                return self._is(key, "pending", "expired") or mays
            case "InvitationRejected":
                return self._is(key, "pending", "expired")
            case "InvitationExpired":
                return self._is(key, "pending")
            case "OrganizationClosed":
                return self._may(entry.actor, key, {"owner"})
            case name if name in _CHANGES:
                return self._may(entry.actor, key, _MAY)
            case "MemberJoined" if fields["joining"] == "invited":
                closed = not self.organizations[fields["organization_id"]].open
                return "the organization is closed" if closed else None
            case "MemberRoleChanged" | "MemberRemoved" | "MemberLeft":
                return self._objection_of_a_member(entry, self.memberships[key])
        return None

    def _objection_of_a_member(self, entry: Entry, member: Member) -> str | None:
        if not member.live:
            return "it has ended"
        if entry.name == "MemberLeft":
            return None if entry.actor == member.user else "who left is not who did it"
        granted = _roles(entry.fields) if entry.name == "MemberRoleChanged" else set()
        by_owner = "owner" in member.roles or "owner" in granted
        return self._may(entry.actor, member.organization, {"owner"} if by_owner else _MAY)

    def _may_grant(self, user: str, organization: str, roles: set[str]) -> str | None:
        return self._may(user, organization, {"owner"} if "owner" in roles else _MAY)

    def _may(self, user: str, organization: str, roles: set[str]) -> str | None:
        if not self.organizations[organization].open:
            return "the organization is closed"
        held = {role for one in self._living(organization) if one.user == user for role in one.roles}
        return None if held & roles else f"who did it is {sorted(held) or 'no member'}"

    def _is(self, invitation: str, *statuses: str) -> str | None:
        status = self.invitations[invitation].status
        return None if status in statuses else f"it is {status}"

    def _apply(self, entry: Entry) -> str | None:
        """Let it happen; to which organization."""
        fields, key = entry.fields, str(entry.stream_id)
        match entry.name:
            case "PersonalOrganizationFounded" | "OrganizationFounded":
                self.organizations[key] = Organization({fields["owner_id"]}, fields["slug_hash"])
            case "SlugChanged":
                del self.slugs[self.organizations[key].slug]
                self.organizations[key].slug = fields["slug_hash"]
            case "OwnerAdded":
                self.organizations[key].owners.add(fields["user_id"])
            case "OwnerRemoved":
                self.organizations[key].owners.remove(fields["user_id"])
            case "OrganizationClosed":
                self.organizations[key].open = False
                del self.slugs[self.organizations[key].slug]
        if entry.name.startswith("Member"):
            return self._apply_to_a_member(entry.name, key, fields)
        if entry.name.startswith("Invitation"):
            return self._apply_to_an_invitation(entry.name, key, fields)
        return key if key in self.organizations else None

    def _apply_to_a_member(self, name: str, key: str, fields: dict[str, Any]) -> str:
        match name:
            case "MemberJoined":
                member = Member(fields["organization_id"], fields["user_id"], _roles(fields))
                self.memberships[key] = member
                self.organizations[member.organization].members.append(member)
                if fields["joining"] == "invited":
                    self.invited.add(key)
            case "MemberRoleChanged":
                self.memberships[key].roles = _roles(fields)
            case _:
                self.memberships[key].live = False
        return self.memberships[key].organization

    def _apply_to_an_invitation(self, name: str, key: str, fields: dict[str, Any]) -> str:
        match name:
            case "InvitationSent":
                organization, address, by = fields["organization_id"], fields["email_hash"], fields["inviter_id"]
                self.invitations[key] = Invitation(organization, address, _roles(fields), by)
                self.organizations[organization].invitations.append(self.invitations[key])
            case "InvitationResent":
                self.invitations[key].inviter = fields["inviter_id"]
            case _:
                self.invitations[key].status = name.removeprefix("Invitation").lower()
        if name == "InvitationAccepted":
            self.accepted[key] = fields["membership_id"]
        return self.invitations[key].organization

    def _require_order(self, key: str, position: int) -> None:
        """What must hold after each command."""
        organization, living = self.organizations[key], self._living(key)
        pending = [one.address for one in organization.invitations if one.status == "pending"]
        broken = {
            "no owner": organization.open and not organization.owners,
            "owners": organization.owners != {one.user for one in living if "owner" in one.roles},
            "one person twice": len(living) != len({one.user for one in living}),
            "one address twice": len(pending) != len(set(pending)),
            "too many members": self.members is not None and len(living) > self.members,
            "too many invitations": self.pending is not None and len(pending) > self.pending,
            "one slug twice": organization.open and self.slugs.setdefault(organization.slug, key) != key,
        }
        self.wrong += [f"{rule} at {position}" for rule, is_broken in broken.items() if is_broken]

    def _living(self, organization: str) -> list[Member]:
        return [one for one in self.organizations[organization].members if one.live]


def _commands(database: Database) -> Iterator[list[Entry]]:
    """What each command did, all of it where it began: what stands between has nothing to do with it."""
    entries = [
        Entry(position, stream_id, name, json.loads(body), command_id, str(actor))
        for position, stream_id, name, body, command_id, actor in database.rows(_ENTRIES)
    ]
    assert all(entry.position is not None for entry in entries), "some of it is not in order yet"
    began: dict[UUID, int] = {}
    for entry in entries:
        began.setdefault(entry.command_id, entry.position)
    ordered = sorted(entries, key=lambda entry: (began[entry.command_id], entry.position))
    for _, command in groupby(ordered, key=lambda entry: entry.command_id):
        yield list(command)


def _roles(fields: dict[str, Any]) -> set[str]:
    return set(fields["role"].split(","))
