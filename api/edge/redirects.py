"""Redirect targets: where a request may ask to be sent afterwards (wire.md §4.4)."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit, urlunsplit

from starlette.responses import Response

from .origins import TrustedOrigins
from .problems import STATUS_OF_CODE, Problem
from .request_context import BASE_PATH

CONFIRM_ADDRESS = "/confirm-address"
"""The page that asks whether an address is theirs who opened a link."""
_REFUSED = {
    "callbackURL": "INVALID_CALLBACK_URL",
    "redirectTo": "INVALID_REDIRECT_URL",
    "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL",
    "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL",
}


class UntrustedTarget(Problem):
    """A request that asked to be sent to a place we do not trust."""

    def __init__(self, code: str, target: str) -> None:
        super().__init__(STATUS_OF_CODE[code], code)
        self.target = target


def require_trusted_targets(content: object, query_string: bytes, origins: TrustedOrigins) -> None:
    """Every target in the body, and `callbackURL` in the query, must be a place we trust.

    Raises UntrustedTarget, or the Problem of a target that is no text.
    """
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
        raise UntrustedTarget(code, target)


def require_page(target: str, origins: TrustedOrigins, *, ours: str = "") -> None:
    """A link may lead there in the end: a place we trust, or the page the settings name. Raises UntrustedTarget."""
    if target != ours:
        _require("callbackURL", target, _REFUSED["callbackURL"], origins)


def error_page_of(origin: str) -> str:
    """Where a link leads that leads nowhere else."""
    return f"{origin}{BASE_PATH}/error"


def redirect(target: str, origin: str, **said: str) -> Response:
    """302 to a page we trust, with this in its query. What stands in its address goes to no other site."""
    url = urlsplit(urljoin(f"{origin}/", target))
    query = "&".join(filter(None, (url.query, urlencode(said))))
    location = quote(urlunsplit(url._replace(query=query)), safe="%/:?#[]@!$&'()*+,;=~")
    headers = {"Location": location, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Response(status_code=302, headers=headers)
