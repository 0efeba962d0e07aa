"""How members become something else, and how they go (wire.md §10, §10.3)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from api.edge.caller import Caller, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import EVERYTHING, by_key
from domain.commands import membership as memberships
from domain.email_address import canonical
from domain.refusals import EmptyRole, MemberNotFound, UnknownRole
from domain.roles import Roles, roles_in
from projections.lists import member_list
from projections.lists.member_list import MemberRow

from . import shapes
from .documented import documented, uncoded
from .fields import OptionalId, RoleOrRoles
from .members import NO_ACTIVE, meant

router = APIRouter(route_class=ContractRoute, prefix=f"{BASE_PATH}/organization", tags=["organization"])


class RemoveMember(BaseModel):
    """Which member to remove: by the member's id, or the person's address."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"memberIdOrEmail": "bo@example.com"}]})

    memberIdOrEmail: str
    organizationId: OptionalId = ""


class UpdateRole(BaseModel):
    """What a member shall be."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"memberId": "01890000000070008000000000000001", "role": "admin"}
    ]})  # fmt: skip

    memberId: str
    role: RoleOrRoles
    organizationId: OptionalId = ""


class Leave(BaseModel):
    """Which organization to leave."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"organizationId": "0193a1f0c4e97c3b8a1d2f4e60718293"}]}
    )

    organizationId: str


class Transfer(BaseModel):
    """Which member shall own the organization."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"memberId": "0193a1f0c4eb7a4d9c5b6e8f02132435"}]}
    )

    memberId: str
    organizationId: OptionalId = ""


class RemovedAnswer(TypedDict):
    """The member who was removed; with who they are if they were named by their address."""

    member: shapes.Member


@router.post(
    "/update-member-role",
    operation_id="updateMemberRole",
    name="change_role",
    summary="Make a member something else",
    openapi_extra=by_key("member:update"),
    responses=documented(
        shapes.Member,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        NO_ACTIVE,
        "ROLE_NOT_FOUND",
        uncoded(400, "no role at all"),
        "SESSION_NOT_FRESH",
        "MEMBER_NOT_FOUND",
        "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER",
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER",
        "CONFLICT",
    ),
)
def update_member_role(caller: CurrentCaller, form: UpdateRole) -> JsonResponse:
    current = caller.require_principal()
    roles = _roles(form.role)
    organization_id, membership_id = meant(caller, current, form.organizationId, ""), id_in(form.memberId)
    if membership_id is None:
        raise MemberNotFound
    memberships.change_role(
        caller.services.context,
        current.principal,
        organization_id=organization_id,
        membership_id=membership_id,
        roles=roles,
    )
    return JsonResponse(shapes.member(_member(caller, membership_id)))


@router.post(
    "/remove-member",
    operation_id="removeMember",
    summary="Remove a member",
    openapi_extra=by_key("member:delete"),
    responses=documented(
        RemovedAnswer,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        NO_ACTIVE,
        "MEMBER_NOT_FOUND",
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def remove_member(caller: CurrentCaller, form: RemoveMember) -> JsonResponse:
    current, context = caller.require_principal(), caller.services.context
    organization_id = meant(caller, current, form.organizationId, "")
    membership_id = id_in(form.memberIdOrEmail)
    if by_email := "@" in form.memberIdOrEmail:
        address = canonical(form.memberIdOrEmail)
        email_hash = b"" if address is None else context.keyring.email_hash(address)
        membership_id = context.lookups.member_with_email(organization_id, email_hash)
    if membership_id is None:
        raise MemberNotFound
    memberships.remove_member(context, current.principal, organization_id=organization_id, membership_id=membership_id)
    removed = _member(caller, membership_id)
    shown = shapes.member_with_person(removed) if by_email else shapes.member(removed)
    return JsonResponse(RemovedAnswer(member=shown))


@router.post(
    "/leave",
    operation_id="leaveOrganization",
    name="leave_organization",
    summary="Leave an organization",
    openapi_extra=by_key(EVERYTHING),
    responses=documented(
        shapes.MemberWithPerson,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "MEMBER_NOT_FOUND",
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def leave(caller: CurrentCaller, form: Leave) -> JsonResponse:
    current, organization_id = caller.require_principal(), id_in(form.organizationId)
    if organization_id is None:
        raise MemberNotFound
    membership_id = memberships.leave(caller.services.context, current.principal, organization_id=organization_id)
    return JsonResponse(shapes.member_with_person(_member(caller, membership_id)))


@router.post(
    "/transfer-ownership",
    operation_id="transferOwnership",
    summary="Make another member the owner, and yourself an admin",
    responses=documented(
        shapes.Member,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        NO_ACTIVE,
        "MEMBER_NOT_FOUND",
        "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER",
        "CONFLICT",
    ),
)
def transfer_ownership(caller: CurrentCaller, form: Transfer) -> JsonResponse:
    current = caller.require_session()
    organization_id, membership_id = meant(caller, current, form.organizationId, ""), id_in(form.memberId)
    if membership_id is None:
        raise MemberNotFound
    memberships.transfer_ownership(
        caller.services.context,
        current.principal,
        organization_id=organization_id,
        membership_id=membership_id,
    )
    return JsonResponse(shapes.member(_member(caller, membership_id)))


def _roles(given: str | Sequence[str]) -> Roles:
    try:
        return roles_in(given)
    except EmptyRole:
        raise Problem(400) from None
    except UnknownRole as unknown:
        raise Problem.of_code(unknown.code, f"{unknown.code}: {unknown.name}") from None


def _member(caller: Caller, membership_id: UUID) -> MemberRow:
    row = member_list.member(caller.services.context.store.statements, membership_id)
    if row is None:
        raise MemberNotFound
    return row
