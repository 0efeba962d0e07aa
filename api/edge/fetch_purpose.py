"""What a browser fetches a link for: one that acts when it is opened acts for who opens it only (wire.md A42)."""

from __future__ import annotations

from .problems import Problem
from .request_context import TWICE, RequestContext

_AHEAD = (("sec-purpose", "prefetch"), ("sec-purpose", "prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch"))
"""What browsers say of what they fetch before anybody wants it (Fetch §3.8; older ones, Chromium's and Mozilla's)."""
_OPENED = {"document", "empty"}
"""Where a link is opened: by itself, or by the script of a page (Fetch Metadata §2.1)."""


def require_opened(request: RequestContext) -> None:
    """The link is not fetched ahead of a person who may open it, nor beside a page, as its picture or its frame.

    What says nothing of that is taken for a person: programs and old browsers. Raises Problem, an empty 400.
    """
    headers = request.headers
    ahead = any(word in headers.get(name, "").lower() for name, word in _AHEAD)
    beside = not _OPENED.issuperset(headers.get("sec-fetch-dest", "empty").split(TWICE))
    if ahead or beside:
        raise Problem(400)


def require_opened_by_hand(request: RequestContext) -> None:
    """The same of a link that takes a session: no script of another site fetches it. Raises Problem, an empty 400."""
    require_opened(request)
    sites, mode = request.headers.get("sec-fetch-site", "").split(TWICE), request.headers.get("sec-fetch-mode")
    if "cross-site" in sites and mode != "navigate":
        raise Problem(400)
