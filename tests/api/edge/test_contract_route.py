"""A route of the contract takes what its types say, and nothing that only the framework could give it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, cast

import pytest
from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.responses import Response

from api.edge.body import Body
from api.edge.contract_route import ContractRoute
from api.edge.query import ExactQuery
from api.edge.request_context import RequestContext
from domain.store.envelope import WhereFrom
from tests.people import NOON

router = APIRouter(route_class=ContractRoute)


class Which(ExactQuery):
    """A query."""

    name: str
    limit: int = 10


class Form(BaseModel):
    """A body."""

    name: str


@router.get("/both")
def both(query: Annotated[Which, Query()], form: Form) -> Response:
    """Says what it was given, from a thread."""
    return Response(f"{query.name} {query.limit} {form.name}")


@router.get("/none")
async def none() -> Response:
    """Says nothing, on the event loop."""
    return Response("")


BOTH, NONE = (route for route in router.routes if isinstance(route, ContractRoute))
NOTHING, ADA = Body(), Body(b'{"name":"Ada"}', {"name": "Ada"})


def answer(route: ContractRoute, query: bytes = b"", body: Body = NOTHING) -> bytes:
    """What a route answers that looks at nobody's session."""
    request = RequestContext("POST", "/both", NOON, {}, WhereFrom("", ""))
    return bytes(asyncio.run(route.answer(cast(Any, None), request, query, body)).body)


def test_it_is_given_its_query_and_its_body() -> None:
    assert answer(BOTH, b"name=Bo&limit=3", ADA) == b"Bo 3 Ada"
    assert answer(BOTH, b"name=B%C3%B6&unknown=1&unknown=2", ADA) == "Bö 10 Ada".encode()
    assert answer(NONE) == b""
    assert (BOTH.on_the_loop, NONE.on_the_loop) == (False, True)


@pytest.mark.parametrize(
    ("query", "body", "where"),
    [
        (b"", ADA, ("query", "name")),
        (b"name=Bo&limit=x", ADA, ("query", "limit")),
        (b"name=Bo&name=Cy", ADA, ("query", "name")),
        (b"name=Bo", NOTHING, ("body",)),
        (b"name=Bo", Body(b"[]", []), ("body",)),
        (b"name=Bo", Body(b"{}", {}), ("body", "name")),
    ],
)
def test_what_is_wrong_is_told_with_its_place(query: bytes, body: Body, where: tuple[str, ...]) -> None:
    with pytest.raises(RequestValidationError) as wrong:
        answer(BOTH, query, body)
    assert [one["loc"] for one in wrong.value.errors()] == [where]


def test_what_only_the_framework_could_give_is_refused_at_the_start() -> None:
    def asks_for_the_request(request: Request) -> Response:
        raise NotImplementedError

    with pytest.raises(TypeError, match="takes no request"):
        ContractRoute("/odd", asks_for_the_request)
    with pytest.raises(TypeError, match="has no dependencies"):
        ContractRoute("/odd", none, dependencies=[Depends(none)])
