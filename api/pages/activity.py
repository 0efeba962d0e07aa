"""Account → Activity and Organization → Activity: what happened, in plain words, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from api.acts.activity import organization_activity, own_activity, require_readable
from api.edge.ids_given import id_in
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from domain.events.catalogue import NAME_BY_EVENT
from domain.invitation import InvitationAccepted, InvitationCanceled, InvitationSent
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged
from domain.organization import OrganizationRenamed
from domain.session import SessionEnded, SessionStarted
from domain.user import EmailChanged, NameChanged, PasswordChanged, PasswordReset, SessionsRevoked
from projections.trails.activity import ATTEMPT, Selection
from projections.trails.cursor import BadCursor

from .organization import ORGANIZATIONS, here
from .page_caller import see_other
from .page_route import CurrentPageCaller, Pages
from .wording import marked as _

pages = Pages()

OWN, ORGANIZATION = "/account/activity", "/organization/activity"
_A_PAGE = 30
_OWN_KINDS: Mapping[str, str] = {
    NAME_BY_EVENT[SessionStarted]: _("Signed in"),
    NAME_BY_EVENT[SessionEnded]: _("Signed out"),
    NAME_BY_EVENT[SessionsRevoked]: _("Several devices signed out"),
    NAME_BY_EVENT[PasswordChanged]: _("Password changed"),
    NAME_BY_EVENT[PasswordReset]: _("Password set by a link"),
    NAME_BY_EVENT[EmailChanged]: _("Address changed"),
    NAME_BY_EVENT[NameChanged]: _("Name changed"),
    NAME_BY_EVENT[MemberJoined]: _("Organization joined"),
    NAME_BY_EVENT[MemberRoleChanged]: _("Role changed"),
    ATTEMPT: _("Tried and refused"),
}
_KINDS: Mapping[str, str] = {
    NAME_BY_EVENT[MemberJoined]: _("Member joined"),
    NAME_BY_EVENT[MemberLeft]: _("Member left"),
    NAME_BY_EVENT[MemberRemoved]: _("Member removed"),
    NAME_BY_EVENT[MemberRoleChanged]: _("Role changed"),
    NAME_BY_EVENT[InvitationSent]: _("Invitation sent"),
    NAME_BY_EVENT[InvitationAccepted]: _("Invitation accepted"),
    NAME_BY_EVENT[InvitationCanceled]: _("Invitation taken back"),
    NAME_BY_EVENT[OrganizationRenamed]: _("Organization renamed"),
}


class Wanted(QueryModel):
    """Which entries: of one kind, of certain days, by somebody; and from where on."""

    kind: str = ""
    since: str = ""
    until: str = ""
    actor: str = ""
    cursor: str = ""


@pages.show(OWN)
def own_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    current = caller.require_person()
    kind = query.kind if query.kind in _OWN_KINDS else None
    try:
        found = own_activity(current, cursor=query.cursor, limit=_A_PAGE, event=kind, language=caller.wording.journal)
    except BadCursor:
        return see_other(OWN)
    return caller.page(
        "own_activity.html",
        entries=found.entries,
        kinds=_OWN_KINDS,
        query=query,
        later=_address(OWN, query, found.next_cursor),
    )


@pages.show(ORGANIZATION)
def organization_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    current = caller.require_person()
    at = here(caller, current)
    if at is None:
        return see_other(ORGANIZATIONS)
    require_readable(current, at.row.organization_id)
    selection = _selection(query, at.row.organization_id)
    try:
        found = organization_activity(
            current, selection, cursor=query.cursor, limit=_A_PAGE, language=caller.wording.journal
        )
    except BadCursor:
        return see_other(ORGANIZATION)
    return caller.page(
        "organization_activity.html",
        at=at,
        entries=found.entries,
        kinds=_KINDS,
        query=query,
        later=_address(ORGANIZATION, query, found.next_cursor),
        downloads={form: _download(selection, form) for form in ("csv", "ndjson")},
    )


def _selection(query: Wanted, organization_id: UUID) -> Selection:
    since, until = _day(query.since), _day(query.until)
    return Selection(
        organization_id=organization_id,
        actor_id=id_in(query.actor),
        event=query.kind if query.kind in _KINDS else None,
        since=since,
        # all of the day that was named
        until=None if until is None else until + timedelta(days=1),
    )


def _day(text: str) -> datetime | None:
    """The beginning of a day (UTC), None if it is none."""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        return None


def _address(path: str, query: Wanted, cursor: str | None) -> str:
    if cursor is None:
        return ""
    asked = {**query.model_dump(), "cursor": cursor}
    return f"{path}?{urlencode({name: value for name, value in asked.items() if value})}"


def _download(selection: Selection, form: str) -> str:
    """The file of what is selected, all of it; the API hands it out."""
    asked = {
        "organizationId": selection.organization_id.hex,
        "actor": "" if selection.actor_id is None else selection.actor_id.hex,
        "type": selection.event or "",
        "from": "" if selection.since is None else selection.since.isoformat(),
        "to": "" if selection.until is None else selection.until.isoformat(),
        "format": form,
    }
    return f"{BASE_PATH}/organization/activity?{urlencode({name: value for name, value in asked.items() if value})}"
