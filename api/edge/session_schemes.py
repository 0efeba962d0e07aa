"""How a session or an API key is shown, as `/openapi.json` says it (OpenAPI 3.1 §4.8.27, §4.8.30); what keys open."""

from __future__ import annotations

from typing import Any

SESSION_NEEDED: dict[str, Any] = {"security": [{"cookie": []}, {"bearer": []}]}
"""Of an operation that nobody is let in to without a session."""
SESSION_USED: dict[str, Any] = {"security": [{}, {"cookie": []}, {"bearer": []}]}
"""Of an operation that does something else without one."""

KEY_SCOPE = "x-api-key-scope"
"""Of an operation that programs may call: the scope that this takes, or `EVERYTHING`. Without it no key opens it."""
EVERYTHING = "everything"
"""Said of a key that may do all that its owner may, in all their organizations."""


def by_key(scope: str) -> dict[str, Any]:
    """Of an operation that is open to people with a session, and to programs with a key of this scope."""
    return {"security": [{"cookie": []}, {"bearer": []}, {"apiKey": []}], KEY_SCOPE: scope}


_KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "x-api-key",
    "description": "A key of `POST /api-key/create`, for programs. `x-api-key-scope` says which scope it takes.",
}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "`token` of a sign-up or sign-in, or `set-auth-token`. Browsers use the cookie instead.",
}


def session_schemes(cookie: str) -> dict[str, Any]:
    """The ways to be let in: a session by the cookie of this name, or as a bearer token; and an API key."""
    described = "Set by sign-up and sign-in; a page on the same site sends it by itself."
    return {
        "cookie": {"type": "apiKey", "in": "cookie", "name": cookie, "description": described},
        "bearer": _BEARER,
        "apiKey": _KEY,
    }
