"""How a session is shown, as `/openapi.json` says it (OpenAPI 3.1 §4.8.27, §4.8.30)."""

from __future__ import annotations

from typing import Any

SESSION_NEEDED: dict[str, Any] = {"security": [{"cookie": []}, {"bearer": []}]}
"""Of an operation that nobody is let in to without a session."""
SESSION_USED: dict[str, Any] = {"security": [{}, {"cookie": []}, {"bearer": []}]}
"""Of an operation that does something else without one."""

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "`token` of a sign-up or sign-in, or `set-auth-token`. Browsers use the cookie instead.",
}


def session_schemes(cookie: str) -> dict[str, Any]:
    """The two ways to show a session: by the cookie of this name, or as a bearer token."""
    described = "Set by sign-up and sign-in; a page on the same site sends it by itself."
    return {"cookie": {"type": "apiKey", "in": "cookie", "name": cookie, "description": described}, "bearer": _BEARER}
