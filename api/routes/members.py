"""The members of an organization: who they are and what they may (wire.md §10, A24)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response
from typing_extensions import TypedDict

from api.edge.caller import Caller, CurrentCaller, CurrentPrincipal
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import by_key
from domain.refusals import NotAMember
from domain.roles import PERMISSIONS, Roles, roles_in
from domain.scopes import READ
from projections.lists import member_list
from projections.lists.full_organization import FullOrganization
from projections.lists.member_list import MemberRow
from projections.lists.member_search import IN_MEMORY, Filter, Order, field_type, in_order, members_of

from . import shapes
from .answer_fields import MemberRole
from .documented import at, documented
from .fields import OptionalId
from .organizations import Which, named, role_in, seen_now
from .queries import AtMost

router = APIRouter(route_class=ContractRoute, prefix=f"{BASE_PATH}/organization", tags=["organization"])

NO_ACTIVE = "NO_ACTIVE_ORGANIZATION"
NOT_A_MEMBER = "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION"

_Field = Literal["id", "createdAt", "role", "userId", "organizationId"]
_Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "not_in", "contains", "starts_with", "ends_with"]
_OF_MANY = {"in", "not_in"}


class ListMembers(Which):
    """Which members of which organization, in which order."""

    repeatable = frozenset({"filterValue"})
    choices = frozenset({"sortDirection"})

    limit: AtMost = None
    offset: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    sortBy: _Field = "createdAt"
    sortDirection: Literal["asc", "desc"] = "asc"
    filterField: _Field | None = None
    filterOperator: _Operator = "eq"
    filterValue: Annotated[
        list[str], Field(description="With `in` and `not_in` several: given again and again, or comma-separated.")
    ] = Field(default_factory=list)
    search: Annotated[str, Field(max_length=200, description="The start of a word of the name, or of the address.")] = (
        ""
    )


class ActiveMemberRole(QueryModel):
    """Whose role in which organization: one's own in the active one, if nothing is named."""

    userId: str = ""
    organizationId: OptionalId = ""
    organizationSlug: str = ""


class HasPermission(BaseModel):
    """Which actions on which resources; exactly one of both. The singular is never allowed (wire.md §10)."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"permissions": {"member": ["create", "update"]}}
    ]})  # fmt: skip

    permissions: dict[str, list[str]] | None = None
    permission: dict[str, list[str]] | None = None
    organizationId: OptionalId = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> HasPermission:
        if (self.permissions is None) == (self.permission is None):
            raise ValueError("Invalid input")
        return self


class MembersAnswer(TypedDict):
    """Members, and how many the filter leaves in all."""

    members: list[shapes.MemberWithPerson]
    total: Annotated[int, Field(examples=[1])]


class RoleAnswer(TypedDict):
    """A member's role."""

    role: MemberRole


class PermissionAnswer(TypedDict):
    """Whether all of it is allowed."""

    error: None
    success: bool


@router.get(
    "/list-members",
    operation_id="listMembers",
    summary="The members of an organization; all, or a page of them, filtered, sorted, searched",
    openapi_extra=by_key(READ),
    responses=documented(
        MembersAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", NO_ACTIVE, "ORGANIZATION_NOT_FOUND", NOT_A_MEMBER, body=False
    ),
)
async def list_members(caller: CurrentCaller, query: Annotated[ListMembers, Query()]) -> Response:
    current = await caller.require_principal_soon()
    if query.filterField is None and not query.filterValue and not query.search and query.sortBy in IN_MEMORY:
        seen = await seen_now(caller, current, query, invitations=False)
        if seen is not None:
            return seen.answer(_shown_as(query), partial(_page_of, query))
    return await to_thread.run_sync(_list_members, caller, current, query)


def _list_members(caller: Caller, current: CurrentPrincipal, query: ListMembers) -> JsonResponse:
    read = caller.services.context.store.statements
    organization_id = meant(caller, current, query.organizationId, query.organizationSlug)
    if role_in(current, organization_id) is None:
        raise Problem.of_code(NOT_A_MEMBER)
    rows, total = members_of(
        read,
        organization_id,
        filtered=_filter(query),
        search=query.search,
        order=Order(field=query.sortBy, descending=query.sortDirection == "desc"),
        limit=query.limit or None,
        offset=query.offset,
    )
    return JsonResponse(members_answer(rows, total))


@router.get(
    "/get-active-member",
    operation_id="getActiveMember",
    summary="Yourself as a member of the active organization",
    openapi_extra=by_key(READ),
    responses=documented(shapes.MemberWithPerson, "UNAUTHORIZED", NO_ACTIVE, body=False),
)
async def get_active_member(caller: CurrentCaller) -> JsonResponse:
    member = active_member(await caller.require_principal_soon())
    if member is None:
        raise Problem.of_code(NO_ACTIVE)
    return JsonResponse(shapes.member_with_person(member))


