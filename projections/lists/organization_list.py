"""organization_list: the organizations there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.events.catalogue import ORGANIZATION
from domain.organization import (
    Facts,
    LogoChanged,
    MetadataChanged,
    Organization,
    OrganizationClosed,
    OrganizationErased,
    OrganizationEvent,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList

from .member_list import OWNING

TABLE = Table(
    "organization_list",
    "organization_id",
    {
        "name": "text",
        "slug": "text",
        "slug_slot": "bytea",
        "personal_organization": "uuid",
        "logo": "text",
        "metadata": "text",
        "created_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


PERSONAL = ("name", "slug", "logo", "metadata")
"""The columns that are empty once it is erased."""


def project(event: OrganizationEvent, command: CommandRecord) -> Row | None:
    """What an event means for the organization's row; None if nothing."""
    at = command.at
    match event:
        case PersonalOrganizationFounded(name=name, slug=slug, slug_hash=slug_hash, owner_id=owner_id):
            return put(name=name, slug=slug, slug_slot=slug_hash, personal_organization=owner_id, created_at=at)
        case OrganizationFounded() as founded:
            return put(
                name=founded.name,
                slug=founded.slug,
                slug_slot=founded.slug_hash,
                logo=founded.logo,
                metadata=founded.metadata,
                created_at=at,
            )
        case OrganizationRenamed(name=name):
            return change(name=name)
        case SlugChanged(slug=slug, slug_hash=slug_hash):
            return change(slug=slug, slug_slot=slug_hash)
        case LogoChanged(logo=logo):
            return change(logo=logo)
        case MetadataChanged(metadata=metadata):
            return change(metadata=metadata)
        case PersonalOrganizationGivenUp():
            return change(personal_organization=None)
        case OrganizationClosed():
            return change(slug_slot=None, personal_organization=None, ended_at=at)
        case OrganizationErased():
            return change(**dict.fromkeys(PERSONAL))
        case OwnerAdded() | OwnerRemoved():
            return None  # who owns it stands in member_list
        case _:
            assert_never(event)


def restore(row: Mapping[str, Any]) -> Organization:
    """The organization's state, of its row and of who owns it."""
    return Organization(
        owners=frozenset(row["owners"]),
        personal_to=row["personal_organization"],
        closed=row["ended_at"] is not None,
    )


# whatever makes an owner, or an owner go, is a commit that moves the organization's version too
_OWNERS = (
    f"ARRAY(SELECT m.live_user_id FROM member_list m WHERE m.organization_id = {{row}}.organization_id AND {OWNING})"
)
PROJECTION = Projection(
    ORGANIZATION.name,
    TABLE,
    project,
    restore=restore,
    derived={"owners": _OWNERS},
    key_owner=lambda row: row["personal_organization"],
)


_SHOWN = {"name": "o.name", "slug": "o.slug", "logo": "o.logo", "metadata": "o.metadata"}
_FACTS = SelectList(Facts, **_SHOWN)


class OrganizationRow(NamedTuple):
    """An organization as it is listed. `metadata` is JSON text. What was typed is None once erased."""

    organization_id: UUID
    name: str | None
    slug: str | None
    logo: str | None
    metadata: str | None
    created_at: datetime


ORGANIZATION_ROW = SelectList(
    OrganizationRow,
    organization_id="o.organization_id",
    **_SHOWN,
    created_at="o.created_at",
)


def organizations_of(read: Statements, user_id: UUID) -> list[OrganizationRow]:
    """The open organizations a person belongs to, in the order in which they joined."""
    rows = read.rows(
        f"SELECT {ORGANIZATION_ROW.sql} FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.live_user_id = $1 AND o.ended_at IS NULL"
        " ORDER BY m.joined_at, m.membership_id",
        user_id,
    )
    return ORGANIZATION_ROW.read_all(rows)


def organization(read: Statements, organization_id: UUID) -> OrganizationRow | None:
    """An open organization."""
    row = read.row(
        f"SELECT {ORGANIZATION_ROW.sql} FROM organization_list o WHERE o.organization_id = $1 AND o.ended_at IS NULL",
        organization_id,
    )
    return ORGANIZATION_ROW.find(row)


def organization_by_slug(read: Statements, slots: Sequence[bytes]) -> UUID | None:
    """Which open organization has the slug with these slots (`Keyring.slug_slots`)."""
    row = read.row("SELECT organization_id FROM organization_list WHERE slug_slot = ANY($1)", list(slots))
    return None if row is None else row[0]


@dataclass
class OrganizationLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def facts(self, organization_id: UUID) -> Facts | None:
        row = self.read.row(
            f"SELECT {_FACTS.sql} FROM organization_list o WHERE o.organization_id = $1 AND o.ended_at IS NULL",
            organization_id,
        )
        # once erased it shows nothing, and is there
        return None if row is None else _FACTS.read(row)

    def slug_known(self, slots: Sequence[bytes]) -> bool:
        return organization_by_slug(self.read, slots) is not None
