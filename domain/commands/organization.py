"""Commands about organizations: founding, changing, closing them, and turning to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.events.keys import Keyring
from domain.ids import new_id
from domain.membership import Joining, Membership
from domain.organization import LogoChanged, Organization, personal_slug
from domain.pictures import Picture
from domain.refusals import (
    MayNotClose,
    MayNotFound,
    MayNotUpdateOrganization,
    NewSlugTaken,
    NotAMember,
    SlugTaken,
)
from domain.roles import Role
from domain.store import Addition, StreamQuery, Subject
from domain.store.conflicts import retry_on_conflict
from domain.store.pictures import no_picture
from domain.store.rows import Write

from .acting_member import acting_member, belonging
from .context import Context
from .ownership import require_proof
from .pictures import Wanted, shown
from .principal import LoadedBySession, Person, PersonBySession, load_by_session, load_principal, record_of
from .queries import membership_of, the_organization


def personal_organization(keyring: Keyring, owner_id: UUID, *, name: str, email: str) -> tuple[UUID, list[Addition]]:
    """The id of a personal organization, and what founds it: itself and its owner's membership (wire.md A4, §12).

    Without a name the local part of the e-mail address stands for the person.
    """
    organization_id = new_id()
    slug = personal_slug(organization_id)
    founded = Organization.found_personal(
        slug=slug,
        slug_hash=keyring.slug_hash(slug),
        owner_id=owner_id,
        person=name or email.partition("@")[0],
    )
    joined = Membership.join(
        organization_id=organization_id, user_id=owner_id, roles=(Role.OWNER,), joining=Joining.FOUNDED
    )
    subject = Subject(organization_id, keyring.new_subject_key(organization_id), new=True)
    return organization_id, [Addition(organization_id, 0, founded, subject), Addition(new_id(), 0, joined)]


@retry_on_conflict
def found_organization(
    context: Context,
    principal: Person,
    *,
    name: str,
    slug: str,
    logo: Wanted,
    metadata: str | None,
    turning: bool,
) -> tuple[UUID, UUID]:
    """Found an organization and own it, `turning` to it; its id and that of the membership. `metadata` is JSON text.

    Only a session turns to organizations. Raises MayNotFound, SlugTaken, ScopeMissing, PictureNotKept, SubjectGone,
    SessionOver, Conflict.
    """
    if not context.rules.create_organizations:
        raise MayNotFound
    if context.lookups.slug_known(context.keyring.slug_slots(slug)):
        raise SlugTaken
    organization_id, membership_id, owner_id = new_id(), new_id(), principal.user_id
    subject = context.store.new_subject(organization_id)
    showing = shown(context, subject, logo)
    founded = Organization.found(
        name=name,
        slug=slug,
        slug_hash=context.keyring.slug_hash(slug),
        logo=showing.url,
        metadata=metadata,
        owner_id=owner_id,
    )
    joined = Membership.join(
        organization_id=organization_id, user_id=owner_id, roles=(Role.OWNER,), joining=Joining.FOUNDED
    )
    loaded, _ = load_principal(context, principal)
    loaded.require_whole()
    turned = list[Addition]()
    if turning and isinstance(loaded, LoadedBySession):
        turned.append(loaded.session.with_events(loaded.session.state.choose(organization_id)))
    context.store.append(
        record_of(principal),
        loaded.subject,
        Addition(organization_id, 0, founded, subject),
        Addition(membership_id, 0, joined),
        *turned,
        guards=loaded.guards,
        writes=showing.writes,
    )
    return organization_id, membership_id


@retry_on_conflict
def update_organization(
    context: Context,
    principal: Person,
    *,
    organization_id: UUID,
    changes: Mapping[str, str | None],
    picture: Picture | None = None,
) -> bool:
    """Change what is among the changes, by the names of `Facts`; whether anything was.

    `picture` is kept, and shown as the logo. One that is shown no more is gone. Raises NotAMember,
    MayNotUpdateOrganization, NewSlugTaken, PictureNotKept, SubjectGone, SessionOver, Conflict.
    """
    own, _ = acting_member(context, principal, organization_id)
    facts = context.lookups.facts(organization_id)
    if own is None or facts is None:
        raise NotAMember
    if not own.may("organization", "update"):
        raise MayNotUpdateOrganization
    slug = changes.get("slug")
    # not left to the constraint: two organizations that swap their slugs would wait for each other
    if slug is not None and slug != facts.slug and context.lookups.slug_known(context.keyring.slug_slots(slug)):
        raise NewSlugTaken
    wanted, writes = dict(changes), list[Write]()
    if picture is not None or "logo" in changes:
        wanted["logo"], writes, before = shown(
            context, own.organization_key, picture or changes["logo"], before=facts.logo
        )
        facts = replace(facts, logo=before)
    changed = own.organization.state.change(wanted, before=facts, slug_hash=context.keyring.slug_hash)
    additions = own.organization.with_events(changed)
    if not any(isinstance(one, LogoChanged) for one in changed):
        writes = []
    try:
        return context.store.append(record_of(principal), own.subject, additions, guards=own.guards, writes=writes)
    except SlugTaken:
        raise NewSlugTaken from None


@retry_on_conflict
def close_organization(context: Context, principal: Person, *, organization_id: UUID) -> None:
    """Close an organization for all its members.

    Raises NotAMember, MayNotClose, SessionNotFresh, SessionOver, Conflict.
    """
    own, _ = acting_member(context, principal, organization_id)
    if own is None:
        raise NotAMember
    if not own.may("organization", "delete"):
        raise MayNotClose
    # nobody owns it then
    require_proof(context, own.principal, before=own.roles, after=())
    context.store.append(
        record_of(principal),
        own.subject,
        own.organization.with_events(own.organization.state.close()),
        guards=own.guards,
        writes=[no_picture(organization_id)],
    )


@retry_on_conflict
def choose_organization(context: Context, principal: PersonBySession, *, organization_id: UUID | None) -> bool:
    """Turn the session to an organization, or to none; whether it was not. What a session chose counts only while its
    person belongs to it, so that is not guarded. Raises NotAMember, SessionOver, SubjectGone, Conflict.
    """
    chosen: list[StreamQuery[Any]] = []
    if organization_id is not None:
        chosen = [the_organization(organization_id), membership_of(principal.user_id, organization_id)]
    loaded, found = load_by_session(context, principal, *chosen)
    if found and belonging(*found) is None:
        raise NotAMember
    turned = loaded.session.with_events(loaded.session.state.choose(organization_id))
    return context.store.append(record_of(principal), loaded.subject, turned, guards=[loaded.user])
