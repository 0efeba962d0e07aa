"""Whether the service is alive and ready, and how the log is, for whoever watches over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import psycopg
from fastapi import APIRouter, Request
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from pydantic import ConfigDict, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from api.deliveries.channels import kinds_sent
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse
from api.edge.problems import UNAVAILABLE
from api.edge.request_context import BASE_PATH
from api.edge.services import Services
from api.stopping import STOPPING
from domain.store.requirements import keys_still_fit
from domain.store.servers import read_only
from projections.deliveries.ended import GIVEN_UP_COUNTED, DeliveryCondition, delivery_condition, leaving
from projections.maintenance.condition import Condition, condition

from .documented import documented

contract = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["health"])
operations = APIRouter(tags=["health"])

PATIENCE = 10.0
"""Seconds the sequencer or a follower may lie behind before the log is called `behind`."""


PATIENCE_FOR_MAIL = 300.0
"""Seconds for which mail may wait, and none have left, before mail is called `degraded`."""

_READY: dict[str, Any] = {
    "ready": True,
    "database": "ok",
    "history": "ok",
    "log": {
        "head": 1024,
        "secondsWaiting": 0.0,
        "followers": {"journal": {"position": 1024, "secondsBehind": 0.0, "setAside": 0}},
    },
    "drift": {"account_list": 0},
    "mail": {"status": "ok", "secondsWaiting": 0.0},
}
_STOPPING = {**_READY, "ready": False}
_METRICS = """\
# HELP daybook_log_head Newest position of the log, -1 while it is empty.
# TYPE daybook_log_head gauge
daybook_log_head 1024.0
"""


class OkAnswer(TypedDict):
    """The service answers."""

    ok: bool


class AliveAnswer(TypedDict):
    """The process runs."""

    status: Literal["alive"]


class FollowerAnswer(TypedDict):
    """A follower of the log: the position it has taken in, how old the next entry is, what it could not take in."""

    position: int
    secondsBehind: float
    setAside: int


class LogAnswer(TypedDict):
    """The log: its newest position (-1 while empty), the age of the oldest event not in it yet, and who follows it."""

    head: int
    secondsWaiting: float
    followers: dict[str, FollowerAnswer]


class MailAnswer(TypedDict):
    """Whether mail leaves: it is `degraded` where some has waited for five minutes, and none has left for as long; or
    where within an hour three or more were given up, and none has left since.
    """

    status: Literal["ok", "degraded"]
    secondsWaiting: float


@with_config(ConfigDict(json_schema_extra={"examples": [_READY]}))
class ReadyAnswer(TypedDict):
    """Whether requests can be served. `database` is `away` while it does not answer or is not fit to serve from,
    `read-only` while a server answers but takes no writes (a standby, or one whose operator forbids them), and
    `other keys` while what stands in it was sealed with other keys than this node holds.

    `history` is `ok`, or `behind` (sequencer or a follower late by more than ten seconds), or `damaged` (events set
    aside, or rows that do not say what their events say); requests are served all the same. `drift` counts such rows.
    `mail` is null where this node sends none; requests are served whatever it says.
    A server that is about to stop is not `ready`, whatever the rest says.
    """

    ready: bool
    database: Literal["ok", "away", "read-only", "other keys"]
    history: Literal["ok", "behind", "damaged", "unknown"]
    log: LogAnswer | None
    drift: dict[str, int]
    mail: MailAnswer | None


@contract.get("/ok", operation_id="ok", summary="The service answers", responses=documented(OkAnswer, body=False))
async def ok() -> JsonResponse:
    return JsonResponse(OkAnswer(ok=True))


# monitors ask with HEAD; the server leaves the body out (RFC 9110 §9.3.2)
@operations.head("/healthz", include_in_schema=False)
@operations.get("/healthz", operation_id="healthz", summary="The process runs", responses={200: {"model": AliveAnswer}})
async def healthz() -> JsonResponse:
    return JsonResponse(AliveAnswer(status="alive"))


@operations.head("/readyz", include_in_schema=False)
@operations.get(
    "/readyz",
    operation_id="readyz",
    summary="Requests can be served; how the log is",
    responses={
        200: {"model": ReadyAnswer},
        503: {
            "model": ReadyAnswer,
            "description": "Not yet, or not any more",
            "content": {"application/json": {"example": _STOPPING}},
        },
    },
)
def readyz(request: Request) -> JsonResponse:
    now = _condition(request)
    if now is None:
        why = _why_not(request)
        away = ReadyAnswer(ready=False, database=why, history="unknown", log=None, drift={}, mail=None)
        return JsonResponse(away, 503, {"Retry-After": "1"})
    if not _keys_fit(request):
        other = ReadyAnswer(ready=False, database="other keys", history="unknown", log=None, drift={}, mail=None)
        return JsonResponse(other, 503, {"Retry-After": "1"})
    log = LogAnswer(
        head=now.head,
        secondsWaiting=round(now.seconds_waiting, 3),
        followers={
            one.name: FollowerAnswer(
                position=one.position, secondsBehind=round(one.seconds_behind, 3), setAside=one.set_aside
            )
            for one in now.followers
        },
    )
    history: Literal["ok", "behind", "damaged"] = (
        "damaged" if now.damaged else "behind" if now.seconds_behind > PATIENCE else "ok"
    )
    ready = not STOPPING.is_set()
    told = ReadyAnswer(ready=ready, database="ok", history=history, log=log, drift=now.drift, mail=_mail(request))
    return JsonResponse(told, 200 if ready else 503, {} if ready else {"Retry-After": "1"})


@operations.head("/metrics", include_in_schema=False)
@operations.get(
    "/metrics",
    operation_id="metrics",
    summary="The log and deliveries in numbers, for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": _METRICS}}},
        503: {"description": "Not now"},
    },
)
def metrics(request: Request) -> Response:
    now = _condition(request)
    due = None if now is None else _deliveries(request)
    if now is None or due is None:
        return Response(status_code=503, headers={"Retry-After": "1"})
    registry = CollectorRegistry()
    registry.register(_Numbers(now, due))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Numbers(Collector):
    """The condition of the log and of deliveries, the same whichever worker or node is asked."""

    def __init__(self, now: Condition, due: list[DeliveryCondition]) -> None:
        self._now, self._due = now, due

    def collect(self) -> Iterator[Metric]:
        now = self._now
        yield _gauge("daybook_log_head", "Newest position of the log, -1 while it is empty.", now.head)
        yield _gauge(
            "daybook_log_waiting_seconds", "Age of the oldest event that is not in the log yet.", now.seconds_waiting
        )
        for name, text, values in (
            ("position", "Position a follower has taken in.", {f.name: float(f.position) for f in now.followers}),
            ("behind_seconds", "Age of a follower's next entry.", {f.name: f.seconds_behind for f in now.followers}),
            (
                "set_aside_events",
                "Events a follower could not take in.",
                {f.name: float(f.set_aside) for f in now.followers},
            ),
            ("restarts", "How often a follower began again.", {f.name: float(f.restarts) for f in now.followers}),
        ):
            yield _labelled(f"daybook_follower_{name}", text, "follower", values)
        for name, text, values in (
            ("waiting", "Messages that are still to be sent.", {one.kind: float(one.waiting) for one in self._due}),
            ("waiting_seconds", "For how long one of them is.", {one.kind: one.seconds_waiting for one in self._due}),
            ("given_up", "Messages tried in vain.", {one.kind: float(one.given_up) for one in self._due}),
        ):
            yield _labelled(f"daybook_deliveries_{name}", text, "kind", values)
        drift = {table: float(rows) for table, rows in now.drift.items()}
        yield _labelled("daybook_drift_rows", "Rows that do not say what their events say.", "table", drift)


def _gauge(name: str, text: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, text)
    gauge.add_metric([], value)
    return gauge


def _labelled(name: str, text: str, label: str, values: dict[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge


def _condition(request: Request) -> Condition | None:
    """The log's condition; None while the database does not answer."""
    services: Services | None = request.app.state.services
    if services is None:
        return None
    try:
        return condition(services.context.store.statements)
    except UNAVAILABLE:
        return None


