"""Commands about organizations: founding, changing, closing them, and turning to one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domain.events.keys import Keyring
from domain.ids import new_id
from domain.membership import Joining, Membership
from domain.organization import Organization, personal_slug
from domain.refusals import (
    MayNotClose,
    MayNotFound,
    MayNotUpdateOrganization,
    NewSlugTaken,
    NotAMember,
    SlugTaken,
)
from domain.roles import Role, allow
from domain.store import Addition, Subject
from domain.store.conflicts import retry_on_conflict
from domain.store.envelope import CommandRecord

from .acting_member import acting_member
from .context import Context
from .ownership import require_proof
from .principal import actor, load_principal


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
    command: CommandRecord,
    *,
    name: str,
    slug: str,
    logo: str | None,
    metadata: str | None,
    turning: bool,
) -> tuple[UUID, UUID]:
    """Found an organization and own it, `turning` to it; its id and that of the membership. `metadata` is JSON text.

    Raises MayNotFound, SlugTaken, SubjectGone, SessionOver, Conflict.
    """
    if not context.rules.create_organizations:
        raise MayNotFound
    if context.lookups.slug_known(context.keyring.slug_slots(slug)):
        raise SlugTaken
    organization_id, membership_id, owner_id = new_id(), new_id(), actor(command)
    founded = Organization.found(
        name=name,
        slug=slug,
        slug_hash=context.keyring.slug_hash(slug),
        logo=logo,
        metadata=metadata,
        owner_id=owner_id,
    )
    joined = Membership.join(
        organization_id=organization_id, user_id=owner_id, roles=(Role.OWNER,), joining=Joining.FOUNDED
    )
    principal, _ = load_principal(context, command)
    turned = principal.session.state.choose(organization_id) if turning else []
    context.store.append(
        command,
        principal.subject,
        Addition(organization_id, 0, founded, context.store.new_subject(organization_id)),
        Addition(membership_id, 0, joined),
        principal.session.with_events(turned),
        guards=principal.guards,
    )
    return organization_id, membership_id


@retry_on_conflict
def update_organization(
    context: Context, command: CommandRecord, *, organization_id: UUID, changes: Mapping[str, str | None]
) -> bool:
    """Change what is among the changes, by the names of `Facts`; whether anything was.

    Raises NotAMember, MayNotUpdateOrganization, NewSlugTaken, SessionOver, Conflict.
    """
    own, _ = acting_member(context, command, organization_id)
    facts = context.lookups.facts(organization_id)
    if own is None or facts is None:
        raise NotAMember
    if not allow(own.roles, "organization", "update"):
        raise MayNotUpdateOrganization
    slug = changes.get("slug")
    # not left to the constraint: two organizations that swap their slugs would wait for each other
    if slug is not None and slug != facts.slug and context.lookups.slug_known(context.keyring.slug_slots(slug)):
        raise NewSlugTaken
    changed = own.organization.state.change(changes, before=facts, slug_hash=context.keyring.slug_hash)
    try:
        return context.store.append(command, own.subject, own.organization.with_events(changed), guards=own.guards)
    except SlugTaken:
        raise NewSlugTaken from None


@retry_on_conflict
def close_organization(context: Context, command: CommandRecord, *, organization_id: UUID) -> None:
    """Close an organization for all its members.

    Raises NotAMember, MayNotClose, SessionNotFresh, SessionOver, Conflict.
    """
    own, _ = acting_member(context, command, organization_id)
    if own is None:
        raise NotAMember
    if not allow(own.roles, "organization", "delete"):
        raise MayNotClose
    # nobody owns it then
    require_proof(context, command, own.principal, before=own.roles, after=())
    context.store.append(
        command, own.subject, own.organization.with_events(own.organization.state.close()), guards=own.guards
    )


@retry_on_conflict
def choose_organization(context: Context, command: CommandRecord, *, organization_id: UUID | None) -> bool:
    """Turn the session to an organization, or to none; whether it was not. What a session chose counts only while its
    person belongs to it, so that is not guarded. Raises NotAMember, SessionOver, SubjectGone, Conflict.
    """
    if organization_id is None:
        principal, _ = load_principal(context, command)
    else:
        own, _ = acting_member(context, command, organization_id)
        if own is None:
            raise NotAMember
        principal = own.principal
    session = principal.session
    return context.store.append(
        command, principal.subject, session.with_events(session.state.choose(organization_id)), guards=[principal.user]
    )
