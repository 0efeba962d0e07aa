"""Places: an address on the internet read as a country, or as a city where a city database is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import maxminddb
from babel import Locale
from iptocc import country_code

_ENGLISH = "en"
_TABLE = files("tzdata") / "zoneinfo" / "iso3166.tab"
_READABLE = {  # the table has them in a form made for sorting, abbreviated, or not at all
    "AS": "American Samoa",
    "BQ": "Caribbean Netherlands",
    "CD": "Democratic Republic of the Congo",
    "CF": "Central African Republic",
    "CG": "Republic of the Congo",
    "GB": "United Kingdom",
    "KP": "North Korea",
    "KR": "South Korea",
    "MF": "Saint Martin",
    "SX": "Sint Maarten",
    "SZ": "Eswatini",
    "TC": "Turks & Caicos Islands",
    "TF": "French Southern Territories",
    "VC": "St Vincent & the Grenadines",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands",
    "WS": "Samoa",
    "XK": "Kosovo",
}


class PlacesUnreadable(Exception):
    """The city database that the settings name cannot be used; the message says why in one sentence."""


class Places:
    """Where addresses are, as far as their allocation and, if given, a city database say. wire.md: `location`.

    Without a database, the country is the one an address block was registered in, which for about one block in
    twenty is not the country it is used in.
    """

    def __init__(self, city_database: Path | None = None) -> None:
        """Take a file in MaxMind DB format 2 with cities or countries; raise PlacesUnreadable if it is none."""
        self._cities = None if city_database is None else _opened(city_database)
        self._cached = lru_cache(maxsize=4096)(self._place)

    def __call__(self, ip_address: str | None, language: str = _ENGLISH) -> str:
        """The place, such as "Berlin, Germany" or "Germany"; "" if private, unknown or no address. Never raises.

        In another language that Babel knows (its code), as far as names in it are known.
        """
        return self._cached(ip_address, language) if ip_address else ""

    def _place(self, ip_address: str, language: str) -> str:
        address = _public(ip_address)
        if address is None:
            return ""
        found = self._found(address)
        code = _text(found, "country", "iso_code") or country_code(str(address)) or ""
        country = _country_names(language).get(code) or _named(found, "country", language)
        city = _named(found, "city", language)
        # of a city that is a country, another language may know the name of one of both only
        if not city or city == country or _named(found, "city") == _country_names(_ENGLISH).get(code):
            return country
        return f"{city}, {country}" if country else city

    def _found(self, address: IPv4Address | IPv6Address) -> object:
        if self._cities is None:
            return None
        try:
            return self._cities.get(address)
        except Exception:  # IPv6 asked of a file with IPv4 only, or whatever the reader stumbles over in a damaged one
            return None


def _opened(file: Path) -> maxminddb.Reader:
    # Not the reader written in C: changed bytes in the file made it end the process, where this one raises.
    try:
        reader = maxminddb.open_database(file, maxminddb.MODE_MMAP)
        kind = str(reader.metadata().database_type)
    except OSError as reason:
        raise PlacesUnreadable(f"The city database {file} cannot be opened: {reason.strerror}.") from reason
    except Exception as reason:  # damaged metadata end in any of a dozen built-in exceptions
        raise PlacesUnreadable(f"The city database {file} is damaged or not in MaxMind DB format.") from reason
    if "City" not in kind and "Country" not in kind:
        reader.close()
        raise PlacesUnreadable(f"The city database {file} holds {kind!r}, neither cities nor countries.")
    return reader


def _public(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:  # means something on one machine only, and may hold any text
            return None
        address = address.ipv4_mapped or address
    return address if address.is_global else None


@cache
def _country_names(language: str) -> Mapping[str, str]:
    if language != _ENGLISH:
        # what Babel does not name of what the table does is told in English
        return {**_country_names(_ENGLISH), **Locale.parse(language).territories}
    lines = _TABLE.read_text("utf-8").splitlines()
    return {code: name for code, _, name in (line.partition("\t") for line in lines) if len(code) == 2} | _READABLE


def _named(found: object, kind: str, language: str = _ENGLISH) -> str:
    return _text(found, kind, "names", language) or _text(found, kind, "names", _ENGLISH)


def _text(found: object, *path: str) -> str:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
