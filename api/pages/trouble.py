"""What is shown where something went wrong: what it was, in plain words, and a way on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NamedTuple

from starlette.responses import Response

from api.edge import problems
from api.edge.origins import INVALID_ORIGIN, MISSING_OR_NULL_ORIGIN, origin_of
from api.edge.problems import Problem
from api.edge.request_context import RequestContext
from api.settings import Settings
from domain.ids import new_id
from domain.refusals import Conflict, Refusal, TooManyAttempts

from .languages_chosen import wording_of
from .refusals import problems_of
from .rendering import Renderer
from .wording import Wording
from .wording import marked as _
from .wording import wording as wording_in

_logger = logging.getLogger("daybook")
_OTHER_SITE = {INVALID_ORIGIN, MISSING_OR_NULL_ORIGIN, "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"}


class _Told(NamedTuple):
    title: str
    text: str


_REFUSED = _("That did not work")
_BY_STATUS = {
    400: _Told(_("That could not be understood"), _("Go back, look at what you entered, and try again.")),
    401: _Told(_("Your session ended"), _("Sign in again; nothing was lost.")),
    403: _Told(_("You may not do that"), _("An owner or admin of the organization may.")),
    404: _Told(_("There is no such page"), _("It may have moved, or the link is not complete.")),
    408: _Told(_("That took too long"), _("Your browser did not send everything in time. Try again.")),
    409: _Told(_("Somebody else was faster"), _("Somebody changed it at the same moment. Look, and try again.")),
    413: _Told(_("That is too much"), _("What you sent is larger than we accept. Go back and make it shorter.")),
    415: _Told(_("That could not be understood"), _("Go back, look at what you entered, and try again.")),
    429: _Told(_("Too many tries"), _("Wait a moment before you try again.")),
    500: _Told(
        _("Something went wrong here"),
        _("It is not your fault. What you sent was done whole or not at all: look first."),
    ),
    503: _Told(
        _("We are away for a moment"),
        _("Try again soon. If you had just sent something, look first whether it was done."),
    ),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Shows errors as pages, in the look of one service."""

    renderer: Renderer
    settings: Settings

    def response_to(self, error: Exception, request: RequestContext | None) -> Response:
        """The page of any error; its request remembers what it was refused with, as on the wire."""
        answer = problems.response_to(error, request)
        wording = wording_in(self.settings.pages_language) if request is None else wording_of(request, self.settings)
        title, text = _told(error, answer.status_code, request, wording)
        elsewhere = isinstance(error, Problem) and error.code in _OTHER_SITE and self.settings.base_url
        reference = ""
        if answer.status_code >= 500:
            reference = new_id().hex
            _logger.error("A page was answered with %d, as request %s.", answer.status_code, reference)
        page = self.renderer.page(
            "trouble.html",
            wording,
            {
                "session": None if request is None else request.session,
                # not the path that was asked for, which anybody may have made up
                "here": "/",
                "notice": "",
                "title": title,
                "text": text,
                "wait": answer.headers.get("retry-after", ""),
                "reference": reference,
                # where our pages are known, if they were moved
                "known_at": self.settings.base_url if elsewhere else None,
                "narrow": True,
                "section": "",
            },
            status=answer.status_code,
        )
        for name in ("retry-after", "connection", "x-retry-after"):
            if name in answer.headers:
                page.headers[name] = answer.headers[name]
        return page


def _told(error: Exception, status: int, request: RequestContext | None, wording: Wording) -> _Told:
    """What went wrong, and what helps, in the language of who asks."""
    if isinstance(error, Refusal) and not isinstance(error, TooManyAttempts | Conflict):
        [text] = problems_of(error, wording).values()
        return _Told(wording.text(_REFUSED), text)
    told = _BY_STATUS.get(status, _BY_STATUS[500])
    foreign = isinstance(error, Problem) and error.code in _OTHER_SITE
    return _Told(wording.text(told.title), _of_another_site(request, wording) if foreign else wording.text(told.text))


def _of_another_site(request: RequestContext | None, wording: Wording) -> str:
    sender = "" if request is None else origin_of(request.headers.get("origin", "")) or ""
    if not sender:
        return wording.text(
            _("Your browser did not say from which page this came. Open the page again, and send it there.")
        )
    return wording.text(
        _(
            "This came from a page at %(sender)s, which this service does not know. Who runs it can name that "
            "address in DAYBOOK_TRUSTED_ORIGINS, or correct DAYBOOK_BASE_URL."
        ),
        sender=sender,
    )
