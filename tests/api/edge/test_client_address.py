"""Client addresses: wire.md §6, A14, A15."""

from __future__ import annotations

import logging
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest

from api.edge.client_address import ClientAddresses
from api.settings import Settings

PROXY = "10.0.0.1"
TRUSTED = "10.0.0.0/8, 192.0.2.53, 2001:db8:ffff::/48"
"""What the proxies of these tests are called; everybody else is a client."""
ADA = "203.0.113.7"
BO = "198.51.100.9"
BO_6 = "2001:db8:5::9"
SEEN_BO_6 = "2001:0db8:0005:0000:0000:0000:0000:0000"


def addresses(trusted: str = TRUSTED) -> ClientAddresses:
    return ClientAddresses(ip_network(one) for one in trusted.split(", ") if one)


TRUSTING = addresses()


def as_peer(peer: str | None) -> str:
    """How one who asks without a proxy is seen."""
    return TRUSTING.seen(peer, {})


def forwarded(value: str) -> str:
    """Whom a Forwarded header names behind a trusted proxy."""
    return TRUSTING.seen(PROXY, {"forwarded": value})


def forwarded_for(value: str) -> str:
    """Whom X-Forwarded-For names behind a trusted proxy."""
    return TRUSTING.seen(PROXY, {"x-forwarded-for": value})


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
    assert as_peer(peer) == seen


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
    assert as_peer(peer) == ""


def test_limits_count_a_whole_ipv6_network_as_one() -> None:
    assert as_peer("2001:db8:0:1::1") == as_peer("2001:db8:0:1:ffff::2") == "2001:0db8:0000:0001:0000:0000:0000:0000"
    assert as_peer("2001:db8:0:1::1") != as_peer("2001:db8:0:2::1")


def test_limits_count_ipv4_addresses_one_by_one() -> None:
    assert as_peer("192.0.2.7") == as_peer("::ffff:192.0.2.7") == "192.0.2.7"
    assert as_peer("192.0.2.8") == "192.0.2.8"


@pytest.mark.parametrize("stored", ["192.0.2.7", "2001:0db8:0000:0000:0000:0000:0000:0000", ""])
def test_a_stored_address_is_already_its_network(stored: str) -> None:
    assert as_peer(stored) == stored


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (ADA, ADA),
        (f"  {ADA}\t", ADA),
        (f"{ADA}:5678", ADA),
        ("::ffff:203.0.113.7", ADA),
        ("[::ffff:203.0.113.7]:443", ADA),
        (BO_6, SEEN_BO_6),
        (BO_6.upper(), SEEN_BO_6),
        (f"[{BO_6}]", SEEN_BO_6),
        (f"[{BO_6}]:443", SEEN_BO_6),
        ("2001:db8:5:0:1:2:3:443", SEEN_BO_6),
        (f"{BO}, {ADA}", ADA),
        (f"{BO},{ADA}", ADA),
        (f"{ADA}, 10.0.0.2", ADA),
        (f"{BO}, {ADA}, 192.0.2.53, 2001:db8:ffff:7::1, 10.255.255.255", ADA),
        (f"{ADA}, ::ffff:10.0.0.2", ADA),
        (f"{ADA}, 192.0.2.54", "192.0.2.54"),
        (f"{ADA}, 2001:db8:fffe::1", "2001:0db8:fffe:0000:0000:0000:0000:0000"),
        (f", {ADA}, , 10.0.0.2,,", ADA),
        (f"garbage, unknown, {ADA}", ADA),
    ],
)
def test_the_client_is_the_right_most_that_is_no_trusted_proxy(value: str, client: str) -> None:
    assert forwarded_for(value) == client


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown",
        "_hidden",
        "unix:",
        "localhost",
        "-",
        "203.0.113",
        "203.0.113.256",
        "0203.0.113.7",
        "203.0.113.7:",
        "203.0.113.7:port",
        "203.0.113.7:123456",
        "203.0.113.7 203.0.113.8",
        "203.0.113.7/32",
        "\u00b2\u00b203.0.113.7",
        "[203.0.113.7]",
        "[2001:db8:5::9",
        "2001:db8:5::9]",
        "[2001:db8:5::9]443",
        "fe80::1%eth0",
        "[fe80::1%25eth0]:443",
        "2001:db8::5::9",
        '"203.0.113.7"',
        "for=203.0.113.7",
        "203.0.113.7\0",
        "\xa0203.0.113.7",
        "203.0.113.7;",
        "9" * 60_000,
    ],
)
def test_garbage_where_it_decides_means_nobody_knows(garbage: str) -> None:
    assert forwarded_for(garbage) == ""
    assert forwarded_for(f"{BO}, {garbage}, 10.0.0.2") == ""
    assert forwarded_for(f"{garbage}, {ADA}") == ADA


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (f"for={ADA}", ADA),
        (f"FOR={ADA}", ADA),
        (f'for="{ADA}:5678"', ADA),
        (f"for={ADA}:_port", ADA),
        (f'for="[{BO_6}]"', SEEN_BO_6),
        (f'For="[{BO_6}]:4711"', SEEN_BO_6),
        (f"for=[{BO_6}]:4711", SEEN_BO_6),
        (r'for="203\.0.113\.7"', ADA),
        (f"for={ADA};proto=http;by=203.0.113.43", ADA),
        (f"proto=https ; by=_gateway; for={ADA} ;", ADA),
        (f"for={BO}, for={ADA}", ADA),
        (f"for={ADA};host=a,for=10.0.0.2", ADA),
        (f'for={ADA};host="a,b;for={BO}"', ADA),
        (rf'for={ADA};host="\"for={BO}\\", for="10.0.0.2:80"', ADA),
        (f", for={ADA},, for=10.0.0.2 ,", ADA),
        (f'for="{BO}, for={ADA}', ADA),
        (f'for="{BO}, for="[{BO_6}]"', SEEN_BO_6),
        (f"unreadable, for={ADA}", ADA),
    ],
)
def test_a_forwarded_header_is_read_as_rfc_7239_says(value: str, client: str) -> None:
    assert forwarded(value) == client


