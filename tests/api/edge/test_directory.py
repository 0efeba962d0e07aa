"""Where a method and a path lead: to one route at once, or nowhere."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from starlette.routing import Match, Mount, Route
from starlette.types import Receive, Scope, Send

from api.edge.route_index import RouteIndex

router = APIRouter(prefix="/api")


@router.get("/list")
def listed() -> None:
    """The first of two with this path."""


@router.get("/list")
def listed_again() -> None:
    """Never reached."""


@router.post("/list")
def entered() -> None:
    """Another method of the same path."""


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Below a folder."""


DIRECTORY = RouteIndex([*router.routes, Route("/docs", page), Mount("/static", page)])


def asked(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/list"),
        ("POST", "/api/list"),
        ("GET", "/docs"),
        ("GET", "/static/a.css"),
        ("HEAD", "/static/a.css"),
    ],
)
def test_these_lead_somewhere(method: str, path: str) -> None:
    assert DIRECTORY.leads(asked(method, path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/list"),
        ("HEAD", "/api/list"),
        ("GET", "/api/list/"),
        ("GET", "/api/list\n"),
        ("GET", "/api//list"),
        ("GET", "/API/list"),
        ("GET", "/list"),
        ("GET", "/static/a.css\n"),
    ],
)
def test_these_lead_nowhere(method: str, path: str) -> None:
    assert not DIRECTORY.leads(asked(method, path))


@pytest.mark.parametrize(("method", "endpoint"), [("GET", listed), ("POST", entered)])
def test_the_first_route_of_a_method_and_a_path_answers(method: str, endpoint: object) -> None:
    match, inside = DIRECTORY.matches(asked(method, "/api/list"))
    assert (match, inside["endpoint"], inside["route"].endpoint) == (Match.FULL, endpoint, endpoint)


def test_what_is_not_exact_is_left_to_the_framework() -> None:
    assert DIRECTORY.matches(asked("GET", "/static/a.css")) == (Match.NONE, {})
