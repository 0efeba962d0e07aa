"""Who looks at a page, in which language, and what they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.responses import Response

from api.edge.caller import Caller, CurrentBySession
from api.edge.problems import Problem, remember
from domain.refusals import Refusal, SessionNotFresh, SessionOver, SubjectGone

from .done import DONE
from .languages_chosen import wording_of
from .refusals import problems_of
from .rendering import Renderer
from .wording import Wording

HOME = "/account/settings"
"""Where who has signed in is led to if they wanted nowhere else."""


class SignInFirst(Exception):
    """A page that is for who is signed in was asked for by somebody who is not."""


@dataclass(frozen=True, slots=False)
class PageCaller(Caller):
    """Who asks for a page, with the session they show, before anybody has decided whether they may.

    `said` is the code of what the form before it did, if it did something.
    """

    renderer: Renderer
    said: str = ""

    @cached_property
    def wording(self) -> Wording:
        """The texts in the language of who asks."""
        return wording_of(self.request, self.services.settings)

    def text(self, text: str, /, **named: object) -> str:
        """An English text in the language of who asks."""
        return self.wording.text(text, **named)

    def require_person(self) -> CurrentBySession:
        """Who is signed in. Raises SignInFirst."""
        try:
            return self.require_session()
        except Problem as refused:
            if refused.status != 401:
                raise
            raise SignInFirst from None

    async def require_person_soon(self) -> CurrentBySession:
        """As `require_person`, for a handler on the event loop."""
        try:
            return await self.require_session_soon()
        except Problem as refused:
            if refused.status != 401:
                raise
            raise SignInFirst from None

    def saying(self, done: str) -> PageCaller:
        """The same, once a form of theirs has done this."""
        return replace(self, said=done)

    def problems_of(self, refusal: Refusal, names: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a form shows of a refusal, by the field it is about; `names` are what it calls fields otherwise.

        What another page has to come before is raised again: signing in, or confirming that it is still you.
        """
        if isinstance(refusal, SessionOver | SubjectGone | SessionNotFresh):
            raise refusal
        remember(refusal, self.request)
        return problems_of(refusal, self.wording, names=names)

    def trusts(self, target: str) -> bool:
        """Whether somebody may be led there in the end."""
        return bool(target) and self.services.origins.redirect_allowed(target)

    def is_here(self, target: str) -> bool:
        """Whether this is a page of ours."""
        return target.startswith("/") and self.trusts(target)

    @property
    def shown_at(self) -> str:
        """The page of ours that the browser shows; of a form, where the browser says that it stood, if it says so."""
        if self.request.method != "POST":
            query = self.request.query_string.decode("latin-1")
            return f"{self.request.path}?{query}" if query else self.request.path
        try:
            # our pages' `Referrer-Policy` lets it
            sent_from = urlsplit(self.request.headers.get("referer", ""))
        except ValueError:
            return ""
        page = f"{sent_from.path}?{sent_from.query}" if sent_from.query else sent_from.path
        return page if self.is_here(page) else ""

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page, with what every page shows: who is signed in, where they are, what they have just done."""
        notice = self.text(DONE[self.said]) if self.said in DONE else ""
        shown = {
            "session": self.presented.session,
            "here": self.shown_at,
            "notice": notice,
            "narrow": False,
            "section": "",
        }
        return self.renderer.page(template, self.wording, {**shown, **values}, status=status)

    def led_to(self, target: str, *, told: str) -> Response:
        """To where somebody wanted before they had to do something else, if we trust it; to another host by a page
        that says what was `told`.
        """
        if not self.trusts(target):
            return see_other(HOME)
        if self.is_here(target):
            return see_other(target)
        # a form may lead nowhere but to us (CSP `form-action`), not even by way of us
        return self.page("onward.html", target=target, told=self.text(told), at_once=True, narrow=True)


def see_other(path: str, /, **query: str) -> Response:
    """To a page of ours that shows what came of a form; going back does not send it again (RFC 9110 §15.4.4)."""
    asked = urlencode({name: value for name, value in query.items() if value})
    page, hash_sign, place = path.partition("#")
    joint = "&" if "?" in page else "?"
    location = f"{page}{joint}{asked}{hash_sign}{place}" if asked else path
    return Response(status_code=303, headers={"Location": quote(location, safe="%/:?#[]@!$&'()*+,;=~")})
