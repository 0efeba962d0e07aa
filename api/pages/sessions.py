"""Account → Sessions: the devices somebody is signed in on, and ending them. Never refused for want of freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.acts.session_list import ShownSession, sessions_of
from api.edge.authentication import clear_cookies
from api.edge.query import ExactQuery
from domain.commands import session as commands
from projections.places import Places
from projections.trails.language import Language

from .page_caller import see_other
from .page_route import CurrentPageCaller, Pages

pages = Pages()

PATH = "/account/sessions"


class DoneQuery(ExactQuery):
    """What was done before."""

    done: str = ""


class Ending(BaseModel):
    """Which session to end."""

    session: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its person recognizes it. Empty where nothing is known."""

    handle: str
    name: str
    place: str
    ip_address: str
    way: str
    began_at: datetime
    active_at: datetime
    confirmed_at: datetime
    current: bool
    new: bool

    @staticmethod
    def of(shown: ShownSession, places: Places, now: datetime, language: Language) -> Device:
        """The device that a session was begun with, or was last seen on, named in this language."""
        row = shown.view.row
        return Device(
            handle=row.session_id.hex,
            name=language.device(row.user_agent),
            place=places(row.ip_address, language.code),
            ip_address=row.ip_address or "",
            way=row.way,
            began_at=row.created_at,
            active_at=shown.active_at,
            confirmed_at=row.authenticated_at,
            current=shown.current,
            new=(now - row.created_at).days < 1 and not shown.current,
        )


@pages.show(PATH)
async def sessions_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    current = await caller.require_person_soon()
    devices = [
        Device.of(shown, caller.services.places, caller.request.now, caller.wording.journal)
        for shown in await sessions_of(current, limit=None, offset=0)
    ]
    # what just began is what somebody looks for who was warned of it
    devices.sort(key=lambda one: (one.current, one.new), reverse=True)
    return caller.saying(query.done).page("sessions.html", devices=devices)


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
    commands.revoke_session(caller.services.context, current.principal, named=form.session)
    return see_other("/account/settings", done="not-me", was="not-me")
