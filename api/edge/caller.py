"""Who asks: a client, a caller with the session they show, and who they turn out to be once they are let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Depends

from domain.commands.principal import PersonBySession
from domain.refusals import SessionOver
from domain.roles import Roles, allow
from projections.lists.session_list import LiveSession

from .authentication import PresentedCredentials, clear_session, extends, moved, record_use
from .problems import Problem
from .request_context import RequestContext
from .services import Services


@dataclass(frozen=True, slots=True)
class CurrentBySession:
    """A person who asks through a session that lives: what was read of both at the door, and what else they may do.

    What only a session has is asked of `session`: who asks by something else has none.
    """

    services: Services
    request: RequestContext
    session: LiveSession

    @property
    def principal(self) -> PersonBySession:
        """Who gives a command with this request."""
        return PersonBySession(
            user_id=self.session.user_id,
            session_id=self.session.session_id,
            at=self.request.now,
            where_from=self.request.where_from,
        )

    @property
    def user_id(self) -> UUID:
        """Whose account it is."""
        return self.session.user_id

    @property
    def email(self) -> str | None:
        """Their address; None once erased."""
        return self.session.email

    @property
    def email_verified(self) -> bool:
        """Whether it was proved to be theirs."""
        return self.session.email_verified

    @property
    def active_organization_id(self) -> UUID | None:
        """The organization that is meant where none is named."""
        return self.session.active_organization_id

    def may(self, roles: Roles, resource: str, action: str) -> bool:
        """Whether who has these roles may look at this: through a session, all that they allow."""
        return allow(roles, resource, action)

    def require_fresh(self) -> None:
        """What is sensitive needs the password proved a short while ago (wire.md A3). Raises SessionNotFresh."""
        lifetimes = self.services.context.lifetimes
        lifetimes.require_fresh(authenticated_at=self.session.authenticated_at, now=self.request.now)


CurrentPrincipal = CurrentBySession
"""Who a request is made by, let in: one variant for each of `domain.commands.principal.Person`."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, whoever it is."""

    services: Services
    request: RequestContext


@dataclass(frozen=True, slots=True)
class Caller(Client):
    """Who asks, with the session they show, before anybody has decided whether they may."""

    presented: PresentedCredentials

    @staticmethod
    def of(services: Services, request: RequestContext, presented: PresentedCredentials) -> Caller:
        """Who shows this; that the session was used is remembered, and whom the request concerns."""
        if presented.session is not None:
            services.last_active_buffer.seen(presented.session.session_id, request.now)
            request.concerns, request.session_id = presented.session.user_id, presented.session.session_id
        return Caller(services, request, presented)

    @property
    def remembered(self) -> bool:
        """Whether the browser keeps the session when it is closed."""
        return not self.services.cookies.dont_remember(self.request.headers.get("cookie"))

    def require_principal(self) -> CurrentPrincipal:
        """Who asks, their session extended if due; the first line of every handler that needs to know.

        401 without a session; 403 if it is not fresh and by the settings has to be (wire.md A3).
        """
        services, request, session = self.services, self.request, self.presented.session
        try:
            if session is None:
                raise SessionOver
            extending = extends(services, request, session)
            if extending or moved(request, session):
                record_use(services, request, session, self.presented.token, extending=extending)
        except SessionOver:
            clear_session(services, request, self.presented)
            raise Problem.of_code("UNAUTHORIZED") from None
        current = CurrentBySession(services, request, session)
        if request.path in services.settings.fresh_paths:
            current.require_fresh()
        return current

    async def require_principal_soon(self) -> CurrentPrincipal:
        """As `require_principal`, for a handler on the event loop: what has to be written down is so in a thread."""
        session = self.presented.session
        writes = bool(self.presented.tokens) if session is None else self._uses(session)
        return await to_thread.run_sync(self.require_principal) if writes else self.require_principal()

    def _uses(self, session: LiveSession) -> bool:
        return extends(self.services, self.request, session) or moved(self.request, session)

    def require_principal_or(self, problem: Problem) -> CurrentPrincipal:
        """As `require_principal`, refusing who shows nothing as a route alone does."""
        try:
            return self.require_principal()
        except Problem as refused:
            raise problem if refused.status == 401 else refused from None


def _given_by_the_route() -> None:
    """What the framework sees of a parameter that `ContractRoute` fills in: that it is none of the request's."""


CurrentClient = Annotated[Client, Depends(_given_by_the_route)]
"""The client of a route that looks at no session."""
CurrentCaller = Annotated[Caller, Depends(_given_by_the_route)]
"""The caller of a route."""
