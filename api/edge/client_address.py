"""Where a request comes from: addresses as they are stored, shown and limited (wire.md §6, A14, A15)."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR, FORWARDED, REAL_IP = FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Several lines of one of them are one list, in order: some proxies append to the client's line, some add their own."""
MOST_HOPS = 50
"""Entries of a chain that are looked at."""

_LONGEST_ELEMENT = 2048
"""Characters of an element of Forwarded, which may repeat the Host header."""
_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 256
_NETWORK_64 = ~((1 << 64) - 1)
_CARRYING_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""Where IPv6 addresses are IPv4 ones written by systems and translators (RFC 4291 §2.5.5.2, RFC 6052 §2.1)."""

# a port may be made up (RFC 7239 §6.3); possessive, so that nothing is ever matched twice
_PORT = r"(?::(?:[0-9]{1,5}+|_[A-Za-z0-9._-]{1,32}+))?+"
_HOP = re.compile(
    rf"(?P<ipv4>[0-9.]{{7,15}}+){_PORT}|"
    rf"\[(?P<bracketed>[0-9A-Fa-f:.]{{2,45}}+)\]{_PORT}|"
    r"(?P<bare>[0-9A-Fa-f:.]{2,45}+)"
)
_PAIR = re.compile(
    r"[ \t]*+(?:(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]++)="
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^ \t;"]*+)))?+[ \t]*+(?:;|\Z)',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_logger = logging.getLogger("daybook")


class ClientAddresses:
    """Who asks: the socket's peer or, behind a trusted proxy, whom its forwarding headers name.

    A proxy appends whom it was asked by to what it was told. So a chain is read from the right, and the first address
    that is no trusted proxy is the client's; what stands left of it the client may have made up. If all are trusted,
    the left-most asked. Where that address is hidden, missing, garbage, or behind 50 others, the client is unknown.

    X-Forwarded-For, Forwarded (RFC 7239) and X-Real-IP are all read. A proxy that writes one of them may pass the
    others on as the client sent them, and which one cannot be told from here. So none is believed against another: all
    must name the same client, or none but trusted proxies; if they disagree, the client is unknown. That way nobody can
    choose their address, only hide it.

    Belongs to the event loop.
    """

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        # by prefix: a content delivery network has hundreds of networks, but few lengths of them
        self._trusted: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        for network in map(_unmapped_network, trusted):
            self._trusted[network.version, int(network.netmask)].add(int(network.network_address))
        self._peer = lru_cache(_REMEMBERED)(self._judge_peer)
        self._remembered = lru_cache(_REMEMBERED)(self._client)
        self._warned = False

    def seen(self, peer_host: str | None, headers: Mapping[str, str]) -> str:
        """The client's address in its wire form, "" if unknown. Header names are lower-case.

        IPv4 as it is, also where IPv6 carries it; other IPv6 written out in full with all but its /64 network zeroed,
        since whoever has one address of a /64 usually has them all. A peer without an address (a unix socket, None) is
        unknown.
        """
        peer = self._peer(peer_host)
        forwarded_for, forwarded = headers.get(FORWARDED_FOR, ""), headers.get(FORWARDED, "")
        real_ip = headers.get(REAL_IP, "")
        size = len(forwarded_for) + len(forwarded) + len(real_ip)
        if not size:
            return peer.address
        if not peer.trusted:
            self._warn()
            return peer.address
        # what is long was hardly written by a proxy, and will not come again
        client_of = self._remembered if size < _LONGEST_REMEMBERED else self._client
        client = client_of(forwarded_for, forwarded, real_ip)
        return peer.address if client is None else client

    def _judge_peer(self, peer_host: str | None) -> _Named:
        peer = _peer_address(peer_host)
        return _UNKNOWN if peer is None else _Named(_wire_form(peer), self._trusts(peer))

    def _client(self, forwarded_for: str, forwarded: str, real_ip: str) -> str | None:
        """None if nobody is named at all."""
        named = [
            self._named(_listed(forwarded_for), _hop),
            self._named(_elements(forwarded), _for),
            self._named(_listed(real_ip), _hop),
        ]
        who = {one.address for one in named if one and not one.trusted} or {one.address for one in named if one}
        if len(who) > 1:
            return ""
        return who.pop() if who else None

    def _named(self, entries: Iterable[str], read: Callable[[str], Address | None]) -> _Named | None:
        """Whom a chain names, given from the right; None if nobody. Empty entries say nothing (RFC 9110 §5.6.1)."""
        leftmost = None
        for number, entry in enumerate(entries):
            if number == MOST_HOPS:
                return _UNKNOWN
            text = entry.strip(" \t")
            if not text:
                continue
            address = read(text)
            if address is None:
                return _UNKNOWN
            if not self._trusts(address):
                return _Named(_wire_form(address), trusted=False)
            leftmost = address
        return None if leftmost is None else _Named(_wire_form(leftmost), trusted=True)

    def _trusts(self, address: Address) -> bool:
        version, number = address.version, int(address)
        return any(known == version and number & mask in networks for (known, mask), networks in self._trusted.items())

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _logger.warning(
                "Forwarding headers came from a peer that DAYBOOK_TRUSTED_PROXIES does not name and are ignored: "
                "behind a proxy, all clients would seem to have the proxy's address."
            )


class _Named(NamedTuple):
    """An address in its wire form, "" if unknown, and whether it is a trusted proxy's."""

    address: str
    trusted: bool


