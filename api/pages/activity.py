"""Account → Activity and Organization → Activity: what happened, in plain words, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from domain.api_key import ApiKeyEnded, ApiKeyMade, ApiKeyUsed
from domain.events.catalogue import NAME_BY_EVENT
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
)
from domain.mailed_link import EmailChangeRequested, PasswordResetRequested
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged
from domain.organization import LogoChanged, OrganizationFounded, OrganizationRenamed, SlugChanged
from domain.session import SessionEnded, SessionMoved, SessionReauthenticated, SessionStarted
from domain.user import EmailChanged, EmailVerified, NameChanged, PasswordChanged, PasswordReset, SessionsRevoked
from projections.trails.activity import ATTEMPT, OwnSelection, Selection
from projections.trails.cursor import BadCursor
from projections.trails.narrator import RenderedEntry

from .days import Days, days_in
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
    NAME_BY_EVENT[SessionMoved]: _("Went on from elsewhere"),
    NAME_BY_EVENT[SessionReauthenticated]: _("Confirmed that it is you"),
    NAME_BY_EVENT[SessionEnded]: _("Signed out"),
    NAME_BY_EVENT[SessionsRevoked]: _("Several devices signed out"),
    NAME_BY_EVENT[PasswordChanged]: _("Password changed"),
    NAME_BY_EVENT[PasswordResetRequested]: _("Link for another password"),
    NAME_BY_EVENT[PasswordReset]: _("Password set by a link"),
    NAME_BY_EVENT[EmailVerified]: _("Address confirmed"),
    NAME_BY_EVENT[EmailChangeRequested]: _("Another address asked for"),
    NAME_BY_EVENT[EmailChanged]: _("Address changed"),
    NAME_BY_EVENT[NameChanged]: _("Name changed"),
    NAME_BY_EVENT[OrganizationFounded]: _("Organization founded"),
    NAME_BY_EVENT[MemberJoined]: _("Organization joined"),
    NAME_BY_EVENT[MemberRoleChanged]: _("Role changed"),
    NAME_BY_EVENT[MemberLeft]: _("Organization left"),
    NAME_BY_EVENT[MemberRemoved]: _("Removed from an organization"),
    NAME_BY_EVENT[ApiKeyMade]: _("Key made"),
    NAME_BY_EVENT[ApiKeyUsed]: _("Key used from a new place"),
    NAME_BY_EVENT[ApiKeyEnded]: _("Key ended"),
    ATTEMPT: _("Tried and refused"),
}
_KINDS: Mapping[str, str] = {
    NAME_BY_EVENT[MemberJoined]: _("Member joined"),
    NAME_BY_EVENT[MemberLeft]: _("Member left"),
    NAME_BY_EVENT[MemberRemoved]: _("Member removed"),
    NAME_BY_EVENT[MemberRoleChanged]: _("Role changed"),
    NAME_BY_EVENT[InvitationSent]: _("Invitation sent"),
    NAME_BY_EVENT[InvitationResent]: _("Invitation renewed"),
    NAME_BY_EVENT[InvitationAccepted]: _("Invitation accepted"),
    NAME_BY_EVENT[InvitationRejected]: _("Invitation declined"),
    NAME_BY_EVENT[InvitationCanceled]: _("Invitation taken back"),
    NAME_BY_EVENT[InvitationExpired]: _("Invitation ran out"),
    NAME_BY_EVENT[OrganizationRenamed]: _("Organization renamed"),
    NAME_BY_EVENT[SlugChanged]: _("Short name changed"),
    NAME_BY_EVENT[LogoChanged]: _("Logo changed"),
}


class Wanted(QueryModel):
    """Which entries: of one kind, of certain days in a time zone, of one session, by somebody; and from where on."""

    kind: str = ""
    since: str = ""
    until: str = ""
    zone: str = ""
    session: str = ""
    actor: str = ""
    cursor: str = ""

    @property
    def days(self) -> Days:
        """The days, as far as they are days."""
        return days_in(self.since, self.until, self.zone)


@pages.show(OWN)
async def own_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    current, days = await caller.require_person_soon(), query.days
    only = OwnSelection(
        event=query.kind if query.kind in _OWN_KINDS else None,
        session_id=id_in(query.session),
        since=days.since,
        until=days.until,
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
        zone=days.zone,
        newest=_address(OWN, query, cursor="") if query.cursor else "",
        later=_address(OWN, query, cursor=found.next_cursor) if found.next_cursor else "",
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
    days = query.days
    selection = Selection(
        organization_id=at.row.organization_id,
        actor_id=id_in(query.actor),
        event=query.kind if query.kind in _KINDS else None,
        since=days.since,
        until=days.until,
    )
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
        zone=days.zone,
        actors=_actors(found.entries, selection.actor_id, caller),
        newest=_address(ORGANIZATION, query, cursor="") if query.cursor else "",
        later=_address(ORGANIZATION, query, cursor=found.next_cursor) if found.next_cursor else "",
        downloads={form: _download(selection, form) for form in ("csv", "ndjson")},
    )


def _actors(entries: Sequence[RenderedEntry], chosen: UUID | None, caller: PageCaller) -> dict[str, str]:
    """Who may be asked for: those who did what is shown, as they were called last, and who is asked for."""
    named = dict[str, str]()
    for one in entries:
        if one.actor_id is not None:
            told = f"{one.actor} ({one.actor_email})" if one.actor_email not in ("", one.actor) else one.actor
            named.setdefault(one.actor_id.hex, told)
    if chosen is not None:
        named.setdefault(chosen.hex, caller.text(_("Somebody who did nothing of the kind")))
    return named


def _address(path: str, query: Wanted, **others: str) -> str:
    asked = {**query.model_dump(), **others}
    return f"{path}?{urlencode({name: value for name, value in asked.items() if value})}".rstrip("?")


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
