"""The front page, the files that pages name, and the language they are in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.edge.problems import Problem
from api.edge.query import ExactQuery
from api.edge.response_writer import FOR_GOOD
from domain.commands import user as commands
from domain.refusals import LinkExpired

from .languages_chosen import remember
from .page_caller import HOME, see_other
from .page_route import CurrentPageCaller, Pages
from .wording import LANGUAGES
from .wording import marked as _

pages = Pages()

_OVER = _("This link opens nothing any more. Ask for a new one.")
_EXPIRED = _("This link was good for a while only, and that is over. Ask for a new one.")


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
async def front(caller: CurrentPageCaller, query: Annotated[Front, Query()]) -> Response:
    if query.error:
        reason = _EXPIRED if query.error == LinkExpired.code else _OVER
        return caller.page("link_over.html", status=400, reason=caller.text(reason), again="/sign-in", narrow=True)
    if query.invitationId:
        return see_other("/accept-invitation", invitationId=query.invitationId)
    if query.token:
        return see_other("/reset-password", token=query.token)
    return see_other("/sign-in" if caller.presented.session is None else HOME)


@pages.show("/assets/{file}")
async def asset(caller: CurrentPageCaller, file: str) -> Response:
    look = caller.renderer.look
    if (found := look.assets.get(caller.request.path)) is not None:
        headers = {"Cache-Control": FOR_GOOD, "ETag": found.etag}
        if found.is_known(caller.request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)
    if (found := look.now_called(file)) is None:
        raise Problem(404)
    return Response(found.content, media_type=found.media_type)


@pages.show("/favicon.ico")
async def icon(caller: CurrentPageCaller) -> Response:
    return see_other(caller.renderer.look.icon.path)


@pages.show("/.well-known/change-password")
async def change_password_here(caller: CurrentPageCaller) -> Response:
    return see_other("/account/settings#password")


@pages.act("/language", "choose_language")
def choose_language(caller: CurrentPageCaller, form: Language) -> Response:
    if form.language in LANGUAGES:
        remember(caller.request, caller.services.settings, form.language)
        if caller.presented.session is not None:
            current = caller.require_person()
            commands.choose_language(
                caller.services.context, current.principal, language=form.language, before=current.session.language
            )
    return caller.led_to(form.next, told=_("Continue"))
