"""Hints to the operator about what is refused or lost: more often by a forgotten setting than in an attack."""

from __future__ import annotations

import logging
import re
from collections import defaultdict

from .cookies import SessionCookies, browser_drops
from .cross_origin import is_preflight, not_allowed
from .key_shown import IN_URL
from .origins import INVALID_ORIGIN, TrustedOrigins, origin_of, untrusted_senders
from .request_context import RequestContext

_MOST = 20
"""Values of a kind that are told of; whoever makes them up does not fill the log."""
_LONGEST = 270
"""Characters of a value: a scheme, the longest host name there is (RFC 1035 §2.3.4) and a port."""
_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}")
_PATH = re.compile(r"[a-z0-9/-]{1,64}")
_SIGNING_IN = frozenset({"/sign-in/email", "/sign-up/email"})

_PAGE = "Pages of %s are refused: neither DAYBOOK_BASE_URL (%s) nor DAYBOOK_TRUSTED_ORIGINS names their origin."
_TARGET = "Redirects to %s are refused: neither DAYBOOK_BASE_URL (%s) nor DAYBOOK_TRUSTED_ORIGINS names that origin."
_HEADER = (
    "Pages of other origins are refused the header %s, trusted or not, and no setting allows it: let them leave it "
    "out, or serve them from DAYBOOK_BASE_URL (%s), where browsers do not ask."
)
_KEY_IN_URL = (
    "Requests to %s with an API key in their address are refused: whoever keeps addresses has it. Let programs send it "
    "to %s as x-api-key, and its owner make a new one."
)
_COOKIE_LOST = {
    "site": (
        "Who signs in from a page of %s stays signed out: that is another site than DAYBOOK_BASE_URL (%s), so browsers "
        "drop the cookie. Set DAYBOOK_COOKIE_SAME_SITE=None, for which the base URL has to be https, serve both from "
        "one site, or let the page use the bearer token."
    ),
    "scheme": (
        "Who signs in from a page of %s stays signed out: DAYBOOK_BASE_URL (%s) is https, so browsers drop the cookie "
        "over http. Let people come over https, or set DAYBOOK_BASE_URL to the http address they use."
    ),
}

_logger = logging.getLogger("daybook")


class OperatorHints:
    """Tells of each kind and value once, in one line, of so many at most. Belongs to the event loop.

    Of an address only its origin is told, and what is no plain one no browser has sent: it is not told at all.
    """

    def __init__(self, origins: TrustedOrigins, cookies: SessionCookies) -> None:
        self._origins, self._cookies = origins, cookies
        self._told = defaultdict[str, set[str]](set)

    def answered(self, request: RequestContext) -> None:
        """A request got its answer: what of it was refused, or will be by the browser, for a setting?"""
        if request.refused_with == IN_URL:
            self._tell(_KEY_IN_URL, request.path if _PATH.fullmatch(request.path) else None)
        origin = request.headers.get("origin", "")
        if not origin and request.refused_with != INVALID_ORIGIN:
            return
        preflight = is_preflight(request)
        if request.refused_with == INVALID_ORIGIN or preflight or request.headers.get("sec-fetch-mode") == "cors":
            # refused by us, or the answer by the browser
            for sender in untrusted_senders(request.headers, self._origins):
                self._tell(_PAGE, origin_of(sender))
        if preflight and self._origins.trusts(origin):
            for name in not_allowed(request):
                self._tell(_HEADER, name if _HEADER_NAME.fullmatch(name) else None)
        if request.path in _SIGNING_IN and request.set_cookies:
            why = browser_drops(request.headers, self._cookies, self._origins.base_url)
            if why is not None:
                self._tell(_COOKIE_LOST[why], origin_of(origin))

    def target_refused(self, target: str) -> None:
        """A request asked to be sent there afterwards, and was refused."""
        self._tell(_TARGET, origin_of(target))

    def _tell(self, hint: str, value: str | None) -> None:
        told = self._told[hint]
        if value is None or len(value) > _LONGEST or value in told or len(told) >= _MOST:
            return
        told.add(value)
        _logger.warning(hint, value, self._origins.base_url)
