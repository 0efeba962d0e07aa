"""Account → Sessions: the devices somebody is signed in on, and ending them. Never refused for want of freshness.

A device that somebody does not know is ended first; then they set another password, by which all others end too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.acts import passwords
from api.acts.session_list import ShownSession, sessions_of
from api.edge.authentication import clear_cookies
from api.edge.caller import CurrentBySession
from api.edge.query import ExactQuery
from domain.commands import session as commands
from domain.refusals import Refusal
from projections.places import Places
from projections.trails.language import Language
from projections.trails.new_devices import Origin, lately_new

from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .wording import marked as _

pages = Pages()

PATH = "/account/sessions"
UNKNOWN = _("An unknown device")
NEW_PASSWORD = f"{PATH}/new-password"
_NEW_FOR = timedelta(days=7)
"""So long a device is new: who looks once a week sees each that came."""


class DoneQuery(ExactQuery):
    """What was done before."""

    done: str = ""


class Ending(BaseModel):
    """Which session to end."""

    session: str = ""


class NewPassword(BaseModel):
    """The password as it is, and as it shall be; and whether keys of programs end with it."""

    current_password: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)
    end_keys: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its person recognizes it, `called` as no other on the page is. Empty where nothing is known."""

    handle: str
    name: str
    called: str
    place: str
    ip_address: str
    way: str
    began_at: datetime
    active_at: datetime
    confirmed_at: datetime
    current: bool
    new_since: datetime | None

    @staticmethod
    def of(shown: ShownSession, places: Places, language: Language, called: str, new_since: datetime | None) -> Device:
        """The device that a session was begun with, or was last seen on, named in this language."""
        row = shown.view.row
        return Device(
            handle=row.session_id.hex,
            name=language.device(row.user_agent),
            called=called,
            place=places(row.ip_address, language.code),
            ip_address=row.ip_address or "",
            way=row.way,
            began_at=row.created_at,
            active_at=shown.active_at,
            confirmed_at=row.authenticated_at,
            current=shown.current,
            new_since=new_since,
        )


@pages.show(PATH)
async def sessions_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    current = await caller.require_person_soon()
    sessions = await sessions_of(current, limit=None, offset=0)
    new, language = await to_thread.run_sync(_new_of, current, sessions), caller.wording.journal
    devices = [
        Device.of(one, caller.services.places, language, called, new.get(one.view.row.session_id))
        for one, called in zip(sessions, _names(caller, sessions), strict=True)
    ]
    # what just began is what somebody looks for who was warned of it
    devices.sort(key=lambda one: (one.current, one.new_since is not None), reverse=True)
    return caller.saying(query.done).page("sessions.html", devices=devices)


def _names(caller: PageCaller, sessions: Sequence[ShownSession]) -> list[str]:
    """What each device is called by who hears of nothing but its buttons: several of a kind by when they came."""
    kinds = [caller.wording.journal.device(one.view.row.user_agent) or caller.text(UNKNOWN) for one in sessions]
    seen = Counter(kinds)
    return [
        kind if seen[kind] == 1 else f"{kind}, {caller.wording.moment(one.view.row.created_at)}"
        for kind, one in zip(kinds, sessions, strict=True)
    ]


def _new_of(current: CurrentBySession, sessions: Sequence[ShownSession]) -> dict[UUID, datetime]:
    """The other sessions that are on devices somebody was first seen on lately, and since when those are known."""
    rows = [one.view.row for one in sessions if not one.current]
    seen = {row.session_id: Origin(row.user_agent, row.ip_address, row.seen_at) for row in rows}
    after = current.request.now - _NEW_FOR
    return lately_new(current.services.context.store, current.user_id, seen, after=after)


@pages.act(f"{PATH}/end", "revoke_session")
def end_session(caller: CurrentPageCaller, form: Ending) -> Response:
    current = caller.require_person()
    if current.session.session_id == commands.revoke_session(
        caller.services.context, current.principal, named=form.session
    ):
        clear_cookies(caller.services, caller.request)
        return see_other("/sign-in", done="signed-out")
    return see_other(PATH, done="session-ended")


@pages.act(f"{PATH}/end-others", "revoke_other_sessions")
def end_others(caller: CurrentPageCaller) -> Response:
    current = caller.require_person()
    commands.revoke_other_sessions(caller.services.context, current.principal)
    return see_other(PATH, done="others-ended")


@pages.act(f"{PATH}/end-all", "revoke_sessions")
def end_all(caller: CurrentPageCaller) -> Response:
    current = caller.require_person()
    commands.revoke_sessions(caller.services.context, current.principal)
    clear_cookies(caller.services, caller.request)
    return see_other("/sign-in", done="signed-out")


@pages.act(f"{PATH}/not-me", "revoke_session")
def not_me(caller: CurrentPageCaller, form: Ending) -> Response:
    current = caller.require_person()
    if current.session.session_id == commands.revoke_session(
        caller.services.context, current.principal, named=form.session
    ):
        clear_cookies(caller.services, caller.request)
        return see_other("/sign-in", next=NEW_PASSWORD, done="signed-out")
    return see_other(NEW_PASSWORD, done="not-me")


@pages.show(NEW_PASSWORD)
def new_password_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    return _new_password_page(caller.saying(query.done), caller.require_person(), {})


@pages.act(NEW_PASSWORD, "change_password")
def set_new_password(caller: CurrentPageCaller, form: NewPassword) -> Response:
    current = caller.require_person()
    # fresh or not: the present password, which comes with it, is all that confirming would ask for
    try:
        passwords.change_password(
            caller,
            current,
            given=form.current_password,
            wanted=form.password,
            revoking=True,
            ending_keys=bool(form.end_keys),
        )
    except Refusal as refused:
        return _new_password_page(caller, current, caller.problems_of(refused))
    return see_other(PATH, done="password-others")


def _new_password_page(caller: PageCaller, current: CurrentBySession, problems: dict[str, str]) -> Response:
    settings = caller.services.settings
    return caller.page(
        "new_password.html",
        status=400 if problems else 200,
        problems=problems,
        email=current.email or "",
        sends_mail=settings.sends_mail,
        shortest=settings.password_minimum_length,
        narrow=True,
    )
