"""The journal: what a person did and what was done to their account, and what happened in an organization."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.responses import Response

from api.acts.activity import FORBIDDEN, NOT_A_MEMBER, organization_activity, own_activity, require_readable
from api.edge.caller import CurrentBySession, CurrentCaller, CurrentPrincipal
from api.edge.contract_route import ContractRoute
from api.edge.downloads import MEDIA_TYPES, download
from api.edge.json_response import NOT_KEPT, JsonResponse
from api.edge.problems import Problem
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import by_key
from api.edge.wire_time import to_wire
from domain.events.catalogue import EVENT_BY_NAME, NAME_BY_EVENT
from domain.scopes import READ
from domain.session import SessionRenewed
from projections.trails.activity import ATTEMPT, OwnSelection, Selection
from projections.trails.cursor import BadCursor, Cursor
from projections.trails.narrator import RenderedEntry

from .activity_shapes import EXAMPLE_FILES, ActivityAnswer, Entry, OrganizationActivityAnswer, OrganizationEntry
from .documented import documented
from .shapes import wire_id

_BATCH = 250
"""Entries of a download that are read at once."""
_ID = re.compile(r"[0-9a-f]{32}")
_EVENTS = sorted(set(EVENT_BY_NAME) - {NAME_BY_EVENT[SessionRenewed]})
# nothing ever happened outside of these, and what is computed with moments inside of them stays a moment
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def _cursor(text: str) -> str:
    try:
        Cursor.of(text)
    except BadCursor:
        raise ValueError("Invalid input") from None
    return text


def _one_of(names: list[str]) -> Any:
    def known(text: str) -> str:
        if text not in names:
            raise ValueError("Invalid option")
        return text

    return AfterValidator(known)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text:
        raise ValueError("Invalid ISO 8601 moment with its zone")
    return min(max(moment, _EARLIEST), _LATEST)


class _Page(QueryModel):
    limit: Annotated[int, Field(ge=1, le=100, description="How many entries a page has.")] = 50
    cursor: Annotated[
        str, AfterValidator(_cursor), Field(description="`nextCursor` of the page before; empty for the first page.")
    ] = ""


class ActivityQuery(_Page):
    """Which of a person's entries."""

    type: Annotated[
        str,
        _one_of([*_EVENTS, ATTEMPT]),
        Field(
            description=f"Only entries of this event; `{ATTEMPT}` for what was tried and refused.",
            json_schema_extra={"enum": ["", *_EVENTS, ATTEMPT]},
        ),
    ] = ""


class OrganizationActivityQuery(_Page):
    """Which entries of which organization, and as what."""

    organizationId: Annotated[str, Field(description="Empty for the active organization.")] = ""
    actor: Annotated[str, Field(pattern=f"^{_ID.pattern}$", description="Only what this user (id) did.")] = ""
    type: Annotated[
        str,
        _one_of(_EVENTS),
        Field(description="Only entries of this event.", json_schema_extra={"enum": ["", *_EVENTS]}),
    ] = ""
    since: Annotated[
        datetime | None,
        BeforeValidator(_moment),
        Field(alias="from", description="Only what happened then or later: ISO 8601 with a zone (`Z`, or `%2B01:00`)."),
    ] = None
    until: Annotated[
        datetime | None,
        BeforeValidator(_moment),
        Field(alias="to", description="Only what happened before: ISO 8601 with a zone (`Z`, or `%2B01:00`)."),
    ] = None
    format: Annotated[
        Literal["json", "ndjson", "csv"],
        Field(description="`json` for a page; the others for everything selected, whatever `limit` and `cursor` say."),
    ] = "json"


router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["activity"])


