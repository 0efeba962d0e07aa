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
    "CFNetwork": "",  # the library of some app on an Apple system
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
    "Slack Desktop Client": "Slack",
    "WeChat Browser": "WeChat",
}
_SYSTEMS = {
    "ATV OS X": "tvOS",
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
_SAYS_MACOS = re.compile(r"[(; ](?:Macintosh;|macOS |Mac OS/)")  # where the rules find no system
_CONSOLE = re.compile(
    r"(?:\(|; )(?:(?:PlayStation|PLAYSTATION) (?P<sony>[2-9]|Vita|Portable)"
    r"|Nintendo (?P<nintendo>Switch 2|Switch|3DS|DSi|DS|Wii ?U|Wii)|(?P<xbox>Xbox))(?![0-9A-Za-z])"
)

_OF_A_CONSOLE = frozenset({"NetFront", "NetFront NX", "Safari"})
"""What the rules call the browser of a console, which goes by no name."""
_IS_A_SYSTEM = frozenset({"BlackBerry", "Kindle", "Roku"})
"""No browser: the rules read a telephone, a reader or a television, and the version of what runs on it."""
_VERSION_OF_THE_SYSTEM = frozenset({"Android", "Apple Watch App", "webOS Browser"})
_SHELLS = frozenset({"Android", "Chrome Mobile WebView", "Electron", "Qt Web Engine"})
"""What an app is built in or runs on: the app itself is who asks, where it says so."""
_ENGINES = frozenset({"Chrome", "Chrome Mobile", "Mobile Safari", "Safari", "curl"})
"""What an app may send after its own name."""
_NO_APPS = frozenset(
    (
        *("ABI", "AppleWebKit", "Build", "Channel", "Chrome", "Crosswalk", "Dalvik", "Electron", "Gecko", "JsSdk"),
        *("KHTML", "MMWEBID", "MMWEBSDK", "Mobile", "Mozilla", "NF", "NX", "NintendoBrowser", "QtWebEngine", "Safari"),
        *("NetType", "TBS", "UT4Aplus", "UWS", "Version", "WKWebView", "WebView", "XWEB"),
    )
)
"""Products that stand beside an app's own."""
_APPS = {"MicroMessenger": "WeChat", "RocketChat": "Rocket Chat", "discord": "Discord", "obsidian": "Obsidian"}
_UNUSUALLY_WRITTEN = (  # names of apps that are no tokens, as a product without or with its version
    (re.compile(r"AliApp\((?P<product>[A-Za-z]{1,32}/[0-9.]{1,16})\)"), r"\g<product>"),
    (re.compile(r"\[LinkedInApp\]"), "LinkedIn/0"),
    (re.compile(r"Rocket\.Chat\+?/"), "RocketChat/"),
    (re.compile(r"\bmusical_ly_(?=[0-9])"), "TikTok/"),
)

# No dots, colons, at signs: a name must not turn into a link in a mail.
_OWN_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 !+_-]{0,31}")
_SENDERS_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+_-]{0,31}")
_VERSION = re.compile(r"[1-9][0-9]{0,3}")
_PRODUCT = re.compile(
    r"(?:(?:com|io|net|org)\.(?:[A-Za-z0-9_-]+\.)*)?"  # an app's identifier: its last part is the app's name
    r"(?P<name>[0-9]?[A-Za-z][A-Za-z0-9_-]{0,31}(?: [A-Z0-9][A-Za-z0-9]{0,15}){0,2})"
    r"(?:/| v(?=[0-9]))(?P<major>[0-9]{1,4}(?![0-9]))?.*",
    re.DOTALL,
)
_BARE_PRODUCT = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]{0,31})(?P<major>)")
_PRODUCT_BEHIND = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]{1,31})/v?(?=[0-9])(?P<major>[0-9]{1,4}(?![0-9]))?.*")
_COMMENT = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
_LONGEST_NAME = 32


class _Device(NamedTuple):
    browser: str
    version: str
    system: str


def device(user_agent: str | None, *, on: str = " on ") -> str:
    """Browser with major version and operating system, such as "Chrome 130 on macOS"; "" when it says neither.

    Says only what the string can prove: versions of operating systems are frozen in it, and an iPad that asks for
    desktop pages cannot be told from a Mac. The text is short printable ASCII without markup, whatever was sent;
    still it is the sender's claim. `on` stands between both, in the reader's language. wire.md, extra fields: `device`.
    """
    browser, version, system = _read((user_agent or "")[:_LONGEST])
    if browser and version:
        browser = f"{browser} {version}"
    return on.join(part for part in (browser, system) if part)