@router.get(
    "/get-active-member-role",
    operation_id="getActiveMemberRole",
    summary="What a member is",
    openapi_extra=by_key(READ),
    responses=documented(
        RoleAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", NO_ACTIVE, "ORGANIZATION_NOT_FOUND", NOT_A_MEMBER, body=False
    ),
)
async def get_active_member_role(caller: CurrentCaller, query: Annotated[ActiveMemberRole, Query()]) -> JsonResponse:
    current = await caller.require_principal_soon()
    named_ones = [query.organizationId, query.organizationSlug, query.userId]
    if current.row.active_role is not None and not any(named_ones):
        return JsonResponse(RoleAnswer(role=current.row.active_role))
    return await to_thread.run_sync(_role, caller, current, query)


def _role(caller: Caller, current: CurrentPrincipal, query: ActiveMemberRole) -> JsonResponse:
    read = caller.services.context.store.statements
    organization_id = meant(caller, current, query.organizationId, query.organizationSlug)
    own = current.row.active_role
    if organization_id != current.active_organization_id:
        own = role_in(current, organization_id)
    asked = id_in(query.userId)
    role = own if asked is None else member_list.live_role(read, organization_id, asked)
    if own is None or role is None:
        raise Problem.of_code(NOT_A_MEMBER)
    return JsonResponse(RoleAnswer(role=role))


@router.post(
    "/has-permission",
    operation_id="hasPermission",
    summary="Whether your roles allow all of this",
    openapi_extra=by_key(READ),
    responses=documented(
        PermissionAnswer,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        NO_ACTIVE,
        at(401, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"),
    ),
)
def has_permission(caller: CurrentCaller, form: HasPermission) -> JsonResponse:
    current = caller.require_principal()
    organization_id = meant(caller, current, form.organizationId, "")
    role = role_in(current, organization_id)
    if role is None:
        raise Problem.of_code(NotAMember.code, status=401)
    return JsonResponse(PermissionAnswer(error=None, success=_allowed(current, roles_in(role), form.permissions or {})))


def _shown_as(query: ListMembers) -> str:
    return f"list-members {query.limit} {query.offset} {query.sortBy} {query.sortDirection}"


def _page_of(query: ListMembers, full: FullOrganization) -> MembersAnswer:
    rows = in_order(full.members, Order(field=query.sortBy, descending=query.sortDirection == "desc"))
    end = query.offset + query.limit if query.limit else None
    return members_answer(rows[query.offset : end], len(rows))


def members_answer(rows: Sequence[MemberRow], total: int) -> MembersAnswer:
    """A page of members, of so many."""
    return MembersAnswer(members=[shapes.member_with_person(row) for row in rows], total=total)


def active_member(current: CurrentPrincipal) -> MemberRow | None:
    """As whom somebody acts in their active organization, None without one."""
    row = current.row
    if row.active_organization_id is None:
        return None
    assert row.active_membership_id is not None
    assert row.active_role is not None
    assert row.active_since is not None
    return MemberRow(
        membership_id=row.active_membership_id,
        organization_id=row.active_organization_id,
        user_id=row.user_id,
        role=row.active_role,
        joined_at=row.active_since,
        name=row.name,
        email=row.email,
        image=row.image,
    )


def _allowed(current: CurrentPrincipal, roles: Roles, permissions: dict[str, list[str]]) -> bool:
    asked = [(resource, action) for resource, actions in permissions.items() for action in actions]
    known = {resource for permitted in PERMISSIONS.values() for resource in permitted}
    named = bool(permissions) and all(actions and resource in known for resource, actions in permissions.items())
    return named and all(current.may(roles, resource, action) for resource, action in asked)


def meant(caller: Caller, current: CurrentPrincipal, organization_id: str, slug: str) -> UUID:
    """The organization that is named, else the active one. Raises NO_ACTIVE_ORGANIZATION or OrganizationNotFound."""
    meant = named(caller, organization_id, slug) or current.active_organization_id
    if meant is None:
        raise Problem.of_code(NO_ACTIVE)
    return meant


def _filter(query: ListMembers) -> Filter | None:
    """The filter a query asks for. Raises RequestValidationError for a value that is none of its field's."""
    of_many = query.filterOperator in _OF_MANY
    if len(query.filterValue) > 1 and not of_many:
        raise RequestValidationError([{"type": "string_type", "loc": ("query", "filterValue"), "input": []}])
    if query.filterField is None:
        return None
    parts = query.filterValue or [""]
    if of_many and len(parts) == 1:
        parts = parts[0].split(",")
    try:
        values = [_value(query.filterField, query.filterOperator, part.strip()) for part in parts]
    except ValueError:
        wrong = {"type": "value_error", "loc": ("query", "filterValue"), "ctx": {"error": "Invalid input"}}
        raise RequestValidationError([wrong]) from None
    value = values if of_many else values[0]
    return Filter(field=query.filterField, operator=query.filterOperator, value=value)


def _value(field: str, operator: str, text: str) -> Any:
    if operator in ("contains", "starts_with", "ends_with"):
        return text
    match field_type(field):
        case "uuid":
            return id_in(text) or UUID(int=0)
        case "timestamptz":
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            return moment
        case _:
            return text
