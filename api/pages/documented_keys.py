"""What `/openapi.json` says of API keys: how who shows one may be refused, said once of all routes of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import BaseRoute

from api.edge.contract_route import ContractRoute
from api.edge.media_type import JSON
from api.edge.problems import STATUS_OF_CODE, message_for
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import KEY_SCOPE
from domain.key_refusals import InvalidKey, KeyDisabled, KeyExpired, NotByKey, ScopeMissing
from domain.refusals import SessionNotFresh

_PROBLEM = {"$ref": "#/components/schemas/ProblemAnswer"}
_OF_ANY_KEY = (
    *((bad.code, STATUS_OF_CODE[bad.code]) for bad in (InvalidKey, KeyDisabled, KeyExpired)),
    # of what is too short for one
    (InvalidKey.code, 403),
    ("API_KEY_IN_URL", STATUS_OF_CODE["API_KEY_IN_URL"]),
)
"""A key is looked at wherever it is shown, before it is asked what for."""


def say_what_keys_are_told(paths: dict[str, dict[str, Any]], routes: Iterable[BaseRoute]) -> None:
    """Add the refusals of keys to all operations of the contract; these are the routes that they belong to."""
    closed = {route.operation_id for route in routes if isinstance(route, ContractRoute) and route.closed_to_keys}
    for path, methods in paths.items():
        for operation in methods.values() if path.startswith(BASE_PATH) else ():
            for code, status in (*_OF_ANY_KEY, *_of_a_good_one(operation, closed=operation["operationId"] in closed)):
                _add(operation["responses"], code, status)


def _of_a_good_one(operation: dict[str, Any], *, closed: bool) -> Iterator[tuple[str, int]]:
    if KEY_SCOPE in operation:
        yield ScopeMissing.code, STATUS_OF_CODE[ScopeMissing.code]
        # where a person has to prove who they are, a program cannot
        closed = SessionNotFresh.code in operation["responses"].get("403", {}).get("description", "")
    if closed:
        yield NotByKey.code, STATUS_OF_CODE[NotByKey.code]


def _add(responses: dict[str, Any], code: str, status: int) -> None:
    answer = responses.setdefault(str(status), {"description": ""})
    described = answer.setdefault("content", {}).setdefault(JSON, {"schema": _PROBLEM, "examples": {}})
    described["examples"][code] = {"value": {"message": message_for(code), "code": code}}
    answer["description"] = ", ".join(filter(None, (answer["description"], code)))