@router.get(
    "/activity/list",
    operation_id="listActivity",
    summary="What you did and what was done to your account, newest first",
    responses=documented(ActivityAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", body=False),
)
def list_activity(caller: CurrentCaller, query: Annotated[ActivityQuery, Query()]) -> JsonResponse:
    current = caller.require_session()
    only = OwnSelection(event=query.type or None)
    page = own_activity(current, only, cursor=query.cursor, limit=query.limit)
    entries = [_entry(one, current) for one in page.entries]
    return JsonResponse(ActivityAnswer(entries=entries, nextCursor=page.next_cursor), headers=NOT_KEPT)


def _with_downloads(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """With the files beside the page: each media type has a schema of its own."""
    page = {"application/json": {"schema": {"$ref": f"#/components/schemas/{OrganizationActivityAnswer.__name__}"}}}
    files = {kind: {"schema": {"type": "string"}, "example": EXAMPLE_FILES[form]} for form, kind in MEDIA_TYPES.items()}
    return responses | {200: {**responses[200], "content": page | files}}


@router.get(
    "/organization/activity",
    operation_id="listOrganizationActivity",
    summary="What happened in an organization, newest first, for its owners and admins; a page, or all as a file",
    response_class=Response,
    openapi_extra=by_key(READ),
    responses=_with_downloads(
        documented(
            OrganizationActivityAnswer,
            "VALIDATION_ERROR",
            "NO_ACTIVE_ORGANIZATION",
            "UNAUTHORIZED",
            NOT_A_MEMBER,
            FORBIDDEN,
            body=False,
        )
    ),
)
def list_organization_activity(caller: CurrentCaller, query: Annotated[OrganizationActivityQuery, Query()]) -> Response:
    current = caller.require_principal()
    selection = Selection(
        organization_id=_readable_organization(current, query.organizationId),
        actor_id=UUID(query.actor) if query.actor else None,
        event=query.type or None,
        since=query.since,
        until=query.until,
    )
    if query.format != "json":
        pages = _all_pages(current, selection)
        return download("activity", query.format, list(OrganizationEntry.__annotations__), pages)
    entries, next_cursor = _organization_page(current, selection, query.cursor, query.limit)
    return JsonResponse(OrganizationActivityAnswer(entries=entries, nextCursor=next_cursor), headers=NOT_KEPT)


def _readable_organization(current: CurrentPrincipal, asked: str) -> UUID:
    """The organization whose trail the caller may read. Raises Problem."""
    organization_id = current.active_organization_id
    if asked:
        # an id that cannot be one is unknown like any other
        organization_id = UUID(asked) if _ID.fullmatch(asked) else UUID(int=0)
    if organization_id is None:
        raise Problem.of_code("NO_ACTIVE_ORGANIZATION")
    require_readable(current, organization_id)
    return organization_id


def _all_pages(current: CurrentPrincipal, selection: Selection) -> Iterator[list[OrganizationEntry]]:
    cursor: str | None = ""
    while cursor is not None:
        entries, cursor = _organization_page(current, selection, cursor, _BATCH)
        yield entries


def _organization_page(
    current: CurrentPrincipal, selection: Selection, cursor: str, limit: int
) -> tuple[list[OrganizationEntry], str | None]:
    page = organization_activity(current, selection, cursor=cursor, limit=limit)
    entries = [
        OrganizationEntry(
            **_entry(one, current),
            actor=one.actor,
            actorId=_optional_id(one.actor_id),
            actorEmail=one.actor_email,
            person=one.person,
            personId=_optional_id(one.person_id),
            personEmail=one.person_email,
        )
        for one in page.entries
    ]
    return entries, page.next_cursor


def _entry(told: RenderedEntry, current: CurrentPrincipal) -> Entry:
    return {
        "at": to_wire(told.at),
        "event": told.event,
        "text": told.text,
        "device": told.device,
        "location": told.location,
        "ipAddress": told.ip_address,
        "sessionId": _optional_id(told.session_id),
        "current": isinstance(current, CurrentBySession) and told.session_id == current.session.session_id,
        "times": told.times,
        "since": to_wire(told.since),
        "newDevice": told.new_device,
    }


def _optional_id(one: UUID | None) -> str | None:
    return None if one is None else wire_id(one)
