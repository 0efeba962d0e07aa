"""The reads that clients repeat after nearly all they do (wire.md, "Fan-out"), answered in front of the framework.

Only what is plain: a session that lives and of which nothing is to be recorded, its active organization, no parameters
and no body. Everything else is left to the routes in `organizations` and `members`, whose answers these are too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Scope

from api.edge.authentication import extends, find_session, moved
from api.edge.batching.organizations_seen import OrganizationView
from api.edge.gate import PlainRoute
from api.edge.json_response import encode
from api.edge.request_context import BASE_PATH, RequestContext
from api.edge.response_writer import ResponseWriter
from api.edge.services import Services
from projections.lists.session_list import LiveSession

from . import members, organizations, shapes

_PATIENCE = 3.0
"""Seconds for the organization: with the look at the session before it, less than any request may take."""
_BODY = {"content-length", "transfer-encoding"}
"""Headers of a request that has a body, or says so."""
_MEDIA_TYPE = (b"content-type", b"application/json")


async def _get_full_organization(services: Services, session: LiveSession) -> bytes | None:
    return await _told(
        services,
        session,
        "get-full-organization",
        lambda seen: organizations.full_answer(services.context.keyring, seen.full),
        invitations=True,
    )


async def _list_members(services: Services, session: LiveSession) -> bytes | None:
    return await _told(
        services,
        session,
        "list-members",
        lambda seen: members.members_answer(seen.full.members, len(seen.full.members)),
        invitations=False,
    )


async def _get_active_member(_daybook: Services, session: LiveSession) -> bytes | None:
    member = members.active_member(session)
    return None if member is None else encode(shapes.member_with_person(member))


async def _get_active_member_role(_daybook: Services, session: LiveSession) -> bytes | None:
    return None if session.active_role is None else encode(members.RoleAnswer(role=session.active_role))


async def _told(
    services: Services,
    session: LiveSession,
    route: str,
    tell: Callable[[OrganizationView], object],
    *,
    invitations: bool,
) -> bytes | None:
    """The active organization as a route tells it, told once for the same rows; None if there is none, or too much."""
    if session.active_organization_id is None:
        return None
    async with asyncio.timeout(_PATIENCE):
        seen = await services.organizations.seen(
            session.active_organization_id, session.user_id, invitations=invitations
        )
    if seen is None or seen.crowded:
        return None
    body = seen.told.get(route)
    if body is None:
        body = seen.told[route] = encode(tell(seen))
    return body


def _plain(answer: Callable[[Services, LiveSession], Awaitable[bytes | None]]) -> PlainRoute:
    async def route(
        services: Services, request: RequestContext, scope: Scope, writer: ResponseWriter, counting: Awaitable[None]
    ) -> bool:
        if (
            scope["query_string"]
            or not _BODY.isdisjoint(request.headers)
            or request.path in services.settings.fresh_paths
        ):
            return False
        session = (await find_session(services, request)).session
        if session is None or extends(services, request, session) or moved(request, session):
            return False
        body = await answer(services, session)
        if body is None:
            return False
        await counting
        services.last_active_buffer.seen(session.session_id, request.now)
        headers = [(b"content-length", str(len(body)).encode()), _MEDIA_TYPE]
        await writer({"type": "http.response.start", "status": 200, "headers": headers})
        await writer({"type": "http.response.body", "body": body})
        return True

    return route


PLAIN: Mapping[tuple[str, str], PlainRoute] = {
    ("GET", f"{BASE_PATH}/organization/{name}"): _plain(answer)
    for name, answer in {
        "get-full-organization": _get_full_organization,
        "list-members": _list_members,
        "get-active-member": _get_active_member,
        "get-active-member-role": _get_active_member_role,
    }.items()
}
