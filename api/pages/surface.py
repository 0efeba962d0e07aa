"""The surface of pages: forms from our own pages, answers that a browser runs nothing of, errors that people read."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import RedirectResponse, Response

from api.edge import body
from api.edge.body import Body
from api.edge.origins import TrustedOrigins, forbidden_origin, forbidden_sign_in
from api.edge.problems import Problem
from api.edge.request_context import RequestContext
from api.edge.surfaces import Surface
from api.settings import Settings

from .look import ASSETS
from .trouble import Trouble

# what a page says in its address (a link's secret) is told to no other site, and yet our forms say where they come from
_ALWAYS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_NOT_OF_FILES = (b"vary", b"Accept-Language, Cookie")
"""Files are the same for everybody: a browser that heard this would fetch them anew with each cookie it is given."""
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
HASHING = frozenset(
    {
        "/sign-in",
        "/sign-up",
        "/reset-password",
        "/account/password",
        "/account/sessions/new-password",
        "/account/delete",
    }
)
"""Forms by which a password is hashed."""


def surface(trouble: Trouble, settings: Settings, shown: Collection[str]) -> Surface:
    """The pages of one service, which are `shown` at these paths."""
    of_files = (*_ALWAYS, _HTTPS_ONLY) if settings.secure else _ALWAYS
    headers = (*of_files, _NOT_OF_FILES)
    return Surface(
        prefix="/",
        headers=lambda request, origins: of_files if request.path.startswith(ASSETS) else headers,
        headers_of_nobody=headers,
        answers_before=lambda request, origins: _without_slash(request, shown),
        read_body=body.read_form,
        require_trusted=_require_our_page,
        refuse=trouble.response_to,
        hashing=HASHING,
        counted=True,
        counted_as=_counted_as,
        remembers_attempts=True,
    )


def _without_slash(request: RequestContext, shown: Collection[str]) -> Response | None:
    """The way to a page for who wrote a slash behind its path; only to one of ours, so never to another host."""
    page = request.path.removesuffix("/")
    if request.method not in ("GET", "HEAD") or page == request.path or page == "/" or page not in shown:
        return None
    query = request.query_string.decode("latin-1")
    return RedirectResponse(f"{page}?{query}" if query else page, 308)


def _require_our_page(request: RequestContext, _sent: Body, _query_string: bytes, origins: TrustedOrigins) -> None:
    """Forms come from pages we trust, with a cookie and without (wire.md §4.1, §4.2). Where they lead to is looked at
    by whoever leads there.
    """
    if request.method != "POST":
        return
    headers = request.headers
    if code := forbidden_origin(request.method, headers, origins) or forbidden_sign_in(headers, origins):
        raise Problem.of_code(code)


def _counted_as(request: RequestContext) -> str:
    """Looking at a page is no try at what its form does."""
    return request.path if request.method == "POST" else f"{request.method} {request.path}"