@pytest.mark.parametrize(
    "element",
    [
        "for=unknown",
        "for=_hidden",
        'for="_SEVKISEK"',
        "for=",
        'for=""',
        "for",
        "proto=https;host=example.com",
        f"for={ADA};for={ADA}",
        f"for={BO};For={ADA}",
        f"for = {ADA}",
        f'for="{ADA}',
        f'for={ADA}"',
        rf'for="{ADA}\"',
        f'for="{ADA}"x',
        f'for={ADA};host="a"b"',
        f"for={ADA} proto=https",
        ADA,
        f"for='{ADA}'",
        "for=fe80::1%eth0",
        f"for={ADA};host={'a' * 60_000}",
    ],
)
def test_a_forwarded_element_that_names_nobody_means_nobody_knows(element: str) -> None:
    assert forwarded(element) == ""
    assert forwarded(f"for={BO}, {element}, for=10.0.0.2") == ""
    assert forwarded(f"{element}, for={ADA}") == ADA


@pytest.mark.parametrize(
    ("x_forwarded_for", "rfc_7239", "client"),
    [
        pytest.param(ADA, f"for={ADA}", ADA, id="the same client"),
        pytest.param(f"{BO}, {ADA}", f"for={ADA}", ADA, id="the same client, more in front"),
        pytest.param(f"{BO_6}", f'for="[{BO_6}]:80", for=10.0.0.2', SEEN_BO_6, id="the same, written differently"),
        pytest.param(ADA, f"for={BO}", "", id="two clients"),
        pytest.param(ADA, "for=10.0.0.2", ADA, id="only proxies in Forwarded"),
        pytest.param("10.0.0.3, 10.0.0.2", f"for={ADA}", ADA, id="only proxies in X-Forwarded-For"),
        pytest.param("10.0.0.2", "for=10.0.0.2", "10.0.0.2", id="the same proxy"),
        pytest.param("10.0.0.3, 10.0.0.2", "for=10.0.0.2", "", id="two proxies"),
        pytest.param(ADA, "for=unknown", "", id="a hidden client in Forwarded"),
        pytest.param("unknown", f"for={ADA}", "", id="garbage in X-Forwarded-For"),
        pytest.param("10.0.0.2", "proto=https", "", id="a proxy that names nobody"),
        pytest.param(" , ", f"for={ADA}", ADA, id="blank X-Forwarded-For"),
        pytest.param(ADA, "", ADA, id="blank Forwarded"),
    ],
)
def test_neither_header_is_believed_against_the_other(x_forwarded_for: str, rfc_7239: str, client: str) -> None:
    assert TRUSTING.seen(PROXY, {"x-forwarded-for": x_forwarded_for, "forwarded": rfc_7239}) == client


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"x-real-ip": ADA}, ADA),
        ({"x-real-ip": f"[{BO_6}]:80"}, SEEN_BO_6),
        ({"x-real-ip": f"{BO}, {ADA}"}, ADA),
        ({"x-real-ip": "10.0.0.2"}, "10.0.0.2"),
        ({"x-real-ip": "garbage"}, ""),
        ({"x-real-ip": ADA, "x-forwarded-for": "", "forwarded": " "}, ADA),
        ({"x-real-ip": ADA, "x-forwarded-for": ADA}, ADA),
        ({"x-real-ip": "10.0.0.2", "x-forwarded-for": ADA}, ADA),
        ({"x-real-ip": BO, "x-forwarded-for": ADA}, ""),
        ({"x-real-ip": BO, "forwarded": f"for={ADA}"}, ""),
        ({"x-real-ip": BO, "x-forwarded-for": "garbage"}, ""),
        ({"x-real-ip": BO, "forwarded": "for=_hidden"}, ""),
    ],
)
def test_x_real_ip_counts_where_the_others_are_missing(headers: dict[str, str], client: str) -> None:
    assert TRUSTING.seen(PROXY, headers) == client


