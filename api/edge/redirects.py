"""Redirect targets: where a request may ask to be sent afterwards (wire.md §4.4)."""

from __future__ import annotations

from urllib.parse import parse_qs

from .origins import TrustedOrigins
from .problems import Problem

_REFUSED = {
    "callbackURL": "INVALID_CALLBACK_URL",
    "redirectTo": "INVALID_REDIRECT_URL",
    "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL",
    "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL",
}


def require_trusted_targets(content: object, query_string: bytes, origins: TrustedOrigins) -> None:
    """Every target in the body, and `callbackURL` in the query, must be a place we trust. Raises Problem."""
    fields = content if isinstance(content, dict) else {}
    for name, code in _REFUSED.items():
        _require(name, fields.get(name), code, origins)
    if query_string:
        for target in parse_qs(query_string.decode("latin-1")).get("callbackURL", []):
            _require("callbackURL", target, _REFUSED["callbackURL"], origins)


def _require(name: str, target: object, code: str, origins: TrustedOrigins) -> None:
    if target is None:
        return
    if not isinstance(target, str):
        raise Problem(400, None, f"Invalid {name}: expected a string")
    if not origins.redirect_allowed(target):
        raise Problem.of_code(code)
