"""Somebody whose account is deleted while something else happens: who takes part, and what must be so afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import psycopg

from domain.clock import now
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.user import sign_up
from tests.faults.at_once import Request
from tests.faults.owners import HERE, Device, Owner, signed_in
from tests.people import PASSWORD

RACERS = (
    "sign-in", "acceptance", "invitation to them", "role change", "renewal", "another owner leaves",
    "another owner goes", "another name", "twice",
)  # fmt: skip
"""What happens at the same moment: by the person themselves on another device, or by who shares an organization."""

_numbers = count()
_VIOLATIONS = {
    "a key that is left": "SELECT subject_id FROM subject_keys WHERE person_id = $1 AND wrapped IS NOT NULL",
    "a row that shows something": (
        "SELECT user_id FROM account_list WHERE user_id = $1 AND (email IS NOT NULL OR name IS NOT NULL"
        " OR email_slot IS NOT NULL OR ended_at IS NULL)"
    ),
    "where a session came from": (
        "SELECT session_id FROM session_list WHERE user_id = $1 AND (ip_address IS NOT NULL OR user_agent IS NOT NULL"
        " OR moved_ip_address IS NOT NULL OR moved_user_agent IS NOT NULL)"
    ),
    "a session that lives": (
        "SELECT session_id FROM session_list s JOIN account_list a USING (user_id)"
        " WHERE user_id = $1 AND s.epoch = a.session_epoch"
    ),
    "a place in an organization that is open": (
        "SELECT membership_id FROM member_list JOIN organization_list o USING (organization_id)"
        " WHERE live_user_id = $1 AND o.ended_at IS NULL"
    ),
    "an invitation of theirs that waits": (
        "SELECT invitation_id FROM invitation_list WHERE inviter_id = $1 AND pending_slot IS NOT NULL"
    ),
    "something beside the log": (
        "SELECT user_id FROM credentials WHERE user_id = $1 UNION ALL"
        " SELECT person_id FROM attempts WHERE person_id = $1"
    ),
}
_NO_OWNER = """
SELECT organization_id FROM organization_list o
 WHERE ended_at IS NULL AND NOT EXISTS (SELECT FROM member_list m WHERE m.organization_id = o.organization_id
       AND m.live_user_id IS NOT NULL AND 'owner' = ANY (string_to_array(m.role, ',')))
"""


@dataclass
class Going:
    """One round: who goes, and their friend, who share an organization; another of the friend's invites them."""

    leaver: Owner
    friend: Owner
    laptop: Device
    phone: Device
    friends: Device
    shared: UUID
    membership_id: UUID
    other: UUID
    link: str
    handed: list[str] = field(default_factory=list, repr=False)


def going(context: Context, racer: str) -> Going:
    """New people for one round. Where another owner goes, both own what they share."""
    leaver, friend = _person(context), _person(context)
    laptop, phone, friends = (signed_in(context, one) for one in (leaver, leaver, friend))
    shared, other = _founded(context, friend, friends), _founded(context, friend, friends)
    role = "owner" if racer.startswith("another owner") else "admin"
    link = _invited(context, friend, friends, shared, leaver.email, role)
    membership_id = received_invitation.accept(context, _by(leaver, laptop), link=link).membership_id
    waiting = _invited(context, friend, friends, other, leaver.email, "member")
    return Going(leaver, friend, laptop, phone, friends, shared, membership_id, other, waiting)


def racing(round_: Going, racer: str) -> Request:
    """What is asked for while the leaver deletes their account."""
    mine, friends = round_.phone.token, round_.friends.token
    if racer == "sign-in":
        fields: dict[str, object] = {"email": round_.leaver.email, "password": PASSWORD}
        return Request(method="POST", path="/sign-in/email", fields=fields)
    if racer == "renewal":
        return Request(path="/get-session", token=mine, user_agent="Mozilla/5.0 elsewhere")
    asked: dict[str, tuple[str, str, dict[str, object]]] = {
        "acceptance": ("/organization/accept-invitation", mine, {"invitationId": round_.link}),
        "invitation to them": (
            "/organization/invite-member", friends,
            {"organizationId": round_.shared.hex, "email": f"again.{round_.leaver.email}", "role": "member"},
        ),
        "role change": (
            "/organization/update-member-role", friends,
            {"organizationId": round_.shared.hex, "memberId": round_.membership_id.hex, "role": "member"},
        ),
        "another owner leaves": ("/organization/leave", friends, {"organizationId": round_.shared.hex}),
        "another owner goes": ("/delete-user", friends, {}),
        "another name": ("/update-user", mine, {"name": "Somebody Else"}),
        "twice": ("/delete-user", mine, {"password": PASSWORD}),
    }  # fmt: skip
    path, token, fields = asked[racer]
    return Request(method="POST", path=path, token=token, fields=fields)


def violations(connection: psycopg.Connection[Any], user_id: UUID) -> list[str]:
    """What is left of somebody who is gone, and what nobody owns."""
    with psycopg.RawCursor(connection) as cursor:
        found = [what for what, sql in _VIOLATIONS.items() if cursor.execute(sql, [user_id]).fetchall()]
        return [*found, *(["an organization without an owner"] if cursor.execute(_NO_OWNER).fetchall() else [])]


def _person(context: Context) -> Owner:
    email = f"leaver{next(_numbers)}@example.com"
    signed_up = sign_up(
        context, email=email, name="Somebody", image=None, password=PASSWORD, remembered=True, now=now(),
        where_from=HERE,
    )  # fmt: skip
    return Owner(email, signed_up.person.user_id)


def _by(who: Owner, device: Device) -> PersonBySession:
    return PersonBySession(user_id=who.user_id, session_id=device.session_id, at=now(), where_from=HERE)


def _founded(context: Context, who: Owner, device: Device) -> UUID:
    organization_id, _ = found_organization(
        context, _by(who, device), name="Acme", slug=f"going-{next(_numbers)}", logo=None, metadata=None, turning=False
    )
    return organization_id


def _invited(context: Context, who: Owner, device: Device, organization_id: UUID, email: str, role: str) -> str:
    invitation_id = invitations.invite(
        context, _by(who, device), organization_id=organization_id, email=email, role=role, resend=False
    )
    return context.keyring.invitation_link(invitation_id)
