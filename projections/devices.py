"""Devices: a User-Agent header read as a browser and an operating system that a person recognizes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ua_parser import Domain, load_lazy_builtins
from ua_parser.regex import Resolver  # by name: the library's default would silently fall back to a backtracking engine

_LONGEST = 512  # characters read: real browsers send fewer than 300; bounds time and what the cache holds

_BROWSERS = {
    "Android": "Android Browser",
    "Apple Mail": "",  # the rules guess it from any app with an embedded web view
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "WebView",
    "Chrome Mobile iOS": "Chrome",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "HeadlessChrome": "Headless Chrome",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "",  # some app; which one, it does not say
    "Opera Mini": "Opera Mini",
    "Opera Mobile": "Opera",
    "Python Requests": "python-requests",
    "Python aiohttp": "aiohttp",
}
_SYSTEMS = {
    "Chrome OS": "ChromeOS",
    "Mac OS": "macOS",
    "Mac OS X": "macOS",
    "Web0S": "webOS",
    "Windows Phone": "Windows Phone",
}
_DISTRIBUTIONS = (  # browsers name them or not, as they please: the next update would look like another computer
    *("Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Kubuntu", "Linux Mint", "Lubuntu", "Mandriva"),
    *("PCLinuxOS", "Red Hat", "Slackware", "SUSE", "openSUSE", "Ubuntu"),
)
_SYSTEMS.update(dict.fromkeys(_DISTRIBUTIONS, "Linux"))
_APPLE = ("macOS", "iOS", "iPadOS")

# No dots, colons, at signs: a name must not turn into a link in a mail.
_OWN_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 !+_-]{0,31}")
_SENDERS_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+_-]{0,31}")
_VERSION = re.compile(r"[1-9][0-9]{0,3}")
_PRODUCT = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]{0,31})(?:/(?P<major>[0-9]{1,4})(?![0-9]).*)?", re.DOTALL)


class _Device(NamedTuple):
    browser: str
    version: str
    system: str


def device(user_agent: str | None) -> str:
    """Browser with major version and operating system, such as "Chrome 130 on macOS"; "" when it says neither.

    Says only what the string can prove: versions of operating systems are frozen in it, and an iPad that asks for
    desktop pages cannot be told from a Mac. The text is short printable ASCII without markup, whatever was sent;
    still it is the sender's claim. wire.md, extra fields: `device`.
    """
    browser, version, system = _read((user_agent or "")[:_LONGEST])
    if browser and version:
        browser = f"{browser} {version}"
    return " on ".join(part for part in (browser, system) if part)


def family(user_agent: str | None) -> tuple[str, str]:
    """Browser and operating system without versions, each "" if unknown: equal before and after an update."""
    browser, _, system = _read((user_agent or "")[:_LONGEST])
    return browser, system


@lru_cache(maxsize=2048)
def _read(user_agent: str) -> _Device:
    text = user_agent.encode("ascii", "replace").decode("ascii")
    found = _rules()(text, Domain.USER_AGENT | Domain.OS)
    system = _system(found.os.family, text) if found.os else ""
    if not found.user_agent:
        return _product(text)._replace(system=system)
    browser = _name(found.user_agent.family, text, _BROWSERS)
    if browser == "Safari" and system not in _APPLE:
        return _Device("", "", system)  # televisions and consoles share its engine and call themselves Safari
    if browser.lower().endswith("bot"):
        system = ""  # robots name a telephone to be shown pages for telephones
    return _Device(browser, _version(found.user_agent.major), system)


def _system(name: str, text: str) -> str:
    if name == "iOS" and "(iPad" in text:
        return "iPadOS"
    return _name(name, text, _SYSTEMS)


def _name(name: str, text: str, known: dict[str, str]) -> str:
    """The name to show; what the sender worded may be a message to the reader, so of that a single token only."""
    if name in known:
        return known[name]
    allowed = _SENDERS_WORD if name in text else _OWN_WORDS
    return name if allowed.fullmatch(name) else ""


def _product(text: str) -> _Device:
    """A program unknown to the rules, by its product token (RFC 9110 section 10.1.5): "Dart/3.5 (dart:io)"."""
    token = _PRODUCT.fullmatch(text)
    if token is None or token["name"] == "Mozilla":
        return _Device("", "", "")
    return _Device(token["name"], _version(token["major"]), "")


def _version(major: str | None) -> str:
    return major if major and _VERSION.fullmatch(major) else ""


@lru_cache(maxsize=1)
def _rules() -> Resolver:
    return Resolver(load_lazy_builtins())
