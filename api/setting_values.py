"""What an operator may write as the value of a setting, and how it is taken apart."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import LiteralString, NamedTuple

from pydantic_core import PydanticCustomError

from domain.email_address import canonical

# As api/edge/origins.py takes hosts apart, with `*` and `?` anywhere.
_HOST_PATTERN = re.compile(r"(?:[a-z0-9_.*?-]+|\[[0-9a-f:.*?]+\])(?::[0-9*?]+)?", re.ASCII)
_MAILBOX = re.compile(
    r'(?P<alone>[^\s<>"]+)|(?:"(?P<quoted>[^"\\<>]*)"|(?P<name>[^"\\<>()\[\]:;@,]*?)) ?<(?P<address>[^\s<>"]+)>'
)
_PORT_AT_END = re.compile(r"(?<=[^:]):([0-9]+)$", re.ASCII)


def wrong_with_origin(url: str) -> LiteralString | None:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("http", "https"):
        return "must begin with https:// or http://"
    if "/" in rest or "?" in rest or "#" in rest:
        return "must be scheme, host and port only: no slash or path at the end"
    if "@" in rest:
        return "must not hold a user name or password"
    host, colon, port = rest.rpartition(":") if re.search(r":\d*$", rest) and not rest.endswith("]") else (rest, "", "")
    if colon and not (port and int(port) in range(1, 65_536)):
        return "must have a port from 1 to 65535 after the colon"
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", host):
        return "must name a host after the slashes, such as https://accounts.example.com"
    return None


class Mailbox(NamedTuple):
    """Whom a message is from: an address, and the name that is shown before it, as text; empty if there is none."""

    name: str
    address: str


def mailbox(text: str) -> Mailbox | None:
    """What `address`, `Name <address>` or `"Name" <address>` means; None if it is none of these.

    A name with punctuation that means something there (RFC 5322 §3.2.3: groups, lists, comments) must be quoted. None
    is decoded: what looks like an encoded word is a name that looks like one.
    """
    found = _MAILBOX.fullmatch(text)
    if found is None or not text.isprintable():
        return None
    address = found["alone"] or found["address"]
    if canonical(address) is None:
        return None
    return Mailbox((found["quoted"] or found["name"] or "").strip(), address)


def may_be_mailed_from(host: str) -> bool:
    """Whether an address at this host is one: neither an IP address nor what is no domain (RFC 5321 §4.1.2)."""
    labels = re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", host, re.ASCII | re.I)
    return labels is not None


def is_page(text: str) -> bool:
    scheme, separator, rest = text.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    readable = text.isascii() and text.isprintable() and " " not in text
    return readable and bool(separator) and wrong_with_origin(f"{scheme}://{host}") is None


def may_match_origin(pattern: str) -> bool:
    """Whether a pattern of wire.md §4.3 can be an origin's: its scheme is a browser's, and no path follows."""
    scheme, separator, rest = pattern.lower().rstrip("/").rpartition("://")
    if separator and not any(_could_be(scheme, known) for known in ("http", "https")):
        return False
    host, port = _HOST_PATTERN.fullmatch(rest), _PORT_AT_END.search(rest)
    return host is not None and (port is None or 1 <= int(port[1]) <= 65_535)


def _could_be(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text))


def listed(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(_network(entry) for entry in listed(text))


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        # a zone is known to one machine only, and would be ignored
        if "%" not in entry:
            return ip_network(entry)
    except ValueError:
        pass
    raise PydanticCustomError(
        "network",
        "{entry} is neither an IP address nor a network such as 10.0.0.0/8 (no bits set behind the prefix)",
        {"entry": repr(entry)},
    )
