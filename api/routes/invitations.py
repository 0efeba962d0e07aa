"""Invitations as an organization has them: sending, listing, taking back (wire.md §10, §10.2)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from api.edge.caller import Caller, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import by_key
from domain.commands import invitation as invitations
from domain.refusals import OrganizationNotFound, UnknownRole
from domain.roles import roles_in
from domain.scopes import READ
from projections.lists import invitation_list

from . import shapes
from .documented import Refused, documented, uncoded
from .fields import GivenAddress, OptionalId, RoleOrRoles
from .organizations import role_in

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["invitation"])

_NO_ORGANIZATION = "Organization ID is required"
_NOT_A_MEMBER = "You are not a member of this organization"


class Invite(BaseModel):
    """Whom to invite, as what. Unknown fields are ignored."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"email": "bo@example.com", "role": "member"}]}
    )

    email: GivenAddress
    role: RoleOrRoles
    organizationId: OptionalId = ""
    resend: bool = False


class Named(BaseModel):
    """An invitation, by the id in its link."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"invitationId": "6d0a3bd1c2f94e5f8a7b9c0d1e2f3041"}]}
    )

    invitationId: str


class OfOrganization(QueryModel):
    """The invitations of which organization; of the active one if none is named."""

    organizationId: OptionalId = ""


@router.post(
    "/organization/invite-member",
    operation_id="inviteMember",
    name="invite",
    summary="Invite somebody by their address; `id` is what goes into the link",
    openapi_extra=by_key("invitation:create"),
    responses=documented(
        shapes.Invitation,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "INVITATIONS_ARE_DISABLED",
        "ORGANIZATION_NOT_FOUND",
        "INVALID_EMAIL",
        "MEMBER_NOT_FOUND",
        "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION",
        Refused("EMPTY_ROLE", 400, {"message": "Role not found", "code": "ROLE_NOT_FOUND"}),
        uncoded(400, "UNKNOWN_ROLE", "ROLE_NOT_FOUND: wizard"),
        "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE",
        "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION",
        "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION",
        "INVITATION_LIMIT_REACHED",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def invite_member(caller: CurrentCaller, form: Invite) -> JsonResponse:
    current = caller.require_principal()
    organization_id = id_in(form.organizationId) or current.active_organization_id
    if organization_id is None:
        raise OrganizationNotFound
    try:
        with caller.services.mail_brake.sending(current.user_id) as admit:
            invitation_id = invitations.invite(
                caller.services.context,
                current.principal,
                organization_id=organization_id,
                email=form.email,
                role=form.role,
                resend=form.resend,
                admit=admit,
            )
    except UnknownRole as unknown:
        raise Problem(400, message=f"ROLE_NOT_FOUND: {unknown.name}") from None
    return JsonResponse(shown(caller, invitation_id))


@router.post(
    "/organization/cancel-invitation",
    operation_id="cancelInvitation",
    summary="Take an invitation back",
    openapi_extra=by_key("invitation:cancel"),
    responses=documented(
        shapes.Invitation,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "INVITATION_NOT_FOUND",
        "MEMBER_NOT_FOUND",
        "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION",
        "CONFLICT",
    ),
)
def cancel_invitation(caller: CurrentCaller, form: Named) -> JsonResponse:
    current = caller.require_principal()
    context, link = caller.services.context, form.invitationId
    if not current.sees_links and (listed := id_in(link)) is not None:
        # as it is listed to a program, which may also have the link of one that it made
        known = invitation_list.invitation_with_id(context.store.statements, listed) is not None
        link = context.keyring.invitation_link(listed) if known else link
    canceled = invitations.cancel(context, current.principal, link=link)
    return JsonResponse(shown(caller, canceled))


@router.get(
    "/organization/list-invitations",
    operation_id="listInvitations",
    summary="The invitations of an organization, whatever became of them",
    openapi_extra=by_key(READ),
    responses=documented(
        list[shapes.Invitation],
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        uncoded(400, "NO_ACTIVE_ORGANIZATION", _NO_ORGANIZATION),
        uncoded(403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION", _NOT_A_MEMBER),
        "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS",
        body=False,
    ),
)
def list_invitations(caller: CurrentCaller, query: Annotated[OfOrganization, Query()]) -> JsonResponse:
    current, context = caller.require_principal(), caller.services.context
    organization_id = id_in(query.organizationId) or current.active_organization_id
    if organization_id is None:
        raise Problem(400, message=_NO_ORGANIZATION)
    role = role_in(current, organization_id)
    if role is None:
        raise Problem(403, message=_NOT_A_MEMBER)
    roles = roles_in(role)
    if not current.may_look(roles, "invitation", "create"):
        raise Problem.of_code("YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS")
    rows = invitation_list.invitations_of(context.store.statements, organization_id, limit=None, offset=0)
    return JsonResponse(shapes.invitations(rows, context.keyring, seen_as=roles, links=current.sees_links))


def shown(caller: Caller, invitation_id: UUID) -> shapes.Invitation:
    """The invitation as it is after a change."""
    context = caller.services.context
    row = invitation_list.invitation_with_id(context.store.statements, invitation_id)
    assert row is not None, "it has just been written"
    return shapes.invitation(row, context.keyring)
