"""The objects of the contract as they go over the wire (wire.md §1, "Objects")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, NotRequired, cast
from uuid import UUID

import msgspec
from pydantic import Field
from typing_extensions import TypedDict

from api.edge.batching.session_lists import SessionView
from api.edge.wire_time import to_wire
from domain.commands.lookups import Person
from domain.events.keys import Keyring
from domain.invitation import Status
from domain.roles import Role, Roles, roles_in
from domain.session import Lifetimes
from projections.devices import device
from projections.lists.account_list import PasswordDates
from projections.lists.api_key_list import ApiKeyRow, LiveKey, scopes_of
from projections.lists.invitation_list import InvitationRow
from projections.lists.member_list import MemberRow
from projections.lists.organization_list import OrganizationRow
from projections.lists.session_list import LiveSession, SessionRow
from projections.places import Places

from .answer_fields import (
    AccountAddress,
    BeganAt,
    ChangedAt,
    DeviceName,
    EndsAt,
    InvitationId,
    InvitedAddress,
    IpAddress,
    KeyId,
    Location,
    Logo,
    MemberId,
    MemberRole,
    OfferedRole,
    OrganizationId,
    OrganizationName,
    PersonName,
    Picture,
    SessionId,
    Slug,
    UserAgent,
    UserId,
)

_STATUSES = [status.value for status in Status if status != Status.EXPIRED]


class User(TypedDict):
    """A person with an account. Dates are ISO 8601 in UTC with three fractional digits."""

    id: UserId
    name: PersonName
    email: AccountAddress
    emailVerified: Annotated[bool, Field(examples=[False])]
    image: Picture
    createdAt: BeganAt
    updatedAt: ChangedAt


class Session(TypedDict):
    """A signed-in device, as last seen. `token` is its handle, no credential; `current` marks the one asking.

    `device` is what the browser says of itself, `location` where the address is registered, both "" if unknown.
    """

    id: SessionId
    token: SessionId
    userId: UserId
    expiresAt: EndsAt
    createdAt: BeganAt
    updatedAt: ChangedAt
    authenticatedAt: BeganAt
    ipAddress: IpAddress
    userAgent: UserAgent
    device: DeviceName
    location: Location
    current: bool
    activeOrganizationId: OrganizationId | None


class ListedSession(Session):
    """A signed-in device on the list of its person: by which way it signed in, and when it was last used."""

    signInWay: Annotated[str, Field(examples=["password"])]
    lastActiveAt: ChangedAt


Uncounted = Annotated[int | None, Field(examples=[None])]
"""Null, though of the plugin's type: some generated clients have no field that can only be null."""


class ApiKey(TypedDict):
    """A key for a program: all but its secret. `start` is how that begins, to be told from others by.

    `scopes` are what it may do of what its owner may, null if all; `organizationOnly` is the only organization it
    reaches. `lastRequest` is when it was last used, `lastIpAddress`, `lastLocation` and `lastDevice` from where and by
    what that was last told ("" if it was not). Fields about counted uses are null: uses are not counted.
    """

    id: KeyId
    configId: Annotated[str, Field(examples=["default"])]
    referenceId: UserId
    name: Annotated[str | None, Field(examples=["deploy"])]
    start: Annotated[str | None, Field(examples=["day_q7Zv2K"])]
    prefix: Annotated[str | None, Field(examples=[None])]
    enabled: bool
    scopes: Annotated[list[str] | None, Field(examples=[["read"]])]
    organizationOnly: OrganizationId | None
    metadata: Annotated[dict[str, Any] | list[Any] | None, Field(examples=[{"team": "web"}])]
    permissions: Annotated[dict[str, list[str]] | None, Field(examples=[None])]
    expiresAt: EndsAt | None
    createdAt: BeganAt
    updatedAt: ChangedAt
    lastRequest: ChangedAt | None
    lastIpAddress: IpAddress
    lastLocation: Location
    lastDevice: DeviceName
    rateLimitEnabled: bool
    rateLimitTimeWindow: Uncounted
    rateLimitMax: Uncounted
    requestCount: Annotated[int, Field(examples=[0])]
    remaining: Uncounted
    refillAmount: Uncounted
    refillInterval: Uncounted
    lastRefillAt: Annotated[ChangedAt | None, Field(examples=[None])]