def _deliveries(request: Request) -> list[DeliveryCondition] | None:
    """How deliveries are, of the kinds that this node sends; None while the database does not answer."""
    services: Services | None = request.app.state.services
    if services is None:
        return None
    try:
        known = delivery_condition(services.context.store.statements)
    except UNAVAILABLE:
        return None
    # what nobody is to send only waits until it is dropped
    return [one for one in known if one.kind in kinds_sent(services.settings)]


def _mail(request: Request) -> MailAnswer | None:
    """Whether it leaves from here; None where none is to, or while the database does not answer."""
    services: Services = request.app.state.services
    kinds = kinds_sent(services.settings)
    if not kinds:
        return None
    try:
        now = leaving(services.context.store.statements, kinds)
    except UNAVAILABLE:
        return None
    since = now.seconds_since_sent
    stuck = now.seconds_waiting > PATIENCE_FOR_MAIL and (since is None or since > PATIENCE_FOR_MAIL)
    stuck = stuck or now.lately_given_up >= GIVEN_UP_COUNTED
    return MailAnswer(status="degraded" if stuck else "ok", secondsWaiting=round(max(0.0, now.seconds_waiting), 3))


def _keys_fit(request: Request) -> bool:
    context = request.app.state.services.context
    try:
        return keys_still_fit(context.store.statements, context.keyring)
    except UNAVAILABLE:
        # gone since it was asked for its condition: the next look will say so
        return True


def _why_not(request: Request) -> Literal["away", "read-only"]:
    """QueryModel anew, since a server that takes no writes is not let into the pool."""
    services: Services | None = request.app.state.services
    if services is None:
        return "away"
    try:
        return "read-only" if read_only(str(services.pool.conninfo)) else "away"
    except psycopg.OperationalError:
        return "away"
