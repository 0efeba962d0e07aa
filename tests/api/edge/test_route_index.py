"""Where a method and a path lead: to one route at once, or nowhere."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from api.edge.contract_route import ContractRoute
from api.edge.route_index import RouteIndex

router = APIRouter(route_class=ContractRoute, prefix="/api")


@router.get("/list")
def listed() -> None:
    """The first of two with this path."""


@router.get("/list")
def listed_again() -> None:
    """Never reached."""


@router.post("/list")
def entered() -> None:
    """Another method of the same path."""


@router.get("/notes/{name}")
def note(name: str) -> None:
    """One of many below a folder."""


@router.get("/notes/newest")
def newest() -> None:
    """One of them that is something else."""


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Below a folder."""


INDEX = RouteIndex([*router.routes, Route("/docs", page), Mount("/static", page)])


def asked(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


def leads(method: str, path: str) -> bool:
    scope = asked(method, path)
    return INDEX.route(scope) is not None or INDEX.framework_answers(scope)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/list"),
        ("POST", "/api/list"),
        ("GET", "/api/notes/a"),
        ("GET", "/api/notes/a b"),
        ("GET", "/api/notes/newest"),
        ("GET", "/docs"),
        ("GET", "/static/a.css"),
        ("HEAD", "/static/a.css"),
    ],
)
def test_these_lead_somewhere(method: str, path: str) -> None:
    assert leads(method, path)


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
        ("POST", "/api/notes/a"),
        ("GET", "/api/notes"),
        ("GET", "/api/notes/a/b"),
        ("GET", "/api/notes/a/"),
        ("GET", "/api//notes/a"),
        ("GET", "/static/a.css\n"),
    ],
)
def test_these_lead_nowhere(method: str, path: str) -> None:
    assert not leads(method, path)


@pytest.mark.parametrize(("method", "endpoint"), [("GET", listed), ("POST", entered)])
def test_the_first_route_of_a_method_and_a_path_answers(method: str, endpoint: object) -> None:
    route = INDEX.route(asked(method, "/api/list"))
    assert route is not None
    assert route.endpoint is endpoint


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/api/notes/a", note), ("/api/notes/newer", note), ("/api/notes/newest", newest)]
)
def test_an_exact_path_comes_before_a_folder(path: str, endpoint: object) -> None:
    route = INDEX.route(asked("GET", path))
    assert route is not None
    assert route.endpoint is endpoint


@pytest.mark.parametrize("path", ["/{name}/notes", "/{name}/{other}", "/notes-{name}"])
def test_only_the_last_part_of_a_path_may_be_a_parameter(path: str) -> None:
    def endpoint(name: str, other: str = "") -> None:
        raise AssertionError

    with pytest.raises(AssertionError, match="only the last part"):
        ContractRoute(path, endpoint)


def test_what_is_not_of_the_contract_is_left_to_the_framework() -> None:
    scope = asked("GET", "/static/a.css")
    assert INDEX.route(scope) is None
    assert INDEX.framework_answers(scope)


def test_each_path_of_the_contract_is_known_once() -> None:
    assert INDEX.paths == {"/api/list", "/api/notes/newest"}