class Account(TypedDict):
    """What a person signs in with: a password."""

    id: UserId
    accountId: UserId
    providerId: Annotated[str, Field(examples=["credential"])]
    userId: UserId
    createdAt: BeganAt
    updatedAt: ChangedAt
    scopes: Annotated[list[str], Field(examples=[[]])]


class Organization(TypedDict):
    """An organization; `metadata` is JSON text here."""

    id: OrganizationId
    name: OrganizationName
    slug: Slug
    logo: Logo
    metadata: Annotated[str | None, Field(examples=['{"plan":"team"}'])]
    createdAt: BeganAt


class ChangedOrganization(TypedDict):
    """An organization as it was just made or changed; `metadata` is an object here, left out if there is none."""

    id: OrganizationId
    name: OrganizationName
    slug: Slug
    logo: Logo
    createdAt: BeganAt
    metadata: NotRequired[Annotated[dict[str, Any], Field(examples=[{"plan": "team"}])]]


class MembersPerson(TypedDict):
    """Who a member is."""

    id: UserId
    name: PersonName
    email: AccountAddress
    image: Picture


class Member(TypedDict):
    """A person's place in an organization; several roles are joined by commas."""

    id: MemberId
    organizationId: OrganizationId
    userId: UserId
    role: MemberRole
    createdAt: BeganAt


class MemberWithPerson(Member):
    """A member, and who they are."""

    user: MembersPerson


class Invitation(TypedDict):
    """A place offered to an address. One that ran out is pending, with its end in the past.

    `acceptable` is there, and false, if who sent a pending one could not send it any more (wire.md A31).
    """

    id: InvitationId
    organizationId: OrganizationId
    email: InvitedAddress
    role: OfferedRole
    status: Annotated[str, Field(examples=["pending"], json_schema_extra={"enum": _STATUSES})]
    expiresAt: EndsAt
    createdAt: BeganAt
    inviterId: UserId
    acceptable: NotRequired[bool]


def wire_id(stream_id: UUID) -> str:
    """An id on the wire: 32 hex digits."""
    return stream_id.hex


def user(person: Person) -> User:
    """The person as the contract shows them."""
    return {
        "id": wire_id(person.user_id),
        "name": person.name or "",
        "email": person.email or "",
        "emailVerified": person.email_verified,
        "image": person.image,
        "createdAt": to_wire(person.created_at),
        "updatedAt": to_wire(person.updated_at),
    }


def session(row: LiveSession | SessionRow, lifetimes: Lifetimes, locate: Places, *, current: bool) -> Session:
    """The session as the contract shows it."""
    expires_at = lifetimes.end(started_at=row.created_at, expires_at=row.expires_at)
    return {
        "id": wire_id(row.session_id),
        "token": wire_id(row.session_id),
        "userId": wire_id(row.user_id),
        "expiresAt": to_wire(expires_at),
        "createdAt": to_wire(row.created_at),
        "updatedAt": to_wire(row.updated_at),
        "authenticatedAt": to_wire(row.authenticated_at),
        "ipAddress": row.ip_address or "",
        "userAgent": row.user_agent or "",
        "device": device(row.user_agent),
        "location": locate(row.ip_address),
        "current": current,
        "activeOrganizationId": None if row.active_organization_id is None else wire_id(row.active_organization_id),
    }


def session_of_key(row: LiveKey, locate: Places, *, expires_at: datetime) -> Session:
    """A key as the session that clients take it for; its handle is the key's id, and nobody proved who they are."""
    return {
        "id": wire_id(row.api_key_id),
        "token": wire_id(row.api_key_id),
        "userId": wire_id(row.user_id),
        "expiresAt": to_wire(expires_at),
        "createdAt": to_wire(row.created_at),
        "updatedAt": to_wire(row.updated_at),
        "authenticatedAt": to_wire(row.created_at),
        "ipAddress": row.ip_address or "",
        "userAgent": row.user_agent or "",
        "device": device(row.user_agent),
        "location": locate(row.ip_address),
        "current": True,
        "activeOrganizationId": None if row.active_organization_id is None else wire_id(row.active_organization_id),
    }


