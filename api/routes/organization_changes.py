"""Founding, changing, closing organizations, and turning to one (wire.md §10)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.acts.pictures_given import wanted
from api.edge.authentication import give_cookie
from api.edge.caller import CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import EVERYTHING, by_key
from domain.commands import organization as organizations
from domain.pictures import Picture
from domain.refusals import NewSlugTaken, NotAMember, OrganizationNotFound
from projections.lists import organization_list
from projections.lists.member_list import member

from . import shapes
from .documented import at, documented, uncoded
from .fields import NOTHING_TO_UPDATE, OptionalId, PictureUrl, picture_given_in
from .organizations import named

router = APIRouter(route_class=ContractRoute, prefix=f"{BASE_PATH}/organization", tags=["organization"])

_NOBODY = "User not found"
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class Create(BaseModel):
    """The body of a founding. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"name": "Acme", "slug": "acme"}]})

    name: _Name
    slug: _Name
    logo: PictureUrl | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    keepCurrentActiveOrganization: bool = False


class Slug(BaseModel):
    """A slug, to ask whether it is free."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"slug": "acme"}]})

    slug: str


class Changes(BaseModel):
    """What may be changed of an organization; null takes a logo away."""

    model_config = ConfigDict(strict=True)

    name: _Name = ""
    slug: _Name = ""
    logo: PictureUrl | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Update(BaseModel):
    """The body of a change. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"data": {"name": "Acme Works"}}]})

    data: Changes
    organizationId: OptionalId = ""


class Delete(BaseModel):
    """Which organization to close."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"organizationId": "0193a1f0c4e97c3b8a1d2f4e60718293"}]}
    )

    organizationId: str


class SetActive(BaseModel):
    """Which organization to turn to; null for none, nothing to look at the active one."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"organizationId": "0193a1f0c4e97c3b8a1d2f4e60718293"}]}
    )

    organizationId: str | None = ""
    organizationSlug: str = ""


class FoundedAnswer(shapes.ChangedOrganization):
    """A new organization, with its owner."""

    members: list[shapes.Member]


class FreeAnswer(TypedDict):
    """The slug is free."""

    status: bool


@router.post(
    "/create",
    operation_id="createOrganization",
    name="found_organization",
    summary="Found an organization, own it and turn to it",
    openapi_extra=by_key(EVERYTHING),
    responses=documented(
        FoundedAnswer,
        "VALIDATION_ERROR",
        uncoded(401, "UNAUTHORIZED"),
        "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION",
        "ORGANIZATION_ALREADY_EXISTS",
        "CONFLICT",
    ),
)
def create(caller: CurrentCaller, form: Create) -> JsonResponse:
    current, read = caller.require_principal_or(Problem(401)), caller.services.context.store.statements
    with picture_given_in("logo"):
        organization_id, membership_id = organizations.found_organization(
            caller.services.context,
            current.principal,
            name=form.name,
            slug=form.slug,
            logo=wanted(form.logo or "") or None,
            metadata=_json(form.metadata) if "metadata" in form.model_fields_set else None,
            turning=not form.keepCurrentActiveOrganization,
        )
    founded, owner = organization_list.organization(read, organization_id), member(read, membership_id)
    assert founded is not None
    assert owner is not None
    return JsonResponse({**shapes.changed_organization(founded), "members": [shapes.member(owner)]})


