"""The index of routes: a method and an exact path lead to one of them at once, however many there are."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from .contract_route import ContractRoute


class RouteIndex:
    """Routes of the contract by method and path, and those that the web framework answers, which are few.

    Of a few only the folder is known: what the last part of the path says is for them to read.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._contract: dict[tuple[str, str], ContractRoute] = {}
        self._folders: dict[tuple[str, str], ContractRoute] = {}
        self._others = list[BaseRoute]()
        for route in routes:
            if isinstance(route, ContractRoute):
                index, path = (self._folders, route.folder) if route.folder else (self._contract, route.path)
                for method in route.methods or ():
                    index.setdefault((method, path), route)
            else:
                self._others.append(route)
        self.paths = frozenset(path for _, path in self._contract)
        """Those that some route of the contract answers exactly, whatever the method."""

    def route(self, scope: Scope) -> ContractRoute | None:
        """The route that takes exactly this method and path; there is no 405 and no redirect (wire.md §1)."""
        method, path = scope["method"], scope["path"]
        return self._contract.get((method, path)) or self._folders.get((method, path[: path.rfind("/") + 1]))

    def framework_answers(self, scope: Scope) -> bool:
        """Whether a route of the web framework takes exactly this method and path."""
        # a pattern's end also matches before a newline, and such a path would be nobody's to limit
        return scope["path"].isprintable() and any(route.matches(scope)[0] is Match.FULL for route in self._others)
