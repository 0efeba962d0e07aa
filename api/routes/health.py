"""Whether the service is alive and ready, for whoever watches over it."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from typing_extensions import TypedDict

from api.edge.answers import Answer
from api.edge.daybook import Daybook
from api.edge.problems import UNAVAILABLE

contract = APIRouter(tags=["health"])
operations = APIRouter(tags=["health"])


class OkAnswer(TypedDict):
    """The service answers."""

    ok: bool


class AliveAnswer(TypedDict):
    """The process runs."""

    status: Literal["alive"]


class ReadyAnswer(TypedDict):
    """Whether requests can be served. `database` is `away` while it does not answer or is not fit to serve from."""

    ready: bool
    database: Literal["ok", "away"]


@contract.get("/ok", summary="The service answers", responses={200: {"model": OkAnswer}})
async def ok() -> Answer:
    return Answer(OkAnswer(ok=True))


@operations.get("/healthz", summary="The process runs", responses={200: {"model": AliveAnswer}})
async def healthz() -> Answer:
    return Answer(AliveAnswer(status="alive"))


@operations.get(
    "/readyz",
    summary="Requests can be served",
    responses={200: {"model": ReadyAnswer}, 503: {"model": ReadyAnswer, "description": "Not yet, or not any more"}},
)
def readyz(request: Request) -> Answer:
    daybook: Daybook | None = request.app.state.daybook
    ready = daybook is not None and _answers(daybook)
    answer = ReadyAnswer(ready=ready, database="ok" if ready else "away")
    return Answer(answer, 200 if ready else 503, None if ready else {"Retry-After": "1"})


def _answers(daybook: Daybook) -> bool:
    try:
        daybook.context.store.statements.rows("SELECT")
    except UNAVAILABLE:
        return False
    return True
