"""Surfaces: the ways in which clients of one kind are served, each below a prefix of its own.

All of them pass the one gate. A surface says what it does for a request: as what it is counted, how its body is read,
from which pages it may come, in which form it is refused, and whether a refusal is remembered as an attempt. Health and
documentation are on none: they have neither session nor limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive

from . import body, cross_origin, problems
from .body import Body
from .origins import TrustedOrigins, forbidden_origin
from .problems import Problem
from .redirects import require_trusted_targets
from .request_context import BASE_PATH, RequestContext

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """What is done for every request below `prefix`, which ends with a slash.

    `headers` are those of every answer, `headers_of_nobody` those where nothing is known of the request yet.
    `answers_before` answers, uncounted, what costs nothing: the browser's own question, or where a page is.
    `read_body` raises Problem or ClientGone, `require_trusted` raises Problem or UntrustedTarget; `refuse` gives any
    error its form. `hashing` are the paths of commands that have a password hashed: they are refused while nobody's
    can be, before their body is read.
    `counted_as` is the path under which a request is counted.
    """

    prefix: str
    headers: Callable[[RequestContext, TrustedOrigins], Headers]
    headers_of_nobody: Headers
    answers_before: Callable[[RequestContext, TrustedOrigins], Response | None]
    read_body: Callable[[Receive, RequestContext], Awaitable[Body]]
    require_trusted: Callable[[RequestContext, Body, bytes, TrustedOrigins], None]
    refuse: Callable[[Exception, RequestContext | None], Response]
    hashing: frozenset[str]
    counted: bool
    counted_as: Callable[[RequestContext], str]
    remembers_attempts: bool


def _require_trusted(request: RequestContext, sent: Body, query_string: bytes, origins: TrustedOrigins) -> None:
    """A page we trust, and targets we trust in body and query (wire.md §4)."""
    if code := forbidden_origin(request.method, request.headers, origins):
        raise Problem.of_code(code)
    if request.method != "GET":
        require_trusted_targets(sent.content, query_string, origins)


CONTRACT = Surface(
    prefix=f"{BASE_PATH}/",
    headers=cross_origin.headers_for,
    headers_of_nobody=cross_origin.OF_NOBODY,
    answers_before=cross_origin.preflight,
    read_body=body.read,
    require_trusted=_require_trusted,
    refuse=problems.response_to,
    hashing=frozenset({"/sign-in/email", "/sign-up/email", "/change-password", "/verify-password"}),
    counted=True,
    counted_as=lambda request: request.path,
    remembers_attempts=True,
)
"""Better Auth's contract: JSON, problems with codes, and CORS for pages of trusted origins."""


def of_the_contract(path: str) -> bool:
    """Whether a path is below the contract's prefix, or that without its slash: nobody shall mistake it for a page."""
    return f"{path}/".startswith(CONTRACT.prefix)
