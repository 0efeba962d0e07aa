"""Where a request comes from: addresses as they are stored, shown and limited (wire.md §6)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

_NETWORK_64 = ~((1 << 64) - 1)


def as_seen(peer_host: str | None) -> str:
    """The socket peer's address in its wire form, "" when there is none (a unix socket) or it is no address.

    IPv4 as it is, IPv4-mapped IPv6 as IPv4, other IPv6 written out in full with all but its /64 network zeroed,
    since whoever has one address of a /64 usually has them all.
    """
    try:
        address = ip_address(peer_host or "")
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return IPv6Address(int(address) & _NETWORK_64).exploded
