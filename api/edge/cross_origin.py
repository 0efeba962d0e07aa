"""CORS: pages of trusted origins may read our answers, for all others there is none (wire.md A19)."""

from __future__ import annotations

from starlette.responses import Response

from .origins import TrustedOrigins
from .request_context import RequestContext

Headers = list[tuple[bytes, bytes]]

_DEPENDS = (b"vary", b"Origin")
OF_NOBODY = ((b"cache-control", b"no-store"), _DEPENDS)
"""What an answer says where nothing is known of the request yet, nor of the origins that are trusted."""
_ALLOWED = ("content-type", "authorization")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": ", ".join(_ALLOWED),
    "Access-Control-Max-Age": "600",
}


def headers_for(request: RequestContext, origins: TrustedOrigins) -> Headers:
    """What an answer says to the browser of a trusted page; to any other, that it depends on the page."""
    origin = request.headers.get("origin")
    if origin is None or not origins.trusts(origin):
        return [_DEPENDS]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"set-auth-token, retry-after, x-retry-after"),
        _DEPENDS,
    ]


def preflight(request: RequestContext, origins: TrustedOrigins) -> Response | None:
    """The answer to a trusted page that asks what it may send; None for anybody else."""
    if not is_preflight(request) or not origins.trusts(request.headers.get("origin", "")):
        return None
    return Response(status_code=204, headers=_PREFLIGHT)


def is_preflight(request: RequestContext) -> bool:
    """Whether a browser asks what a page may send (Fetch §4.8)."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def not_allowed(request: RequestContext) -> list[str]:
    """The headers that a preflight asks for and no page may send, in lower case."""
    asked = request.headers.get("access-control-request-headers", "").lower().split(",")
    return [name for name in map(str.strip, asked) if name and name not in _ALLOWED]
