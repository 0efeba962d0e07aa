"""What `/openapi.json` says of a route's answers: success, and each refusal with its status, code and message."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.edge.problems import STATUS_OF_CODE, message_for, too_many_requests
from domain.password_strength import Weakness
from domain.refusals import TooManyAttempts

MAY_BE_EMPTY = "x-may-be-empty"
"""Marks an answer that comes with the body its media type promises, or with neither body nor media type."""

_ANY_ROUTE = (TooManyAttempts.code, "SERVICE_UNAVAILABLE")
_ANY_BODY = (
    "BAD_REQUEST",
    "UNSUPPORTED_MEDIA_TYPE",
    "PAYLOAD_TOO_LARGE",
    "REQUEST_TIMEOUT",
    "MISSING_OR_NULL_ORIGIN",
    "INVALID_ORIGIN",
    "INVALID_CALLBACK_URL",
    "INVALID_REDIRECT_URL",
    "INVALID_ERROR_CALLBACK_URL",
    "INVALID_NEW_USER_CALLBACK_URL",
)
_AS_SENT = {
    "VALIDATION_ERROR": "[body.email] Invalid email address",
    "BAD_REQUEST": "Invalid JSON in request body",
    "UNSUPPORTED_MEDIA_TYPE": 'Content-Type "text/plain" is not allowed. Allowed types: application/json',
    "PASSWORD_COMPROMISED": Weakness.COMMON.value,
    "ROLE_NOT_FOUND": "ROLE_NOT_FOUND: wizard",
    "FIELD_NOT_ALLOWED": "activeOrganizationId is not allowed to be set",
}
"""Messages that say what was wrong, where others only say what their code says."""
_IN_A_QUERY = "[query.limit] Invalid input"
_SECONDS = {"description": "Seconds until it is worth trying again.", "schema": {"type": "string"}}
_WAITING = {429: ("Retry-After", "X-Retry-After"), 503: ("Retry-After",)}


class ProblemAnswer(TypedDict):
    """Every error that has a body. A few have no code."""

    message: Annotated[str, Field(examples=["Invalid email or password"])]
    code: NotRequired[Annotated[str, Field(examples=["INVALID_EMAIL_OR_PASSWORD"])]]


class Refused(NamedTuple):
    """A refusal as it is answered: by this name, with this status; None for an empty body."""

    name: str
    status: int
    example: ProblemAnswer | None


def at(status: int, code: str) -> Refused:
    """A refusal with another status than its code usually has."""
    return Refused(code, status, _example(code))


def uncoded(status: int, name: str, message: str | None = None) -> Refused:
    """A refusal that goes out without its code: with a message alone or, without one, with an empty body."""
    return Refused(name, status, None if message is None else {"message": message})


_NO_TARGET = uncoded(400, "INVALID_TARGET", "Invalid callbackURL: expected a string")
_HEAD_TOO_LARGE = uncoded(431, "REQUEST_HEADER_FIELDS_TOO_LARGE")


def documented(success: Any, *refusals: str | Refused, body: bool = True) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: `success` (None if it only refuses), these refusals, and those of every route.

    Without a `body` to read, none is refused.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    if success is not None:
        responses[200] = {"model": success, "description": "Success"}
    for refusal in (*refusals, *((*_ANY_BODY, _NO_TARGET) if body else ()), *_ANY_ROUTE, _HEAD_TOO_LARGE):
        name, status, example = at(STATUS_OF_CODE[refusal], refusal) if isinstance(refusal, str) else refusal
        entry = responses.setdefault(status, {"description": ""})
        if name == "VALIDATION_ERROR" and not body:
            example = {"message": _IN_A_QUERY, "code": name}
        if example is None:
            name, entry[MAY_BE_EMPTY] = f"{name} (with an empty body)", True
        else:
            entry["model"] = ProblemAnswer
            content = entry.setdefault("content", {"application/json": {"examples": {}}})
            content["application/json"]["examples"][name] = {"value": example}
        entry["description"] = ", ".join(filter(None, (entry["description"], name)))
        if status in _WAITING:
            entry["headers"] = {header: _SECONDS for header in _WAITING[status]}
    return responses


def _example(code: str) -> ProblemAnswer:
    if code == TooManyAttempts.code:
        return {"message": too_many_requests(1).message or ""}
    return {"message": _AS_SENT.get(code) or message_for(code), "code": code}