def family(user_agent: str | None) -> tuple[str, str]:
    """Browser and operating system without versions, each "" if unknown: equal before and after an update."""
    browser, _, system = _read((user_agent or "")[:_LONGEST])
    return browser, system


@lru_cache(maxsize=2048)
def _read(user_agent: str) -> _Device:
    text = user_agent.encode("ascii", "replace").decode("ascii")
    found = _rules()(text, Domain.USER_AGENT | Domain.OS)
    console = _console(text)
    system = console or _system(found.os.family if found.os else "", text)
    if not found.user_agent:
        return _own_name(text)._replace(system=system)
    kind = found.user_agent.family
    if kind in _IS_A_SYSTEM or (console and kind in _OF_A_CONSOLE):
        return _Device("", "", system)
    browser = _name(kind, text, _BROWSERS)
    if not browser or kind in _SHELLS | _ENGINES:
        own = _own_name(text, behind=kind not in _ENGINES)
        if own.browser:
            return own._replace(system=system)
    if browser == "Safari" and system not in _APPLE:
        return _Device("", "", system)  # televisions and consoles share its engine and call themselves Safari
    if kind == "Android" and not ("Version/" in text and "Safari/" in text):
        return _Device("", "", system)  # the rules take every program on Android for its browser
    if browser.lower().endswith("bot"):
        system = ""  # robots name a telephone to be shown pages for telephones
    version = "" if not browser or kind in _VERSION_OF_THE_SYSTEM else _version(found.user_agent.major)
    if found.os and version == found.os.major and not re.search(rf"(?:/v?|MSIE |rv:){version}\b", text):
        version = ""  # found behind the system's name, and nowhere else
    return _Device(browser, version, system)


def _system(name: str, text: str) -> str:
    if name == "iOS" and re.search(r"\biPad", text):
        return "iPadOS"
    if not name and _SAYS_MACOS.search(text):
        return "macOS"
    return _name(name, text, _SYSTEMS)


def _console(text: str) -> str:
    """The console a browser runs on, "" on anything else; to the rules they are Windows, or nothing."""
    said = _CONSOLE.search(text)
    if said is None:
        return ""
    if said["xbox"]:
        return "Xbox"
    return f"PlayStation {said['sony']}" if said["sony"] else f"Nintendo {said['nintendo'].replace('WiiU', 'Wii U')}"


def _name(name: str, text: str, known: dict[str, str]) -> str:
    """The name to show; what the sender worded may be a message to the reader, so of that a single token only."""
    if name in known:
        return known[name]
    allowed = _SENDERS_WORD if name in text else _OWN_WORDS
    return name if allowed.fullmatch(name) else ""


def _own_name(text: str, *, behind: bool = True) -> _Device:
    """How a program names itself, by its product token (RFC 9110 section 10.1.5): "Dart/3.5 (dart:io)".

    Programs send theirs first; those in a browser's clothes, where `behind`, somewhere behind the browser's own. A name
    may have three words, but each has to begin as names do: that says no more to a reader than one token can.
    """
    for written, product in _UNUSUALLY_WRITTEN:
        text = written.sub(product, text)
    said = _product_behind(text) if behind and text.startswith(("Mozilla/", "Dalvik/")) else None
    said = said or _PRODUCT.fullmatch(text.replace("%20", " ")) or _BARE_PRODUCT.fullmatch(text)
    if said is None or said["name"] == "Mozilla" or len(said["name"]) > _LONGEST_NAME:
        return _Device("", "", "")
    return _Device(_APPS.get(said["name"], said["name"]), _version(said["major"]), "")


def _product_behind(text: str) -> re.Match[str] | None:
    """The first product that is not one of a browser's; what follows it says what network, language or theme it has."""
    tokens = _COMMENT.sub(" ", text).split()
    return next((_PRODUCT_BEHIND.fullmatch(token) for token in tokens if token.split("/")[0] not in _NO_APPS), None)


def _version(major: str | None) -> str:
    return major if major and _VERSION.fullmatch(major) else ""


@lru_cache(maxsize=1)
def _rules() -> Resolver:
    return Resolver(load_lazy_builtins())
