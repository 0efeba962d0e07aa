"""Pages for people: the one list of them, and how an application serves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
    members,
    organization,
    passwords,
    sessions,
    ways_in,
)
from .look import Look
from .page_route import PageRoute, Pages
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
    organization.pages,
    members.pages,
    invitations.pages,
    accept.pages,
)


class Served(NamedTuple):
    """What an application needs to serve pages."""

    surface: Surface
    routes: Sequence[PageRoute]


def served(settings: Settings) -> Served | None:
    """The pages of a service, None where they are off. Reads the operator's files. Raises LookUnusable."""
    if not settings.has_pages:
        return None
    renderer = Renderer(Look.of(settings))
    routes = [route for group in PAGES for route in group.routes(renderer)]
    return Served(surface(Trouble(renderer, settings), settings), routes)
