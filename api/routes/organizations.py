"""Organizations as their members see them (wire.md §10)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.edge.batching.organizations_seen import OrganizationView
from api.edge.caller import Caller, CurrentCaller, CurrentPrincipal
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import by_key
from domain.refusals import NotAMember, OrganizationNotFound
from domain.roles import roles_in
from domain.scopes import READ
from projections.lists import organization_list
from projections.lists.full_organization import FullOrganization, full_organization
from projections.lists.member_list import live_role

from . import shapes
from .documented import at, documented
from .fields import OptionalId
from .queries import AtMost

router = APIRouter(route_class=ContractRoute, prefix=f"{BASE_PATH}/organization", tags=["organization"])


class Which(QueryModel):
    """Which organization; the active one if none is named."""

    organizationId: OptionalId = ""
    organizationSlug: str = ""


class WhichInFull(Which):
    """As `Which`, with at most so many members."""

    membersLimit: AtMost = None


class FullAnswer(shapes.Organization):
    """An organization with its people. `invitations` is empty for plain members."""

    invitations: list[shapes.Invitation]
    members: list[shapes.MemberWithPerson]


@router.get(
    "/get-organization",
    operation_id="getOrganization",
    summary="An organization you belong to, or null if none is active",
    openapi_extra=by_key(READ),
    responses=documented(
        shapes.Organization | None,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "ORGANIZATION_NOT_FOUND",
        at(403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"),
        body=False,
    ),
)
def get_organization(caller: CurrentCaller, query: Annotated[Which, Query()]) -> JsonResponse:
    current, read = caller.require_principal(), caller.services.context.store.statements
    organization_id = named(caller, query.organizationId, query.organizationSlug) or current.active_organization_id
    if organization_id is None:
        return JsonResponse(None)
    found = organization_list.organization(read, organization_id)
    if found is None:
        raise OrganizationNotFound
    if role_in(current, organization_id) is None:
        raise Problem.of_code(NotAMember.code, status=403)
    return JsonResponse(shapes.organization(found))


@router.get(
    "/get-full-organization",
    operation_id="getFullOrganization",
    summary="An organization you belong to with its members and invitations, or null if none is active",
    openapi_extra=by_key(READ),
    responses=documented(
        FullAnswer | None,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "ORGANIZATION_NOT_FOUND",
        at(403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"),
        body=False,
    ),
)
async def get_full_organization(caller: CurrentCaller, query: Annotated[WhichInFull, Query()]) -> Response:
    current = await caller.require_principal_soon()
    seen = await seen_now(caller, current, query, invitations=True)
    if seen is None:
        return await to_thread.run_sync(_full_organization, caller, current, query)
    most = query.membersLimit or None
    return seen.answer(
        # kept for all who see it alike
        f"get-full-organization {most} {current.sees_links}",
        lambda full: full_answer(current, full._replace(members=full.members[:most])),
    )


def _full_organization(caller: Caller, current: CurrentPrincipal, query: WhichInFull) -> JsonResponse:
    read = caller.services.context.store.statements
    organization_id = named(caller, query.organizationId, query.organizationSlug) or current.active_organization_id
    if organization_id is None:
        return JsonResponse(None)
    full = None
    if current.reaches(organization_id):
        full = full_organization(read, organization_id, current.user_id, most_members=query.membersLimit or None)
    if full is None:
        if organization_list.organization(read, organization_id) is None:
            raise OrganizationNotFound
        raise Problem.of_code(NotAMember.code, status=403)
    return JsonResponse(full_answer(current, full))


@router.get(
    "/list",
    operation_id="listOrganizations",
    summary="The organizations you belong to, in the order in which you joined",
    openapi_extra=by_key(READ),
    responses=documented(list[shapes.Organization], "UNAUTHORIZED", body=False),
)
def list_organizations(caller: CurrentCaller) -> JsonResponse:
    current = caller.require_principal()
    rows = organization_list.organizations_of(caller.services.context.store.statements, current.user_id)
    return JsonResponse([shapes.organization(row) for row in rows if current.reaches(row.organization_id)])


async def seen_now(
    caller: Caller, current: CurrentPrincipal, query: Which, *, invitations: bool
) -> OrganizationView | None:
    """The organization that is meant, as who asks sees it, of the query that all share who ask at the moment.

    None if that does not say: none is meant, it is named by its slug, it is too large, or they do not belong to it or
    ask by a key that is not for it.
    """
    organization_id = id_in(query.organizationId) or current.active_organization_id
    if organization_id is None or query.organizationSlug or not current.reaches(organization_id):
        return None
    view = await caller.services.organizations.seen(organization_id, current.user_id, invitations=invitations)
    return None if view is None or view.crowded else view


def role_in(current: CurrentPrincipal, organization_id: UUID) -> str | None:
    """What somebody is in an open organization; None if they are no member, or ask by a key that is not for it."""
    if not current.reaches(organization_id):
        return None
    return live_role(current.services.context.store.statements, organization_id, current.user_id)


def full_answer(current: CurrentPrincipal, full: FullOrganization) -> FullAnswer:
    """An organization as a member of it sees it."""
    return {
        **shapes.organization(full.organization),
        "invitations": shapes.invitations(
            full.invitations,
            current.services.context.keyring,
            seen_as=roles_in(full.role),
            links=current.sees_links,
        ),
        "members": [shapes.member_with_person(row) for row in full.members],
    }


def named(caller: Caller, organization_id: str | None, slug: str) -> UUID | None:
    """The organization that is named, by its slug if by both; None if none is.

    Raises OrganizationNotFound for a slug nobody has.
    """
    if not slug:
        return id_in(organization_id)
    found = organization_list.organization_by_slug(
        caller.services.context.store.statements, caller.services.context.keyring.slug_slots(slug)
    )
    if found is None:
        raise OrganizationNotFound
    return found
