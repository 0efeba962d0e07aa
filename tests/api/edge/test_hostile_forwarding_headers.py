"""Forwarding headers as an attacker would write them: they may hide a client, but never name another (wire.md A14)."""

from __future__ import annotations

import time
import tracemalloc
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.edge.client_address import ClientAddresses

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("192.0.2.53"), ip_network("2001:db8:ffff::/48")]
TRUSTING = ClientAddresses(TRUSTED)
PROXY = "10.0.0.1"
PROXIES = ["10.0.0.2", "192.0.2.53", "2001:db8:ffff::7"]
MAPPED = IPv6Network("::ffff:0:0/96")
TRANSLATED = IPv6Network("64:ff9b::/96")
CLIENTS = st.ip_addresses().filter(lambda one: not any(one in network for network in (*TRUSTED, MAPPED)))
TOKENS = ["for=", "For", 'for="', '="', '\\"', "10.0.0.2", "203.0.113.7", "2001:db8:5::9", ":80", *',;="\\ \t:[]%_.\0é']
BYTES = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
ANYTHING = st.lists(st.sampled_from(TOKENS), max_size=30).map("".join) | BYTES


def wire_form(client: IPv4Address | IPv6Address) -> str:
    """As wire.md §6 has it."""
    if isinstance(client, IPv4Address):
        return str(client)
    if client in TRANSLATED:
        return str(IPv4Address(client.packed[-4:]))
    return IPv6Network((client, 64), strict=False).network_address.exploded


def quoted(text: str) -> str:
    """A quoted string of RFC 9110 §5.6.4."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_stands_in_the_headers_is_an_address_or_unknown(one: str, two: str, three: str) -> None:
    headers = {"x-forwarded-for": one, "forwarded": two, "x-real-ip": three}
    for sent in (headers, *({name: value} for name, value in headers.items())):
        seen = TRUSTING.seen(PROXY, sent)
        if ":" in seen:
            assert IPv6Address(seen).exploded == seen
            assert seen.endswith(":0000:0000:0000:0000")
        else:
            assert not seen or str(IPv4Address(seen)) == seen


@given(ANYTHING, CLIENTS, st.sampled_from([",", ", "]))
def test_what_a_client_writes_in_front_changes_nothing(
    front: str, client: IPv4Address | IPv6Address, comma: str
) -> None:
    assert TRUSTING.seen(PROXY, {"x-forwarded-for": f"{front}{comma}{client}"}) == wire_form(client)


@given(ANYTHING, CLIENTS, ANYTHING, st.permutations(["for", "host", "proto"]))
def test_what_a_client_writes_in_front_of_a_forwarded_element_or_as_host_changes_nothing(
    front: str, client: IPv4Address | IPv6Address, host: str, order: list[str]
) -> None:
    node = str(client) if isinstance(client, IPv4Address) else f'"[{client}]:443"'
    pairs = {"for": node, "host": quoted(host), "proto": "https"}
    element = ";".join(f"{name}={pairs[name]}" for name in order)
    assert TRUSTING.seen(PROXY, {"forwarded": f"{front}, {element}"}) == wire_form(client)


@given(ANYTHING, CLIENTS)
def test_a_header_the_proxy_passes_on_can_hide_the_client_but_name_no_other(
    passed_on: str, client: IPv4Address | IPv6Address
) -> None:
    theirs = (wire_form(client), "")
    node = f'"[{client}]"' if isinstance(client, IPv6Address) else str(client)
    assert TRUSTING.seen(PROXY, {"x-forwarded-for": str(client), "forwarded": passed_on}) in theirs
    assert TRUSTING.seen(PROXY, {"forwarded": f"for={node}", "x-forwarded-for": passed_on}) in theirs


@given(st.lists(CLIENTS.map(str) | st.sampled_from(PROXIES), min_size=1, max_size=8))
def test_both_headers_name_the_same_of_a_chain(chain: list[str]) -> None:
    strangers = [one for one in chain if one not in PROXIES]
    named = ip_address(strangers[-1] if strangers else chain[0])
    sent = {
        "x-forwarded-for": ", ".join(chain),
        "forwarded": ", ".join(f"for={quoted(f'[{one}]' if ':' in one else one)};proto=http" for one in chain),
    }
    for headers in (sent, *({name: value} for name, value in sent.items())):
        assert TRUSTING.seen(PROXY, headers) == wire_form(named)


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_a_hostile_header_costs_time_in_proportion_to_its_length(header: str) -> None:
    mebibyte = 1 << 20
    parts = (
        '"',
        ",",
        '="',
        '=",',
        'for="',
        '",',
        "\\",
        'for="\\"',
        '\\",',
        "a=b;",
        'a="";',
        "for=10.0.0.2,",
        "1.",
        "::",
        " ",
    )
    began = time.process_time()
    for part in parts:
        for end in ("", '"', ", 10.0.0.2", ", for=10.0.0.2"):
            TRUSTING.seen(PROXY, {header: part * (mebibyte // len(part)) + end})
    assert time.process_time() - began < 3


def test_long_headers_are_not_remembered() -> None:
    trusting = ClientAddresses(TRUSTED)
    tracemalloc.start()
    try:
        for number in range(2_000):
            trusting.seen(PROXY, {"x-forwarded-for": f"{number}{'9' * 20_000}, 203.0.113.7"})
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
