"""Client addresses: wire.md §6."""

from __future__ import annotations

import pytest

from api.edge.client_address import as_seen


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0000"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002:0000:0000:0000:0000"),
        ("::1", "0000:0000:0000:0000:0000:0000:0000:0000"),
        ("fe80::1%eth0", "fe80:0000:0000:0000:0000:0000:0000:0000"),
    ],
)
def test_a_peer_is_written_as_the_contract_says(peer: str, seen: str) -> None:
    assert as_seen(peer) == seen


@pytest.mark.parametrize(
    "peer",
    [
        None,
        "",
        "/run/daybook.sock",
        "testclient",
        "localhost",
        "1.2.3.4:5678",
        "[2001:db8::1]",
        "[2001:db8::1]:80",
        "1.2.3",
        "1.2.3.256",
        "01.2.3.4",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4, 5.6.7.8",
        "\u0661.2.3.4",
        "2001:db8::/64",
        "2001:db8::1::2",
        "unknown",
    ],
)
def test_what_is_no_address_is_empty(peer: str | None) -> None:
    assert as_seen(peer) == ""


def test_limits_count_a_whole_ipv6_network_as_one() -> None:
    assert as_seen("2001:db8:0:1::1") == as_seen("2001:db8:0:1:ffff::2") == "2001:0db8:0000:0001:0000:0000:0000:0000"
    assert as_seen("2001:db8:0:1::1") != as_seen("2001:db8:0:2::1")


def test_limits_count_ipv4_addresses_one_by_one() -> None:
    assert as_seen("192.0.2.7") == as_seen("::ffff:192.0.2.7") == "192.0.2.7"
    assert as_seen("192.0.2.8") == "192.0.2.8"


@pytest.mark.parametrize("stored", ["192.0.2.7", "2001:0db8:0000:0000:0000:0000:0000:0000", ""])
def test_a_stored_address_is_already_its_network(stored: str) -> None:
    assert as_seen(stored) == stored
