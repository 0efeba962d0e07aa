"""The directory of routes: a method and an exact path lead to one of them at once, however many there are.

The framework would ask one route after another, router within router, and the gate once more before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class RouteIndex(BaseRoute):
    """Stands before all the routes of the framework, which go on answering what is not in here."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._others = list[BaseRoute]()
        for route in routes:
            if isinstance(route, Route) and "{" not in route.path:
                for method in route.methods or ():
                    self._exact.setdefault((method, route.path), route)
            else:
                self._others.append(route)

    def leads(self, scope: Scope) -> bool:
        """Whether a route takes exactly this method and path; there is no 405 and no redirect (wire.md §1)."""
        if (scope["method"], scope["path"]) in self._exact:
            return True
        # a pattern's end also matches before a newline, and such a path would be nobody's to limit
        return scope["path"].isprintable() and any(route.matches(scope)[0] is Match.FULL for route in self._others)

    def name(self, scope: Scope) -> str | None:
        """What the route is called that takes exactly this method and path: a command's by the command's name."""
        exact = self._exact.get((scope["method"], scope["path"]))
        return None if exact is None else exact.name

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the framework asks it: fully, if an exact path is in here."""
        route = self._exact.get((scope.get("method", ""), scope["path"]))
        if route is None:
            return Match.NONE, {}
        match, inside = route.matches(scope)
        return match, {**inside, "route": route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer."""
        await scope["route"].handle(scope, receive, send)
