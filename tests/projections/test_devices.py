"""What a person reads about a browser, and what a hostile one cannot make them read."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.devices import device, family

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
CHROMEBOOK = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
SAFARI_ON_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.1 Safari/605.1.15"
)
GOOGLEBOT = "compatible; Googlebot/2.1; +http://www.google.com/bot.html"

BROWSERS = [
    (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36", "Chrome 130 on Windows"),
    (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.2849.68", "Edge 130 on Windows"),
    (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0", "Opera 115 on Windows"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132 on Windows"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11 on Windows"),
    (f"{MAC} Chrome/130.0.0.0 Safari/537.36", "Chrome 130 on macOS"),
    (f"{MAC} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge 130 on macOS"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132 on macOS"),
    (SAFARI_ON_MAC, "Safari 18 on macOS"),
    (f"{LINUX} Chrome/130.0.0.0 Safari/537.36", "Chrome 130 on Linux"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132 on Linux"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132 on Linux"),
    (f"{CHROMEBOOK} Chrome/130.0.0.0 Safari/537.36", "Chrome 130 on ChromeOS"),
    (f"{ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36", "Chrome 130 on Android"),
    (f"{ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36 EdgA/130.0.0.0", "Edge 130 on Android"),
    (f"{ANDROID} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", "Samsung Internet 27 on Android"),
    ("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox 132 on Android"),
    (f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18 on iOS"),
    (f"{IPHONE} Mobile/15E148 Safari/604.1", "Safari on iOS"),
    (f"{IPHONE} Mobile/15E148", "iOS"),
    (f"{IPHONE} CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1", "Chrome 130 on iOS"),
    (f"{IPHONE} FxiOS/132.0 Mobile/15E148 Safari/605.1.15", "Firefox 132 on iOS"),
    (f"{IPHONE} EdgiOS/130.0.2849.80 Version/18.0 Mobile/15E148 Safari/604.1", "Edge 130 on iOS"),
    (f"{IPAD} Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18 on iPadOS"),
    (f"{IPAD} CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1", "Chrome 130 on iPadOS"),
]

PROGRAMS = [
    ("curl/8.10.1", "curl 8"),
    ("python-httpx/0.27.2", "python-httpx"),
    ("python-requests/2.32.3", "python-requests 2"),
    ("Python/3.12 aiohttp/3.10.5", "aiohttp 3"),
    ("Dart/3.5 (dart:io)", "Dart 3"),
    ("okhttp/4.12.0", "okhttp 4"),
    ("Go-http-client/2.0", "Go-http-client 2"),
    ("node", "node"),
    ("Ledger/3.2 CFNetwork/1568.200.51 Darwin/24.1.0", "Ledger 3 on iOS"),
    (f"Mozilla/5.0 ({GOOGLEBOT})", "Googlebot 2"),
    (
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) Chrome/130.0.0.0 Mobile Safari/537.36 ({GOOGLEBOT})",
        "Googlebot 2",
    ),
]

UNTELLING = [
    None,
    "",
    " ",
    "Mozilla/5.0",
    "0",
    "/",
    "x" * 1024,
    "\0" * 1024,
    "<script>alert(1)</script>",
    "<b>Daybook</b>/1.0",
    "Your account is locked, call +49 30 1234",
    "evil.example/1.0",
    "https://evil.example/1",
    "\u202ecod.exe/1.0",
    "Mä/1",
    "\ud800",
    "\x1b[2Jcurl/8",
    "'; DROP TABLE users; --",
    '=HYPERLINK("http://evil.example")',
]

WORDED = [  # the words before CFNetwork become the program's name in the rules
    "<img src=x onerror=alert(1)>/1 CFNetwork/1568 Darwin/24.1.0",
    "Your account is locked/1 CFNetwork/1568 Darwin/24.1.0",
    "evil.example/1 CFNetwork/1568 Darwin/24.1.0",
    "\u202eelgooG/1 CFNetwork/1568 Darwin/24.1.0",
    "Your Account Is Locked/1 (iPhone; iOS 18.1; Scale/3.00)",
    "Your account/1 (iPhone; iOS 18.1; Scale/3.00)",
    "www.evil.example/1 (iPhone; iOS 18.1; Scale/3.00)",
    f"{IPHONE} Mobile/15E148 evil.example/1",
    f"{IPHONE} Mobile/15E148 {'x' * 33}/1",
]


@pytest.mark.parametrize(("user_agent", "text"), BROWSERS)
def test_browsers_are_named_with_major_version_and_system(user_agent: str, text: str) -> None:
    assert device(user_agent) == text


@pytest.mark.parametrize(("user_agent", "text"), PROGRAMS)
def test_programs_and_robots_are_named_by_their_product(user_agent: str, text: str) -> None:
    assert device(user_agent) == text


@pytest.mark.parametrize("user_agent", UNTELLING)
def test_what_names_no_device_is_left_empty(user_agent: str | None) -> None:
    assert device(user_agent) == ""
    assert family(user_agent) == ("", "")


@pytest.mark.parametrize("user_agent", WORDED)
def test_a_sender_cannot_word_what_the_reader_sees(user_agent: str) -> None:
    assert device(user_agent) == "iOS"


def test_an_engine_on_a_foreign_system_is_not_called_safari() -> None:
    assert device("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15") == "Linux"


def test_an_update_of_browser_or_system_is_the_same_family() -> None:
    before = f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1"
    after = before.replace("18_1", "18_6").replace("18.1", "26.0")
    assert device(before) != device(after)
    assert family(before) == family(after) == ("Safari", "iOS")


def test_a_distribution_that_stops_naming_itself_is_the_same_family() -> None:
    named = "Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
    assert family(named) == family("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0")


def test_other_browsers_and_other_systems_are_other_families() -> None:
    chrome, safari = f"{MAC} Chrome/130.0.0.0 Safari/537.36", SAFARI_ON_MAC
    assert family(chrome) == ("Chrome", "macOS")
    assert family(safari) == ("Safari", "macOS")
    assert family(f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36") == ("Chrome", "Windows")


def test_only_the_beginning_of_a_long_string_is_read() -> None:
    assert device("curl/8.10.1" + " " * 501 + "Firefox/132.0") == "curl 8"
    assert device("(" + "x" * 511 + "Firefox/132.0") == ""


@given(st.text(max_size=1024) | st.from_regex(r"[ -~]{1,64}/[0-9]{1,9} CFNetwork/1 Darwin/24", fullmatch=True))
def test_any_string_yields_a_short_harmless_text(user_agent: str) -> None:
    text = device(user_agent)
    assert len(text) <= 80
    assert not text or text[0].isalnum()  # no formula in a spreadsheet
    assert set(text) <= set(string.ascii_letters + string.digits + " _+-!")


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "a/",
        " ",
        "CPU OS ",
        "Android 4; ",
        "Build/",
        "Opera ",
        "/1 CFNetwork",
        "HbbTV/1.1.1 (",
        "(",
        "(a",
        "() ",
        "A ",
        "com.a.",
    ],
)
def test_a_crafted_string_costs_no_more_than_milliseconds(piece: str) -> None:
    device("curl/8")
    hostile = ["Mozilla/5.0 (" + piece * count for count in range(100, 120)]
    begun = time.thread_time()
    for user_agent in hostile:
        device(user_agent[:1024])
    assert (time.thread_time() - begun) / len(hostile) < 0.005
