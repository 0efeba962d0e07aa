"""Organization: people who work together; always has an owner until it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from .personal import Personal
from .refusals import LastOwner


@dataclass(frozen=True, kw_only=True)
class PersonalOrganizationFounded:
    """A person got the organization that comes with an account; it carries their name and they own it."""

    name: Personal
    slug: Personal
    slug_hash: bytes
    owner_id: UUID


@dataclass(frozen=True, kw_only=True)
class OrganizationFounded:
    """A person founded an organization and owns it. `metadata` is JSON text."""

    name: Personal
    slug: Personal
    slug_hash: bytes
    logo: Personal
    metadata: Personal
    owner_id: UUID


@dataclass(frozen=True, kw_only=True)
class OrganizationRenamed:
    """The organization goes by another name."""

    name: Personal


@dataclass(frozen=True, kw_only=True)
class SlugChanged:
    """The organization is found under another slug; the one before is free."""

    before: Personal
    slug: Personal
    slug_hash: bytes


@dataclass(frozen=True, kw_only=True)
class LogoChanged:
    """The organization shows another logo, or none."""

    logo: Personal


@dataclass(frozen=True, kw_only=True)
class MetadataChanged:
    """What the application keeps with the organization is different; JSON text."""

    metadata: Personal


@dataclass(frozen=True, kw_only=True)
class OwnerAdded:
    """One more person owns the organization."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class OwnerRemoved:
    """A person owns the organization no longer; somebody else does."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class PersonalOrganizationGivenUp:
    """The organization came with the account of somebody who does not own it any more."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class OrganizationClosed:
    """The organization is no more; its members belong to it no longer."""


@dataclass(frozen=True, kw_only=True)
class OrganizationErased:
    """What was typed of an organization that nobody but this person ever belonged to is gone, with them."""

    user_id: UUID


OrganizationEvent = (
    PersonalOrganizationFounded
    | OrganizationFounded
    | OrganizationRenamed
    | SlugChanged
    | LogoChanged
    | MetadataChanged
    | OwnerAdded
    | OwnerRemoved
    | PersonalOrganizationGivenUp
    | OrganizationClosed
    | OrganizationErased
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What an organization is called and shows now; its list knows it. `metadata` is JSON text. None once erased."""

    name: str | None
    slug: str | None
    logo: str | None
    metadata: str | None


NEUTRAL_NAME = "Organization"
"""What an organization is called that went by the name of somebody who was erased."""


def personal_name(person: str) -> str:
    """What an organization is called that comes with the account of somebody called so (wire.md §12)."""
    return f"{person}'s Organization"


def personal_slug(organization_id: UUID) -> str:
    """The slug of an organization that comes with an account.

    It comes from the id, never from the name: the 62 random bits at the end of a UUIDv7.
    """
    return f"org-{organization_id.hex[16:]}"


@dataclass(frozen=True, kw_only=True)
class Organization:
    """People who work together. Its owners are known here, for the rule that one must remain.

    `personal_to` is whose account it came with, while they own it.
    """

    owners: frozenset[UUID]
    personal_to: UUID | None = None
    closed: bool = False

    @staticmethod
    def found_personal(*, slug: str, slug_hash: bytes, owner_id: UUID, person: str) -> list[OrganizationEvent]:
        """Found the organization that comes with an account, named after the `person` (wire.md §12)."""
        name = personal_name(person)
        return [PersonalOrganizationFounded(name=name, slug=slug, slug_hash=slug_hash, owner_id=owner_id)]

    @staticmethod
    def found(
        *, name: str, slug: str, slug_hash: bytes, logo: str | None, metadata: str | None, owner_id: UUID
    ) -> list[OrganizationEvent]:
        """Found an organization. `slug_hash` is the keyed hash by which its slug is kept unique."""
        return [
            OrganizationFounded(
                name=name, slug=slug, slug_hash=slug_hash, logo=logo, metadata=metadata, owner_id=owner_id
            )
        ]

    def rename(self, name: str, *, before: str | None) -> list[OrganizationEvent]:
        """Go by another name; nothing if it is the one `before`."""
        return [] if name == before else [OrganizationRenamed(name=name)]

    def change_slug(self, slug: str, *, slug_hash: bytes, before: str | None) -> list[OrganizationEvent]:
        """Be found under another slug; nothing if it is the one `before`."""
        return [] if slug == before else [SlugChanged(before=before, slug=slug, slug_hash=slug_hash)]

    def show(self, logo: str | None, *, before: str | None) -> list[OrganizationEvent]:
        """Show another logo, or none; nothing if it is the one `before`."""
        return [] if logo == before else [LogoChanged(logo=logo)]

    def keep(self, metadata: str | None, *, before: str | None) -> list[OrganizationEvent]:
        """Keep something else for the application; nothing if it is the same as `before`."""
        return [] if metadata == before else [MetadataChanged(metadata=metadata)]

    def change(
        self, changes: Mapping[str, str | None], *, before: Facts, slug_hash: Callable[[str], bytes]
    ) -> list[OrganizationEvent]:
        """Whichever of its facts are among the changes, by their names; `slug_hash` hashes a slug among them.

        It always has a name and a slug: None leaves them as they are.
        """
        changed = list[OrganizationEvent]()
        if (name := changes.get("name")) is not None:
            changed += self.rename(name, before=before.name)
        if (slug := changes.get("slug")) is not None:
            changed += self.change_slug(slug, slug_hash=slug_hash(slug), before=before.slug)
        if "logo" in changes:
            changed += self.show(changes["logo"], before=before.logo)
        if "metadata" in changes:
            changed += self.keep(changes["metadata"], before=before.metadata)
        return changed

    def add_owner(self, user_id: UUID) -> list[OrganizationEvent]:
        """One more person owns it; nothing if they do."""
        return [] if user_id in self.owners else [OwnerAdded(user_id=user_id)]

    def remove_owner(self, user_id: UUID) -> list[OrganizationEvent]:
        """A person owns it no longer; nothing if they do not. Raises LastOwner."""
        if user_id not in self.owners:
            return []
        if self.owners == {user_id}:
            raise LastOwner
        given_up = [PersonalOrganizationGivenUp(user_id=user_id)] if user_id == self.personal_to else []
        return [OwnerRemoved(user_id=user_id), *given_up]

    def close(self) -> list[OrganizationEvent]:
        """End it, for all its members; nothing if it has ended."""
        return [] if self.closed else [OrganizationClosed()]

    def erase(self, user_id: UUID) -> list[OrganizationEvent]:
        """End it, and let go of what was typed of it: nobody but this person ever belonged to it."""
        return [*self.close(), OrganizationErased(user_id=user_id)]


def evolve(state: Organization | None, event: OrganizationEvent) -> Organization:
    """What the organization is after one more event."""
    match event:
        case PersonalOrganizationFounded(owner_id=owner_id):
            return Organization(owners=frozenset({owner_id}), personal_to=owner_id)
        case OrganizationFounded(owner_id=owner_id):
            return Organization(owners=frozenset({owner_id}))
    assert state is not None, "an organization begins with its founding"
    match event:
        case OrganizationRenamed() | SlugChanged() | LogoChanged() | MetadataChanged():
            return state
        case OwnerAdded(user_id=user_id):
            return replace(state, owners=state.owners | {user_id})
        case OwnerRemoved(user_id=user_id):
            return replace(state, owners=state.owners - {user_id})
        case PersonalOrganizationGivenUp():
            return replace(state, personal_to=None)
        case OrganizationClosed():
            return replace(state, personal_to=None, closed=True)
        case OrganizationErased():
            return state
        case _:
            assert_never(event)