def api_key(row: ApiKeyRow, locate: Places, *, used_at: datetime | None) -> ApiKey:
    """The key as its owner sees it."""
    return {
        "id": wire_id(row.api_key_id),
        "configId": "default",
        "referenceId": wire_id(row.user_id),
        "name": row.name,
        "start": row.start,
        "prefix": row.prefix,
        "enabled": row.enabled,
        "scopes": None if row.scopes is None else list(scopes_of(row.scopes) or ()),
        "organizationOnly": None if row.organization_id is None else wire_id(row.organization_id),
        "metadata": None if row.metadata is None else msgspec.json.decode(row.metadata),
        "permissions": None,
        "expiresAt": None if row.expires_at is None else to_wire(row.expires_at),
        "createdAt": to_wire(row.created_at),
        "updatedAt": to_wire(row.updated_at),
        "lastRequest": None if used_at is None else to_wire(used_at),
        "lastIpAddress": row.used_ip_address or "",
        "lastLocation": locate(row.used_ip_address),
        "lastDevice": device(row.used_user_agent),
        "rateLimitEnabled": False,
        "rateLimitTimeWindow": None,
        "rateLimitMax": None,
        "requestCount": 0,
        "remaining": None,
        "refillAmount": None,
        "refillInterval": None,
        "lastRefillAt": None,
    }


def listed_session(
    view: SessionView, lifetimes: Lifetimes, locate: Places, *, current: bool, active_at: datetime
) -> ListedSession:
    """The session as its person's list shows it, last used at `active_at`."""
    if not view.told:
        view.told.update(session(view.row, lifetimes, locate, current=False), signInWay=view.row.way)
    listed = {**view.told, "current": current, "lastActiveAt": to_wire(active_at)}
    return cast(ListedSession, listed)


def account(user_id: UUID, dates: PasswordDates) -> Account:
    """The password of a person as the contract lists it; its only id is theirs."""
    return {
        "id": wire_id(user_id),
        "accountId": wire_id(user_id),
        "providerId": "credential",
        "userId": wire_id(user_id),
        "createdAt": to_wire(dates.set_at),
        "updatedAt": to_wire(dates.changed_at),
        "scopes": [],
    }


def organization(row: OrganizationRow) -> Organization:
    """The organization as the contract lists it."""
    return {
        "id": wire_id(row.organization_id),
        "name": row.name or "",
        "slug": row.slug or "",
        "logo": row.logo,
        "metadata": row.metadata,
        "createdAt": to_wire(row.created_at),
    }


def changed_organization(row: OrganizationRow) -> ChangedOrganization:
    """The organization as the contract answers its making or changing."""
    shown: ChangedOrganization = {
        "id": wire_id(row.organization_id),
        "name": row.name or "",
        "slug": row.slug or "",
        "logo": row.logo,
        "createdAt": to_wire(row.created_at),
    }
    return shown if row.metadata is None else {**shown, "metadata": msgspec.json.decode(row.metadata)}


def member(row: MemberRow) -> Member:
    """The member as the contract shows them after a change."""
    return {
        "id": wire_id(row.membership_id),
        "organizationId": wire_id(row.organization_id),
        "userId": wire_id(row.user_id),
        "role": row.role,
        "createdAt": to_wire(row.joined_at),
    }


def member_with_person(row: MemberRow) -> MemberWithPerson:
    """The member as the contract lists them."""
    person: MembersPerson = {
        "id": wire_id(row.user_id),
        "name": row.name or "",
        "email": row.email or "",
        "image": row.image,
    }
    return {**member(row), "user": person}


def invitation(row: InvitationRow, keyring: Keyring, *, link: bool = True) -> Invitation:
    """The invitation as the contract shows it; its id is the one in the link, or without it one that opens nothing."""
    shown: Invitation = {
        "id": keyring.invitation_link(row.invitation_id) if link else wire_id(row.invitation_id),
        "organizationId": wire_id(row.organization_id),
        "email": row.email or "",
        "role": row.role,
        "status": Status.PENDING if row.status == Status.EXPIRED else row.status,
        "expiresAt": to_wire(row.expires_at),
        "createdAt": to_wire(row.created_at),
        "inviterId": wire_id(row.inviter_id),
    }
    if shown["status"] == Status.PENDING and not row.stands:
        shown["acceptable"] = False
    return shown


def invitations(
    rows: Iterable[InvitationRow], keyring: Keyring, *, seen_as: Roles, links: bool = True
) -> list[Invitation]:
    """As members see them: who is no owner does not see who is invited to be one (wire.md §10)."""
    sees_owners = Role.OWNER in seen_as
    return [invitation(row, keyring, link=links) for row in rows if sees_owners or Role.OWNER not in roles_in(row.role)]