_UNKNOWN = _Named("", trusted=False)


def _listed(value: str) -> Iterator[str]:
    return reversed(value.rsplit(",", MOST_HOPS))


def _elements(forwarded: str) -> Iterator[str]:
    """The elements of a Forwarded header from the right, cut at the commas outside of quotes.

    Read from that side, nothing in front can change what follows, such as a quote left open: the nearest `="` opens
    what a quote closes, since a quote inside would have a backslash before it. Linear: no part is searched twice.
    """
    end = at = len(forwarded)
    comma = forwarded.rfind(",")
    while True:
        closing = forwarded.rfind('"', comma + 1, at)
        if closing < 0:
            yield forwarded[comma + 1 : end]
            if comma < 0:
                return
            end = at = comma
        else:
            at = forwarded.rfind('="', 0, closing)
            if at < 0:
                # no pair reads like that, so nobody is named
                yield forwarded[:end]
                return
        if at <= comma:
            comma = forwarded.rfind(",", 0, at)


def _for(element: str) -> Address | None:
    """Whom an element of Forwarded names (RFC 7239 §4); None too if it is no element or names two."""
    if len(element) > _LONGEST_ELEMENT:
        return None
    found: list[str] = []
    at = 0
    while at < len(element):
        pair = _PAIR.match(element, at)
        if pair is None:
            return None
        if pair["name"] and pair["name"].lower() == "for":
            found.append(_ESCAPED.sub(r"\1", pair["quoted"] or pair["plain"] or ""))
        at = pair.end()
    return _hop(found[0]) if len(found) == 1 else None


def _hop(text: str) -> Address | None:
    """An address as proxies write it: with or without a port, IPv6 with or without brackets."""
    parts = _HOP.fullmatch(text)
    if parts is None:
        return None
    try:
        if parts["ipv4"]:
            return IPv4Address(parts["ipv4"])
        return _unmapped(IPv6Address(parts["bracketed"] or parts["bare"]))
    except ValueError:
        return None


def _peer_address(peer_host: str | None) -> Address | None:
    try:
        return _unmapped(ip_address(peer_host or ""))
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    if isinstance(address, IPv4Address) or not any(address in network for network in _CARRYING_IPV4):
        return address
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _unmapped_network(network: Network) -> Network:
    if isinstance(network, IPv4Network) or not any(network.subnet_of(carrying) for carrying in _CARRYING_IPV4):
        return network
    return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))


def _wire_form(address: Address) -> str:
    return str(address) if isinstance(address, IPv4Address) else IPv6Address(int(address) & _NETWORK_64).exploded
