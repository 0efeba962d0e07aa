"""What schemathesis is told of this service (run by test_schemathesis.py): who asks, and which answers may be empty."""

from __future__ import annotations

import os
from itertools import count

import httpx
import schemathesis
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

URL = os.environ["SERVICE"]
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


ADA = somebody()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]) -> None:
    """Whoever asks has a session, and says where they come from; that others are refused is tested elsewhere."""
    operation = case.operation.definition.raw
    token = somebody() if operation["operationId"] in ENDING else ADA
    case.headers["Origin"] = URL
    if "security" in operation:
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
