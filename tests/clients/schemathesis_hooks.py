"""What schemathesis is told of this service (run by test_schemathesis.py): who asks, and which answers may be empty.

Who asks has a session or, with SHOWN=apiKey, is a program with a key.
"""

from __future__ import annotations

import os
from itertools import count

import httpx
import schemathesis
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

URL = os.environ["SERVICE"]
SHOWN = os.environ.get("SHOWN", "session")
ENDING = {
    "changePassword",
    "deleteOrganization",
    "deleteUser",
    "leaveOrganization",
    "revokeOtherSessions",
    "revokeSession",
    "revokeSessions",
    "setActiveOrganization",
    "signOut",
}
"""After these a session may be over, or at nothing: they are done by somebody new each time."""

_numbers = count(1)


def somebody() -> str:
    """The token of a new person."""
    fields = {"name": "Ada", "email": f"ada.{os.getpid()}.{next(_numbers)}@example.com", "password": "correct horse 1"}
    token: str = httpx.post(f"{URL}/api/auth/sign-up/email", json=fields, timeout=20).raise_for_status().json()["token"]
    return token


def key_of(token: str) -> str:
    """An API key of whose session this is, for all that keys are for."""
    shown = {"Authorization": f"Bearer {token}", "Origin": URL}
    answer = httpx.post(f"{URL}/api/auth/api-key/create", json={"name": "ci"}, headers=shown, timeout=20)
    key: str = answer.raise_for_status().json()["key"]
    return key


ADA = somebody()
KEY = key_of(ADA)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]) -> None:
    """Whoever asks has a session or a key, and says where they come from; that others are refused is tested elsewhere.

    A key is shown to every operation, those that take none too.
    """
    operation = case.operation.definition.raw
    case.headers["Origin"] = URL
    for made_up in ("Authorization", "x-api-key"):
        case.headers.pop(made_up, None)
    if SHOWN == "apiKey":
        case.headers["x-api-key"] = KEY
    elif "security" in operation:
        token = somebody() if operation["operationId"] in ENDING else ADA
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.check
def documented_or_empty(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Media type and body are those documented, or neither is there where the document marks that: it cannot say so."""
    documented = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if documented.get("x-may-be-empty") and not response.content:
        assert "content-type" not in response.headers
        return
    content_type_conformance(ctx, response, case)
    response_schema_conformance(ctx, response, case)
