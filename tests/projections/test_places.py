"""Where an address is: from its allocation, or from a city database in MaxMind's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]  # one call; not worth a package of stubs

from projections.places import Places, PlacesUnreadable

EVERYWHERE = Places()

MUNICH = {
    "city": {"names": {"en": "Munich", "de": "München"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
}
BERLIN = {
    "city": {"names": {"en": "Berlin"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
}
LONDON = {"city": {"names": {"en": "London"}}, "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}}}
SINGAPORE = {"city": {"names": {"en": "Singapore"}}, "country": {"iso_code": "SG", "names": {"en": "Singapore"}}}
FRANCE = {"country": {"iso_code": "FR", "names": {"en": "France"}}}
PRISTINA = {"city": {"names": {"en": "Pristina"}}, "country": {"iso_code": "XK", "names": {"en": "Kosovo"}}}
NOWHERE = {"location": {"accuracy_radius": 1000}}
MALFORMED = {"city": {"names": ["Berlin"]}, "country": "DE"}


def city_database(path: Path, kind: str = "GeoLite2-City", version: int = 6) -> Path:
    """A database written by another library, with addresses that the registries gave to someone else."""
    writer = MMDBWriter(ip_version=version, database_type=kind, languages=["en", "de"], ipv4_compatible=version == 6)
    placed: dict[str, dict[str, Any]] = {
        "10.0.0.0/8": BERLIN,  # an office could have placed its own network
        "141.20.0.0/16": BERLIN,
        "212.58.224.0/19": LONDON,
        "8.8.8.0/24": SINGAPORE,
        "8.8.4.0/24": FRANCE,
        "193.0.6.0/24": PRISTINA,
        "202.12.27.0/24": NOWHERE,
        "200.160.0.0/24": MALFORMED,
        "129.187.0.0/16": MUNICH,
    }
    for network, record in placed.items():
        writer.insert_network(IPSet([network]), record)
    if version == 6:
        writer.insert_network(IPSet(["2a02:2455:17:5::/64"]), BERLIN)
    writer.to_db_file(str(path))
    return path


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(city_database(tmp_path_factory.mktemp("places") / "city.mmdb"))


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("141.20.1.1", "Germany"),  # Humboldt University, Berlin
        ("193.0.6.139", "Netherlands"),  # RIPE NCC, Amsterdam
        ("212.58.244.20", "United Kingdom"),  # BBC
        ("202.12.27.33", "Japan"),  # root server M, WIDE
        ("200.160.2.3", "Brazil"),  # NIC.br
        ("168.126.63.1", "South Korea"),  # Korea Telecom
        ("8.8.8.8", "United States"),  # Google
        ("::ffff:141.20.1.1", "Germany"),
        ("2001:4860:4860:0000:0000:0000:0000:0000", "United States"),  # Google
        ("2001:067c:02e8:0022:0000:0000:0000:0000", "Netherlands"),  # RIPE NCC
    ],
)
def test_a_public_address_is_in_the_country_it_was_given_to(address: str, country: str) -> None:
    assert EVERYWHERE(address) == country


@pytest.mark.parametrize(
    "address",
    [
        *(
            None,
            "",
            " ",
            "localhost",
            "garbage",
            "8.8.8.8/24",
            "8.8.8",
            "008.8.8.8",
            "8.8.8.8:443",
            "[2a02::1]",
            "\0",
            "\ud800",
        ),
        *(
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.0.1",
            "100.64.0.1",
            "0.1.2.3",
            "255.255.255.255",
        ),
        *("::", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2001:0db8:0001:0002:0000:0000:0000:0000", "192.0.2.1"),
        *("2a02:2455::1%\ud800", "2a02:2455::1%<b>", "8" * 10_000, "224.0.0.1"),
    ],
)
def test_no_place_is_named_for_private_unknown_and_senseless_addresses(address: str | None, cities: Places) -> None:
    assert EVERYWHERE(address) == ""
    assert cities(address) == ""


def test_a_city_database_names_city_and_country(cities: Places) -> None:
    assert cities("141.20.1.1") == "Berlin, Germany"
    assert cities("212.58.244.20") == "London, United Kingdom"
    assert cities("2a02:2455:0017:0005:0000:0000:0000:0000") == "Berlin, Germany"
    assert cities("193.0.6.139") == "Pristina, Kosovo"


def test_a_city_state_is_named_once(cities: Places) -> None:
    assert cities("8.8.8.8") == "Singapore"


def test_the_database_is_believed_before_the_registries(cities: Places) -> None:
    assert cities("8.8.4.4") == "France"


@pytest.mark.parametrize(
    ("address", "country"), [("202.12.27.33", "Japan"), ("200.160.0.8", "Brazil"), ("168.126.63.1", "South Korea")]
)
def test_an_address_the_database_does_not_place_still_has_a_country(address: str, country: str, cities: Places) -> None:
    assert cities(address) == country


def test_a_database_of_ipv4_alone_leaves_ipv6_to_the_registries(tmp_path: Path) -> None:
    places = Places(city_database(tmp_path / "four.mmdb", version=4))
    assert places("141.20.1.1") == "Berlin, Germany"
    assert places("2001:067c:02e8:0022:0000:0000:0000:0000") == "Netherlands"


def test_a_missing_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlacesUnreadable, match=r"absent\.mmdb cannot be opened: No such file or directory\."):
        Places(tmp_path / "absent.mmdb")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlacesUnreadable, match=r"cannot be opened: Is a directory\."):
        Places(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no database", b"\xab\xcd\xefMaxMind.com", b"\0" * 5000])
def test_a_file_that_is_no_database_is_refused(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(content)
    with pytest.raises(PlacesUnreadable, match=r"broken\.mmdb is damaged or not in MaxMind DB format\."):
        Places(broken)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlacesUnreadable, match="holds 'GeoLite2-ASN', neither cities nor countries"):
        Places(city_database(tmp_path / "asn.mmdb", kind="GeoLite2-ASN"))


def test_a_database_damaged_inside_leaves_the_country(tmp_path: Path) -> None:
    whole = city_database(tmp_path / "city.mmdb").read_bytes()
    records = whole.index(b"Berlin")
    damaged = tmp_path / "damaged.mmdb"
    damaged.write_bytes(whole[: records - 20] + b"\xff" * 40 + whole[records + 20 :])
    assert Places(damaged)("141.20.1.1") == "Germany"


@given(st.text(max_size=64) | st.ip_addresses().map(str))
def test_any_text_yields_a_text(address: str) -> None:
    assert "\n" not in EVERYWHERE(address)


def test_places_are_named_in_the_language_that_is_asked_for_as_far_as_it_has_names(cities: Places) -> None:
    assert cities("129.187.1.1", "de") == "München, Deutschland"
    assert cities("129.187.1.1") == "Munich, Germany"
    assert cities("212.58.244.20", "de") == "London, Vereinigtes Königreich"
    assert cities("8.8.8.8", "de") == "Singapur"
    assert EVERYWHERE("193.0.6.139", "de") == "Niederlande"
    assert EVERYWHERE("10.1.2.3", "de") == ""
