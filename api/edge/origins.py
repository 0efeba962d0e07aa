"""Origins: which pages may send us a browser's cookies, and where a redirect may lead (wire.md §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from .request_context import TWICE

MISSING_OR_NULL_ORIGIN = "MISSING_OR_NULL_ORIGIN"
INVALID_ORIGIN = "INVALID_ORIGIN"
CROSS_SITE_NAVIGATION_LOGIN_BLOCKED = "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"

_DEFAULT_PORT = {"http": 80, "https": 443}
_FETCH_METADATA = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")

# Narrower than the URL standard on purpose: what a lenient parser would repair (userinfo, backslashes, control
# characters, percent-encoded or non-ASCII hosts) is where two parsers disagree about the host, so it is no URL here.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)|\[(?P<ipv6>[0-9a-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?#][^\x00-\x1f\x7f-\x9f\\]*)?",
    re.IGNORECASE | re.ASCII,
)
_BACKSLASH_OR_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_IPV4_PATTERN = re.compile(r"(?:[^/]*://)?(?=[^:]*[0-9])[0-9.*?]+(?::[0-9*?]*)?")


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class TrustedOrigins:
    """Our own origin and the configured ones.

    A pattern may hold `*` (any run of characters) and `?` (any one). With a scheme it is matched against the whole
    origin, without against host and port, http or https alike. Only http and https can be trusted.
    """

    base_url: str
    patterns: tuple[str, ...] = ()

    def trusts(self, url_or_origin: str) -> bool:
        """Whether the origin of this URL is ours or configured; anything that is no plain URL is not."""
        origin = _origin_of(url_or_origin)
        if origin is None:
            return False
        return origin == _origin_of(self.base_url) or any(_matches(pattern, origin) for pattern in self.patterns)

    def redirect_allowed(self, target: str) -> bool:
        """Whether a callback may lead there: a trusted URL or a path on our own host (wire.md §4.4).

        An empty target counts as none given: there is nothing to refuse.
        """
        if not target.startswith("/"):
            return not target or self.trusts(target)
        path = re.split(r"[?#]", target, maxsplit=1)[0].lower()
        return not (target.startswith("//") or _BACKSLASH_OR_CONTROL.search(target) or "%2f" in path or "%5c" in path)


def forbidden_origin(method: str, headers: Mapping[str, str], trusted: TrustedOrigins) -> str | None:
    """The code of the refusal of a request that carries cookies from a page we do not trust, or None (wire.md §4.1).

    Header names are lower-case. Requests without any cookie, and GETs, are never refused.
    """
    if method == "GET" or "cookie" not in headers:
        return None
    return _refusal_of_sender(headers, trusted)


def forbidden_sign_in(headers: Mapping[str, str], trusted: TrustedOrigins) -> str | None:
    """The code of the refusal of a sign-in or sign-up *without* cookies that another site had a browser send, or None.

    Wire.md §4.2. Header names are lower-case. A program that sends neither an origin nor fetch metadata is let in;
    with a cookie `forbidden_origin` has already judged.
    """
    if "cookie" in headers:
        return None
    from_a_browser = any(headers.get(name) for name in _FETCH_METADATA)
    if "cross-site" in _lines(headers, "sec-fetch-site") and "navigate" in _lines(headers, "sec-fetch-mode"):
        return CROSS_SITE_NAVIGATION_LOGIN_BLOCKED
    if from_a_browser or _sender(headers):
        return _refusal_of_sender(headers, trusted)
    return None


def origin_of(url: str) -> str | None:
    """The origin of a plain web address, None if it is none."""
    origin = _origin_of(url)
    if origin is None:
        return None
    port = "" if origin.port == _DEFAULT_PORT[origin.scheme] else f":{origin.port}"
    return f"{origin.scheme}://{origin.host}{port}"


def untrusted_senders(headers: Mapping[str, str], trusted: TrustedOrigins) -> list[str]:
    """Which pages that we do not trust a request says it comes from; it may name a trusted one beside them."""
    return [sender for sender in _senders(headers) if not trusted.trusts(sender)]


def _senders(headers: Mapping[str, str]) -> list[str]:
    """Which pages a request says it comes from; more than one where it contradicts itself."""
    return _sender(headers).split(TWICE)


def _sender(headers: Mapping[str, str]) -> str:
    return headers.get("origin") or headers.get("referer") or ""


def _lines(headers: Mapping[str, str], name: str) -> list[str]:
    """All lines of a header of which there may be one."""
    return headers.get(name, "").split(TWICE)


def _refusal_of_sender(headers: Mapping[str, str], trusted: TrustedOrigins) -> str | None:
    """Of several senders the worst counts: two headers are made by no browser."""
    refusals = {_refusal_of(sender, headers, trusted) for sender in _senders(headers)}
    return next((code for code in (INVALID_ORIGIN, MISSING_OR_NULL_ORIGIN) if code in refusals), None)


def _refusal_of(sender: str, headers: Mapping[str, str], trusted: TrustedOrigins) -> str | None:
    if sender == "null" == headers.get("origin") and headers.get("sec-fetch-site") == "same-origin":
        # A page with `Referrer-Policy: no-referrer` sends null even to itself; the browser vouches for it. It came by
        # the base URL, whatever a proxy made of the Host header.
        return None
    if sender in ("", "null"):
        return MISSING_OR_NULL_ORIGIN
    return None if trusted.trusts(sender) else INVALID_ORIGIN


def _origin_of(url: str) -> _Origin | None:
    parts = _URL.fullmatch(url)
    if parts is None:
        return None
    scheme = parts["scheme"].lower()
    port = int(parts["port"] or _DEFAULT_PORT[scheme])
    if port > 65535:
        return None
    if parts["name"]:
        return _Origin(scheme, parts["name"].lower(), port)
    try:
        return _Origin(scheme, f"[{IPv6Address(parts['ipv6'])}]", port)
    except ValueError:
        return None


def _matches(pattern: str, origin: _Origin) -> bool:
    pattern = pattern.strip().lower().rstrip("/")
    if _IPV4_PATTERN.fullmatch(pattern) and not _is_ipv4(origin.host):
        return False  # `10.0.0.*` must not trust 10.0.0.example.com
    host = f"{origin.scheme}://{origin.host}" if "://" in pattern else origin.host
    at_default_port = origin.port == _DEFAULT_PORT[origin.scheme]
    return _glob(pattern, f"{host}:{origin.port}") or (at_default_port and _glob(pattern, host))


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _glob(pattern: str, text: str) -> bool:
    """Whole-text match of `*` and `?`. Only the last star is ever retried: at worst pattern times text steps."""
    at, wanted = 0, 0
    star, retry = -1, 0
    while at < len(text):
        expected = pattern[wanted : wanted + 1]
        if expected == "*":
            star, retry = wanted, at
            wanted += 1
        elif expected in ("?", text[at]):
            at, wanted = at + 1, wanted + 1
        elif star >= 0:
            retry += 1
            at, wanted = retry, star + 1
        else:
            return False
    return not pattern[wanted:].strip("*")
