"""Account → Activity and Organization → Activity: what happened, in plain words, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from anyio import to_thread
from fastapi import Query
from starlette.responses import Response

from api.acts.activity import organization_activity, own_activity, require_readable
from api.acts.session_list import ShownSession, sessions_of
from api.edge.ids_given import id_in
from api.edge.query import QueryModel
from api.edge.request_context import BASE_PATH
from domain.events.catalogue import NAME_BY_EVENT
from domain.invitation import InvitationAccepted, InvitationCanceled, InvitationSent
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged
from domain.organization import OrganizationRenamed
from domain.session import SessionEnded, SessionStarted
from domain.user import EmailChanged, NameChanged, PasswordChanged, PasswordReset, SessionsRevoked
from projections.trails.activity import ATTEMPT, OwnSelection, Selection
from projections.trails.cursor import BadCursor

from .organization import ORGANIZATIONS, here
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .sessions import UNKNOWN
from .wording import marked as _

pages = Pages()

OWN, ORGANIZATION = "/account/activity", "/organization/activity"
_A_PAGE = 30
_MOST_DEVICES = 100
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
    """Which entries: of one kind, of certain days, of one session, by somebody; and from where on.

    `offset` is by how many minutes the reader's clock is behind UTC, if their browser says so: where days begin.
    """

    kind: str = ""
    since: str = ""
    until: str = ""
    offset: str = ""
    session: str = ""
    actor: str = ""
    cursor: str = ""

    @property
    def begins_at(self) -> datetime | None:
        """The beginning of the first day; None if none was named."""
        return self._midnight(self.since, days=0)

    @property
    def ends_at(self) -> datetime | None:
        """The end of the last day; None if none was named."""
        return self._midnight(self.until, days=1)

    def _midnight(self, text: str, *, days: int) -> datetime | None:
        behind = int(self.offset) if re.fullmatch(r"-?[0-9]{1,3}", self.offset) else 0
        try:
            return datetime.combine(date.fromisoformat(text), time.min, UTC) + timedelta(days=days, minutes=behind)
        except (ValueError, OverflowError):
            return None


@pages.show(OWN)
async def own_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    current = await caller.require_person_soon()
    only = OwnSelection(
        event=query.kind if query.kind in _OWN_KINDS else None,
        session_id=id_in(query.session),
        since=query.begins_at,
        until=query.ends_at,
    )
    language = caller.wording.journal
    try:
        found = await to_thread.run_sync(
            lambda: own_activity(current, only, cursor=query.cursor, limit=_A_PAGE, language=language)
        )
    except BadCursor:
        return see_other(OWN)
    sessions = await sessions_of(current, limit=_MOST_DEVICES, offset=0)
    return caller.page(
        "own_activity.html",
        entries=found.entries,
        kinds=_OWN_KINDS,
        devices=_devices(sessions, only.session_id, caller),
        query=query,
        later=_address(OWN, query, found.next_cursor),
    )


def _devices(sessions: Sequence[ShownSession], chosen: UUID | None, caller: PageCaller) -> dict[str, str]:
    """What devices are called, by their sessions; also one that is chosen and was signed out meanwhile."""
    unknown = caller.text(UNKNOWN)
    named = {}
    for one in sessions:
        row = one.view.row
        place = caller.services.places(row.ip_address, caller.wording.language)
        called = caller.wording.journal.device(row.user_agent) or unknown
        named[row.session_id.hex] = f"{called}, {place}" if place else called
    if chosen is not None and chosen.hex not in named:
        named[chosen.hex] = caller.text(_("A device that is signed out"))
    return named


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
    return Selection(
        organization_id=organization_id,
        actor_id=id_in(query.actor),
        event=query.kind if query.kind in _KINDS else None,
        since=query.begins_at,
        until=query.ends_at,
    )


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