@router.post(
    "/check-slug",
    operation_id="checkOrganizationSlug",
    summary="Whether a slug is free",
    openapi_extra=by_key("organization:update"),
    responses=documented(FreeAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", "ORGANIZATION_SLUG_ALREADY_TAKEN"),
)
def check_slug(caller: CurrentCaller, form: Slug) -> JsonResponse:
    caller.require_principal()
    if caller.services.context.lookups.slug_known(caller.services.context.keyring.slug_slots(form.slug)):
        raise NewSlugTaken
    return JsonResponse(FreeAnswer(status=True))


@router.post(
    "/update",
    operation_id="updateOrganization",
    name="update_organization",
    summary="Change an organization's name, slug, logo or metadata",
    openapi_extra=by_key("organization:update"),
    responses=documented(
        shapes.ChangedOrganization,
        "VALIDATION_ERROR",
        uncoded(400, "NOTHING_TO_UPDATE", NOTHING_TO_UPDATE),
        uncoded(401, "UNAUTHORIZED", _NOBODY),
        "ORGANIZATION_NOT_FOUND",
        "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
        "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION",
        "ORGANIZATION_SLUG_ALREADY_TAKEN",
        "CONFLICT",
    ),
)
def update(caller: CurrentCaller, form: Update) -> JsonResponse:
    current = caller.require_principal_or(Problem(401, message=_NOBODY))
    organization_id = id_in(form.organizationId) or current.active_organization_id
    if organization_id is None:
        raise OrganizationNotFound
    given = {name: getattr(form.data, name) for name in form.data.model_fields_set}
    if "metadata" in given:
        given["metadata"] = _json(given["metadata"])
    logo = wanted(given.pop("logo") or "") if "logo" in given else None
    picture = logo if isinstance(logo, Picture) else None
    if isinstance(logo, str):
        given["logo"] = logo or None
    with picture_given_in("data.logo"):
        organizations.update_organization(
            caller.services.context,
            current.principal,
            organization_id=organization_id,
            changes=given,
            picture=picture,
        )
    # who may not change it is told so first
    if not form.data.model_fields_set:
        raise Problem(400, message=NOTHING_TO_UPDATE)
    changed = organization_list.organization(caller.services.context.store.statements, organization_id)
    if changed is None:
        raise OrganizationNotFound
    return JsonResponse(shapes.changed_organization(changed))


@router.post(
    "/delete",
    operation_id="deleteOrganization",
    name="close_organization",
    summary="Close an organization for all its members",
    responses=documented(
        shapes.Organization,
        "VALIDATION_ERROR",
        uncoded(401, "UNAUTHORIZED"),
        "ORGANIZATION_NOT_FOUND",
        "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def delete(caller: CurrentCaller, form: Delete) -> JsonResponse:
    current = caller.require_session_or(Problem(401))
    organization_id = id_in(form.organizationId)
    if organization_id is None:
        raise OrganizationNotFound
    before = organization_list.organization(caller.services.context.store.statements, organization_id)
    organizations.close_organization(caller.services.context, current.principal, organization_id=organization_id)
    if before is None:
        raise NotAMember
    return JsonResponse(shapes.organization(before))


@router.post(
    "/set-active",
    operation_id="setActiveOrganization",
    name="choose_organization",
    summary="Turn this device to an organization, or to none",
    responses=documented(
        shapes.Organization | None,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        at(403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"),
        "ORGANIZATION_NOT_FOUND",
        "CONFLICT",
    ),
)
def set_active(caller: CurrentCaller, form: SetActive) -> JsonResponse:
    current, context = caller.require_session(), caller.services.context
    organization_id = current.active_organization_id
    if form.organizationId is None:
        organization_id = None
    elif meant := named(caller, form.organizationId, "" if form.organizationId else form.organizationSlug):
        organization_id = meant
    try:
        organizations.choose_organization(context, current.principal, organization_id=organization_id)
    except NotAMember:
        raise Problem.of_code(NotAMember.code, status=403) from None
    token, remembered = caller.presented.token, caller.remembered
    give_cookie(caller.services, caller.request, token, remembered=remembered, started_at=current.session.created_at)
    if organization_id is None:
        return JsonResponse(None)
    chosen = organization_list.organization(context.store.statements, organization_id)
    return JsonResponse(None if chosen is None else shapes.organization(chosen))


def _json(metadata: dict[str, Any]) -> str:
    return msgspec.json.encode(metadata).decode()
