"""Commands about organizations."""

from __future__ import annotations

from uuid import UUID

from domain.chance import new_id
from domain.membership import Joining, Membership
from domain.organization import Organization
from domain.roles import Role
from domain.store import Addition, Subject


def personal_organization(owner: Subject, *, name: str, email: str) -> tuple[UUID, list[Addition]]:
    """The id of a personal organization, and what founds it: itself and its owner's membership (wire.md A4, §12).

    Without a name the local part of the e-mail address stands for the person.
    """
    organization_id = new_id()
    person = name or email.partition("@")[0]
    founded = Organization.found_personal(organization_id=organization_id, owner_id=owner.subject_id, person=person)
    joined = Membership.join(
        organization_id=organization_id, user_id=owner.subject_id, role=Role.OWNER, joining=Joining.FOUNDED
    )
    return organization_id, [Addition(organization_id, 0, founded, owner), Addition(new_id(), 0, joined)]
