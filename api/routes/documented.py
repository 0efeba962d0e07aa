"""What `/openapi.json` says of a route's answers: success, and each refusal with its status, code and message."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from api.edge.problems import STATUS_OF_CODE, message_for, too_many_requests
from domain.refusals import TooManyAttempts

_ANY_ROUTE = (TooManyAttempts.code, "SERVICE_UNAVAILABLE")
_ANY_BODY = (
    "BAD_REQUEST",
    "UNSUPPORTED_MEDIA_TYPE",
    "PAYLOAD_TOO_LARGE",
    "REQUEST_TIMEOUT",
    "MISSING_OR_NULL_ORIGIN",
    "INVALID_ORIGIN",
    "INVALID_CALLBACK_URL",
)


class ProblemAnswer(TypedDict):
    """Every error that has a body. A few have no code."""

    message: str
    code: NotRequired[str]


def documented(success: Any, *codes: str, body: bool = True) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: `success` (None if it only refuses), these codes, and those of every route."""
    responses: dict[int | str, dict[str, Any]] = {}
    if success is not None:
        responses[200] = {"model": success, "description": "Success"}
    for code in (*codes, *(_ANY_BODY if body else ()), *_ANY_ROUTE):
        status = STATUS_OF_CODE[code]
        entry = responses.setdefault(
            status, {"model": ProblemAnswer, "content": {"application/json": {"examples": {}}}}
        )
        examples = entry["content"]["application/json"]["examples"]
        examples[code] = {"value": _example(code)}
        entry["description"] = ", ".join(examples)
    return responses


def _example(code: str) -> ProblemAnswer:
    if code == TooManyAttempts.code:
        return {"message": too_many_requests(1).message or ""}
    return {"message": message_for(code), "code": code}
