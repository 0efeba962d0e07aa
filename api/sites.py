"""Sites: which hosts browsers take for one family (RFC 6265bis §5.2), as far as that is known without their list.

Browsers have a list of some ten thousand public suffixes. Here it is guessed at, as the standard library's cookie jar
does, and the best-known hosts that lend names are named: what is not guessed passes, and browsers decide by their own.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_REGISTRIES = frozenset(
    ["ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "ltd", "me", "mil", "ne", "net", "nom", "or", "org", "plc"]
)
"""What stands in front of a country's two letters where that country sells names one level down, as in `co.uk`."""
_LENDERS = frozenset(
    ["appspot.com", "azurewebsites.net", "cloudfront.net", "firebaseapp.com", "fly.dev", "github.io", "gitlab.io",
     "herokuapp.com", "netlify.app", "ngrok-free.app", "ngrok.io", "onrender.com", "pages.dev", "up.railway.app",
     "vercel.app", "web.app", "workers.dev"]
)  # fmt: skip
"""Domains whose names belong to whoever asked for one: to browsers each is a site of its own."""
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


def host_of(url: str) -> str:
    """The host of a URL in lower case, an IPv6 address without its brackets; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def same_site(host: str, other: str) -> bool:
    """Whether both hosts belong to one site."""
    return _site_of(host) == _site_of(other)


def is_public_suffix(domain: str) -> bool:
    """Whether everybody may have a name below it, as far as that is known: no cookie is kept for it."""
    *before, last = domain.split(".")
    return not before or domain in _LENDERS or (len(before) == 1 and len(last) == 2 and before[0] in _REGISTRIES)


def wrong_with_cookie_domain(domain: str, host: str) -> str | None:
    """Why browsers would keep no cookie that this host sets for that domain, None if they do (RFC 6265bis §5.7)."""
    if _is_address(domain) or not _DOMAIN.fullmatch(domain):
        return "must be a domain such as example.com, no address, port or path"
    if is_public_suffix(domain):
        return "must be a domain of your own: everybody may have a name below this one, so browsers drop its cookies"
    if domain != host and not host.endswith(f".{domain}"):
        return "must be the host of DAYBOOK_BASE_URL or a domain above it: browsers drop other cookies"
    return None


def _site_of(host: str) -> str:
    if _is_address(host):
        return host
    labels = host.split(".")
    for number in range(1, len(labels)):
        if is_public_suffix(".".join(labels[number:])):
            return ".".join(labels[number - 1 :])
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
