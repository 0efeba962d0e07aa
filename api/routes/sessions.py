"""The devices a person is signed in on: seeing them, signing them out (wire.md §9, A1, A2)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.acts.session_list import sessions_of
from api.edge.authentication import clear_cookies
from api.edge.caller import CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.json_response import NOT_KEPT, JsonResponse
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from domain.commands import session as sessions

from . import shapes
from .documented import documented, uncoded
from .fields import NOTHING_TO_UPDATE
from .queries import Paged

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["session"])


class RevokeSession(BaseModel):
    """The body of a revocation. Unknown fields are ignored."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"token": "01890000000070008000000000000001"}]}
    )

    token: Annotated[str, Field(description="`token` of a listed session, or the secret of one of your own.")]


class UpdateSession(BaseModel):
    """The body of an update of the session: there is nothing of it that may be set."""

    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": [{}]})


class DoneAnswer(TypedDict):
    """Done, or there was nothing to do."""

    status: bool


@router.get(
    "/list-sessions",
    operation_id="listSessions",
    summary="The devices you are signed in on: this one, then those last used",
    responses=documented(list[shapes.ListedSession], "VALIDATION_ERROR", "UNAUTHORIZED", body=False),
)
async def list_sessions(caller: CurrentCaller, query: Annotated[Paged, Query()]) -> JsonResponse:
    current, services = await caller.require_session_soon(), caller.services
    listed = [
        shapes.listed_session(
            shown.view,
            services.context.lifetimes,
            services.places,
            current=shown.current,
            active_at=shown.active_at,
        )
        for shown in await sessions_of(current, limit=query.limit, offset=query.offset)
    ]
    return JsonResponse(listed, headers=NOT_KEPT)


@router.post(
    "/revoke-session",
    operation_id="revokeSession",
    summary="Sign one device out",
    responses=documented(DoneAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", "CONFLICT"),
)
def revoke_session(caller: CurrentCaller, form: RevokeSession) -> JsonResponse:
    current, request = caller.require_session(), caller.request
    revoked = sessions.revoke_session(caller.services.context, current.principal, named=form.token)
    if revoked == current.session.session_id:
        clear_cookies(caller.services, request)
    return JsonResponse(DoneAnswer(status=True))


@router.post(
    "/revoke-sessions",
    operation_id="revokeSessions",
    summary="Sign all devices out, this one too",
    responses=documented(DoneAnswer, "UNAUTHORIZED", "CONFLICT"),
)
def revoke_sessions(caller: CurrentCaller) -> JsonResponse:
    current, request = caller.require_session(), caller.request
    sessions.revoke_sessions(caller.services.context, current.principal)
    clear_cookies(caller.services, request)
    return JsonResponse(DoneAnswer(status=True))


@router.post(
    "/revoke-other-sessions",
    operation_id="revokeOtherSessions",
    summary="Sign all devices out but this one",
    responses=documented(DoneAnswer, "UNAUTHORIZED", "CONFLICT"),
)
def revoke_other_sessions(caller: CurrentCaller) -> JsonResponse:
    current = caller.require_session()
    sessions.revoke_other_sessions(caller.services.context, current.principal)
    return JsonResponse(DoneAnswer(status=True))


@router.post(
    "/update-session",
    operation_id="updateSession",
    status_code=400,
    summary="Refuses: a session has no fields that may be set; use set-active for its organization",
    responses=documented(
        None,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "FIELD_NOT_ALLOWED",
        uncoded(400, "NOTHING_TO_UPDATE", NOTHING_TO_UPDATE),
    ),
)
def update_session(caller: CurrentCaller, form: UpdateSession) -> JsonResponse:
    caller.require_session()
    given: dict[str, Any] = form.model_extra or {}
    if "activeOrganizationId" in given:
        raise Problem.of_code("FIELD_NOT_ALLOWED", "activeOrganizationId is not allowed to be set")
    raise Problem(400, message=NOTHING_TO_UPDATE)
