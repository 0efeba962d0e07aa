"""A route of the pages: what is shown at an address, and what a form sent there does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends
from starlette.responses import Response

from api.edge.authentication import PresentedCredentials, find_session
from api.edge.body import Body
from api.edge.caller import Caller
from api.edge.contract_route import ContractRoute
from api.edge.problems import Problem, remember, too_many_requests
from api.edge.request_context import RequestContext
from api.edge.services import Services
from domain.refusals import SessionNotFresh, SessionOver, SubjectGone

from .first import (
    MadeForAnother,
    WrongConfirmation,
    confirm_first,
    confirmed,
    count_confirmation,
    require_theirs,
    send_kept,
    sign_in_first,
)
from .kept import CONFIRMATION, Kept
from .page_caller import PageCaller, SignInFirst, see_other
from .rendering import Renderer

Handler = Callable[..., Any]

_LONGEST_QUERY = 4_096
"""Bytes. What is asked stands in the page again, for the form that chooses a language and for links to other pages."""


class PageRoute(ContractRoute):
    """Its handler takes a `PageCaller`, models of its query and its form, and the last part of its path."""

    def __init__(self, path: str, endpoint: Handler, *, renderer: Renderer, **options: Any) -> None:
        super().__init__(path, endpoint, include_in_schema=False, response_class=Response, **options)
        self._renderer = renderer

    async def answer(
        self,
        services: Services,
        request: RequestContext,
        query_string: bytes,
        body: Body,
        presented: PresentedCredentials | None = None,
    ) -> Response:
        """What the handler answers; where something else has to come first, the page of that, with what was sent.

        Raises Problem for a query that is too long.
        """
        if len(query_string) > _LONGEST_QUERY:
            raise Problem(413)
        presented = presented or await find_session(services, request)
        if presented.session is not None:
            # trouble is told in its language, and shows whose it is, without asking again
            request.session, request.language = presented.session, presented.session.language
        caller = PageCaller(services, request, presented, self._renderer)
        answer = await self._answered(caller, request, query_string, body)
        if request.retry_after is not None:
            # whatever shows it: the form again, or the page that asks for the password
            answer.status_code = 429
            answer.headers.update(too_many_requests(request.retry_after).headers or {})
        # for clients without cookies; a page has no business with its secret
        request.auth_token = None
        return answer

    async def find(self, services: Services, request: RequestContext) -> PresentedCredentials:
        """The session that the browser shows: pages are for people, and no program's key opens them."""
        return await find_session(services, request)

    async def _answered(self, caller: PageCaller, request: RequestContext, query_string: bytes, body: Body) -> Response:
        if request.method == "POST" and not body.json:
            # a form with nothing in it
            body = Body(b"{}", {})
        sent = Kept.of(request.path, body.content)
        try:
            require_theirs(caller, sent)
            if request.method == "POST" and isinstance(body.content, dict) and CONFIRMATION in body.content:
                await count_confirmation(caller)
                await to_thread.run_sync(confirmed, caller, body.content[CONFIRMATION])
                # what was read before says that it is not fresh
                caller = replace(caller, presented=await find_session(caller.services, request))
                require_theirs(caller, sent)
            return await super().answer(caller.services, request, query_string, body, caller.presented)
        except MadeForAnother:
            return send_kept(caller, sent, status=409)
        except (SignInFirst, SessionOver, SubjectGone):
            if request.method == "POST":
                return sign_in_first(caller, sent)
            return see_other("/sign-in", next=caller.shown_at, over="1" if caller.presented.tokens else "")
        except (SessionNotFresh, WrongConfirmation) as refused:
            remember(refused, request)
            return confirm_first(caller, sent, refused)

    def _caller_of(self, services: Services, request: RequestContext, presented: PresentedCredentials) -> Caller:
        caller = Caller.of(services, request, presented)
        return PageCaller(caller.services, caller.request, caller.presented, self._renderer)


_METHODS = {"GET": ["GET", "HEAD"], "POST": ["POST"]}


class Pages:
    """A group of pages. What is declared is made into routes once for each application, which has a look of its own."""

    def __init__(self) -> None:
        self._declared: list[tuple[str, str, Handler, str]] = []

    def show(self, path: str) -> Callable[[Handler], Handler]:
        """What is seen at a path."""
        return self._declare("GET", path, "")

    def act(self, path: str, command: str) -> Callable[[Handler], Handler]:
        """What a form sent to a path does; `command` is what that is called where it is refused."""
        return self._declare("POST", path, command)

    def _declare(self, method: str, path: str, command: str) -> Callable[[Handler], Handler]:
        def declared(handler: Handler) -> Handler:
            self._declared.append((method, path, handler, command))
            return handler

        return declared

    @property
    def shown(self) -> set[str]:
        """The paths at which something is seen."""
        return {path for method, path, *_ in self._declared if method == "GET"}

    @property
    def acts(self) -> set[str]:
        """The paths that forms are sent to."""
        return {path for method, path, *_ in self._declared if method == "POST"}

    def routes(self, renderer: Renderer) -> Sequence[PageRoute]:
        """The routes of one application."""
        return [
            PageRoute(path, handler, renderer=renderer, methods=_METHODS[method], name=command or handler.__name__)
            for method, path, handler, command in self._declared
        ]


def _given_by_the_route() -> None:
    """What the framework sees of a parameter that the route fills in: that it is none of the request's."""


CurrentPageCaller = Annotated[PageCaller, Depends(_given_by_the_route)]
"""The caller of a route."""