def test_of_trusted_proxies_alone_the_left_most_asked() -> None:
    assert forwarded_for("10.0.0.4, 10.0.0.3, 2001:db8:ffff::1") == "10.0.0.4"
    assert forwarded('for="[2001:db8:ffff:1::1]", for=10.0.0.3') == "2001:0db8:ffff:0001:0000:0000:0000:0000"


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-for": ""}, {"forwarded": " , "}, {"user-agent": ADA}])
def test_a_trusted_proxy_that_names_nobody_asks_itself(headers: dict[str, str]) -> None:
    assert TRUSTING.seen(PROXY, headers) == PROXY


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded"])
@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        (TRUSTED, ADA, ADA),
        (TRUSTED, "192.0.2.54", "192.0.2.54"),
        (TRUSTED, BO_6, SEEN_BO_6),
        ("", PROXY, PROXY),
        ("", BO_6, SEEN_BO_6),
        ("::/0", PROXY, PROXY),
        (TRUSTED, None, ""),
        (TRUSTED, "/run/proxy.sock", ""),
    ],
)
def test_what_a_peer_says_that_is_no_trusted_proxy_is_ignored(
    trusted: str, peer: str | None, seen: str, header: str
) -> None:
    told = f"for={BO}" if header == "forwarded" else BO
    assert addresses(trusted).seen(peer, {header: told}) == seen


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.9.9.9"),
        ("0.0.0.0/0", "192.0.2.1"),
        ("::1", "::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("192.0.2.1, 2001:db8::/32, 192.0.2.2", "2001:db8:1::7"),
    ],
)
def test_a_proxy_is_trusted_by_its_address_or_its_network(trusted: str, peer: str) -> None:
    assert addresses(trusted).seen(peer, {"x-forwarded-for": BO_6}) == SEEN_BO_6


def test_fifty_entries_are_looked_at_and_no_more() -> None:
    assert forwarded_for(f"{ADA}{', 10.0.0.2' * 49}") == ADA
    assert forwarded_for(f"{ADA}{', 10.0.0.2' * 50}") == ""
    assert forwarded(f"for={ADA}{', for=10.0.0.2' * 49}") == ADA
    assert forwarded(f"for={ADA}{', for=10.0.0.2' * 50}") == ""
    assert forwarded_for("," * 60_000) == ""


def test_forwarding_headers_nobody_trusts_are_told_of_once_and_without_an_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trusting_nobody = addresses("")
    with caplog.at_level(logging.DEBUG, logger="daybook"):
        trusting_nobody.seen(BO, {})
        assert caplog.records == []
        for header in ("x-real-ip", "x-forwarded-for", "forwarded"):
            trusting_nobody.seen(BO, {header: ADA})
    [record] = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "daybook")
    assert "DAYBOOK_TRUSTED_PROXIES" in record.getMessage()
    assert not any(address in caplog.text for address in (ADA, BO))


def test_forwarding_headers_of_a_trusted_proxy_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="daybook"):
        addresses().seen(PROXY, {"x-forwarded-for": ADA})
    assert caplog.records == []


def test_trusted_proxies_are_named_by_addresses_and_networks() -> None:
    settings = Settings(trusted_proxies=" 127.0.0.1,10.0.0.0/8 , ::1,,2001:db8::/32,")
    assert settings.proxy_networks == (
        IPv4Network("127.0.0.1/32"),
        IPv4Network("10.0.0.0/8"),
        IPv6Network("::1/128"),
        IPv6Network("2001:db8::/32"),
    )
    assert Settings().proxy_networks == ()


@pytest.mark.parametrize(
    "entry",
    [
        "localhost",
        "10.0.0",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0-10.0.0.9",
        "fe80::1%eth0",
        "[::1]",
        "127.0.0.1:80",
        "*",
    ],
)
def test_a_trusted_proxy_that_is_neither_is_named_in_the_error(entry: str) -> None:
    with pytest.raises(ValueError, match="is neither an IP address nor a network") as error:
        Settings(trusted_proxies=f"127.0.0.1, {entry}")
    assert f"'{entry}' is neither" in str(error.value)
