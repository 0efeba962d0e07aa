"""Pages for people: the one list of them, and how an application serves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from api.edge.surfaces import Surface
from api.settings import Settings

from . import (
    accept,
    account,
    activity,
    address,
    deletion,
    front,
    invitations,
    keys,
    members,
    organization,
    passwords,
    sessions,
    ways_in,
)
from .look import Look
from .page_caller import see_other
from .page_route import CurrentPageCaller, Handler, PageRoute, Pages
from .rendering import Renderer
from .surface import surface
from .trouble import Trouble

PAGES: Sequence[Pages] = (
    front.pages,
    ways_in.pages,
    passwords.pages,
    account.pages,
    activity.pages,
    address.pages,
    deletion.pages,
    sessions.pages,
    keys.pages,
    organization.pages,
    members.pages,
    invitations.pages,
    accept.pages,
)


def _shown() -> frozenset[str]:
    """The paths at which something is seen."""
    return frozenset[str]().union(*(group.shown for group in PAGES))


def _ways_back() -> Pages:
    """What is seen where there is only a form to be sent: the page above. A browser that shows a refused form has its
    address in its bar, and asks for that again.
    """
    shown = _shown()
    back = Pages()
    for path in sorted(set[str]().union(*(group.acts for group in PAGES)) - shown):
        above = path
        while above not in shown:
            above = above.rpartition("/")[0] or "/"
        back.show(path)(_leading_to(above))
    return back


def _leading_to(page: str) -> Handler:
    async def way_back(caller: CurrentPageCaller) -> Response:
        return see_other(page)

    return way_back


class Served(NamedTuple):
    """What an application needs to serve pages."""

    surface: Surface
    routes: Sequence[PageRoute]


def served(settings: Settings) -> Served | None:
    """The pages of a service, None where they are off. Reads the operator's files. Raises LookUnusable."""
    if not settings.has_pages:
        return None
    renderer = Renderer(Look.of(settings))
    routes = [route for group in (*PAGES, _ways_back()) for route in group.routes(renderer)]
    return Served(surface(Trouble(renderer, settings), settings, _shown()), routes)
