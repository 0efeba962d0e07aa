"""The front page, the files that pages name, and the language they are in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.edge.problems import Problem
from api.edge.query import ExactQuery
from api.edge.response_writer import FOR_GOOD

from .languages_chosen import choose
from .page_route import CurrentVisit, Pages
from .visit import HOME, see_other

pages = Pages()


class Front(ExactQuery):
    """What a link says that leads to the front page, as it does where no page of its own is named (wire.md §9)."""

    error: str = ""
    invitationId: str = ""
    token: str = ""


class Language(BaseModel):
    """A language, and where it was chosen."""

    language: str = ""
    next: str = ""


@pages.show("/")
async def front(visit: CurrentVisit, query: Annotated[Front, Query()]) -> Response:
    if query.error:
        return see_other("/link-over", error=query.error)
    if query.invitationId:
        return see_other("/accept-invitation", invitationId=query.invitationId)
    if query.token:
        return see_other("/reset-password", token=query.token)
    return see_other("/sign-in" if visit.presented.session is None else HOME)


@pages.show("/assets/{file}")
async def asset(visit: CurrentVisit, file: str) -> Response:
    found = visit.renderer.look.assets.get(visit.request.path)
    if found is None or not file:
        raise Problem(404)
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": FOR_GOOD})


@pages.show("/.well-known/change-password")
async def change_password_here(visit: CurrentVisit) -> Response:
    return see_other("/account/settings#password")


@pages.act("/language", "choose_language")
async def choose_language(visit: CurrentVisit, form: Language) -> Response:
    choose(visit.request, visit.services.settings, form.language)
    return visit.led_to(form.next)
