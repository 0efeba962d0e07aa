"""Who asks: a client, a caller with the session they show, and who they turn out to be once they are let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Depends

from domain.commands.principal import PersonByKey, PersonBySession
from domain.key_refusals import NotByKey, ScopeMissing
from domain.refusals import SessionOver
from domain.roles import Roles, allow
from domain.scopes import Scopes, permissions_of
from projections.lists.api_key_list import LiveKey, scopes_of
from projections.lists.session_list import LiveSession

from .authentication import (
    PresentedCredentials,
    clear_session,
    extends,
    key_makes_news,
    moved,
    record_key_use,
    record_use,
)
from .problems import Problem
from .request_context import RequestContext
from .services import Services
from .session_schemes import EVERYTHING


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
    def row(self) -> LiveSession:
        """What was read at the door."""
        return self.session

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
        """Whether who has these roles may do this: through a session, all that they allow."""
        return allow(roles, resource, action)

    def may_look(self, roles: Roles, resource: str, action: str) -> bool:
        """Whether they may look at what those see who may do this."""
        return allow(roles, resource, action)

    def reaches(self, _organization_id: UUID) -> bool:
        """Whether they may look at this organization, if they belong to it."""
        return True

    @property
    def sees_links(self) -> bool:
        """Whether they see by which links others are invited, if they see who is."""
        return True

    def require_fresh(self) -> None:
        """What is sensitive needs the password proved a short while ago (wire.md A3). Raises SessionNotFresh."""
        lifetimes = self.services.context.lifetimes
        lifetimes.require_fresh(authenticated_at=self.session.authenticated_at, now=self.request.now)


@dataclass(frozen=True, slots=True)
class CurrentByKey:
    """A program that asks for a person by an API key that lives: what was read of both at the door.

    It looks at organizations only as far as the key's scopes and its only organization let it.
    """

    services: Services
    request: RequestContext
    key: LiveKey

    @property
    def principal(self) -> PersonByKey:
        """Who gives a command with this request."""
        return PersonByKey(
            user_id=self.key.user_id,
            api_key_id=self.key.api_key_id,
            at=self.request.now,
            where_from=self.request.where_from,
        )

    @property
    def user_id(self) -> UUID:
        """Whose account it is."""
        return self.key.user_id

    @property
    def email(self) -> str | None:
        """Their address; None once erased."""
        return self.key.email

    @property
    def email_verified(self) -> bool:
        """Whether it was proved to be theirs."""
        return self.key.email_verified

    @property
    def active_organization_id(self) -> UUID | None:
        """The organization that is meant where none is named: the only one that the key is for."""
        return self.key.active_organization_id

    @property
    def row(self) -> LiveKey:
        """What was read at the door."""
        return self.key

    @property
    def scopes(self) -> Scopes | None:
        """What the key may do of what its owner may; None if all."""
        return scopes_of(self.key.scopes)

    def may(self, roles: Roles, resource: str, action: str) -> bool:
        """Whether who has these roles may do this by the key."""
        return allow(roles, resource, action, at_most=None if self.scopes is None else permissions_of(self.scopes))

    def may_look(self, roles: Roles, resource: str, action: str) -> bool:
        """Whether they may look at what those see who may do this."""
        return allow(roles, resource, action)

    def reaches(self, organization_id: UUID) -> bool:
        """Whether the key is for this organization too."""
        return self.key.organization_id in (None, organization_id)

    @property
    def sees_links(self) -> bool:
        """No: who has the link and names its address becomes what was offered, an owner too."""
        return False

    def require_scope(self, scope: str) -> None:
        """The key's scopes include this one, or it may do `EVERYTHING`. Raises ScopeMissing."""
        if scope == EVERYTHING:
            enough = self.scopes is None and self.key.organization_id is None
        else:
            enough = self.scopes is None or scope in self.scopes
        if not enough:
            raise ScopeMissing

    def require_fresh(self) -> None:
        """A program proves nobody. Raises NotByKey."""
        raise NotByKey


CurrentPrincipal = CurrentBySession | CurrentByKey
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
        """Who shows this; that the session or the key was used is remembered, and whom the request concerns."""
        if presented.session is not None:
            services.last_active_buffer.seen(presented.session.session_id, request.now)
            request.concerns, request.session_id = presented.session.user_id, presented.session.session_id
        elif presented.key is not None:
            services.last_active_buffer.seen(presented.key.api_key_id, request.now)
            request.concerns = presented.key.user_id
        return Caller(services, request, presented)

    @property
    def remembered(self) -> bool:
        """Whether the browser keeps the session when it is closed."""
        return not self.services.cookies.dont_remember(self.request.headers.get("cookie"))

    def require_principal(self) -> CurrentPrincipal:
        """Who asks, by a session or by an API key; the first line of every handler that programs may use, of whose key
        the route has seen that its scopes suffice. Each of the others begins with `require_session`. 401 and 403 as
        there.
        """
        key = self.presented.key
        if key is None:
            return self.require_session()
        current = CurrentByKey(self.services, self.request, key)
        if self.request.path in self.services.settings.fresh_paths:
            current.require_fresh()
        if key_makes_news(self.request, key):
            record_key_use(self.services, self.request, key)
        return current

    async def require_principal_soon(self) -> CurrentPrincipal:
        """As `require_principal`, for a handler on the event loop."""
        key = self.presented.key
        if key is None:
            return await self.require_session_soon()
        writes = key_makes_news(self.request, key)
        return await to_thread.run_sync(self.require_principal) if writes else self.require_principal()

    def require_session(self) -> CurrentBySession:
        """Who asks, their session extended if due; the first line of every handler that needs to know.

        401 without a session; 403 if it is not fresh and by the settings has to be (wire.md A3). Of a program, with
        whatever key, raises NotByKey.
        """
        if self.presented.key is not None:
            raise NotByKey
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

    async def require_session_soon(self) -> CurrentBySession:
        """As `require_session`, for a handler on the event loop: what has to be written down is so in a thread."""
        session = self.presented.session
        writes = bool(self.presented.tokens) if session is None else self._uses(session)
        return await to_thread.run_sync(self.require_session) if writes else self.require_session()

    def _uses(self, session: LiveSession) -> bool:
        return extends(self.services, self.request, session) or moved(self.request, session)

    def require_session_or(self, problem: Problem) -> CurrentBySession:
        """As `require_session`, refusing who shows nothing as a route alone does."""
        try:
            return self.require_session()
        except Problem as refused:
            raise problem if refused.status == 401 else refused from None

    def require_principal_or(self, problem: Problem) -> CurrentPrincipal:
        """As `require_principal`, refusing who shows nothing as a route alone does."""
        return self.require_session_or(problem) if self.presented.key is None else self.require_principal()


def _given_by_the_route() -> None:
    """What the framework sees of a parameter that `ContractRoute` fills in: that it is none of the request's."""


CurrentClient = Annotated[Client, Depends(_given_by_the_route)]
"""The client of a route that looks at no session."""
CurrentCaller = Annotated[Caller, Depends(_given_by_the_route)]
"""The caller of a route."""
