"""Known devices: what the cookie says, what is believed of it, and what it costs nobody (wire.md A14)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from api.edge.cookies import SessionCookies
from api.edge.known_device import SHOWN, Device, KnownDevices
from tests.api.browser import DEVICE_COOKIE, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import ADA, BO, NOON, SECRET
from tests.server import application

DAY = timedelta(days=1)
YEAR = 365 * DAY
DEVICES = KnownDevices(SessionCookies("better-auth", False, SECRET))
NAME = "A" * 22


def cookie(line: str) -> str:
    """A Set-Cookie as a browser sends it back."""
    return line.partition(";")[0]


def known_to(*accounts: UUID) -> Device:
    """A device with which these signed in, one after the other, at noon."""
    devices = DEVICES.shown(None)
    for account in accounts:
        devices = DEVICES.shown(cookie(DEVICES.remember(devices, account, NOON)))
    [device] = devices
    return device


def test_who_signed_in_is_known_for_a_year_and_nobody_else() -> None:
    device = known_to(ADA)
    assert device.knows(ADA, NOON)
    assert not device.knows(BO, NOON)
    assert device.knows(ADA, NOON + YEAR)
    assert not device.knows(ADA, NOON + YEAR + DAY)
    # nor before it did: a clock that was set back makes nothing older
    assert not device.knows(ADA, NOON - DAY)


def test_to_sign_in_again_begins_the_year_anew_and_keeps_the_device() -> None:
    device = known_to(ADA)
    [again] = DEVICES.shown(cookie(DEVICES.remember([device], ADA, NOON + 300 * DAY)))
    assert again.name == device.name
    assert len(again.marks) == 1
    assert again.knows(ADA, NOON + 600 * DAY)


def test_five_accounts_of_one_browser_are_known_the_last_ones() -> None:
    accounts = [UUID(int=number) for number in range(1, 8)]
    device = known_to(*accounts)
    assert [device.knows(account, NOON) for account in accounts] == [False] * 2 + [True] * 5
    assert len(cookie(DEVICES.remember([device], ADA, NOON))) < 250


def test_nothing_in_it_says_whose_it_is() -> None:
    line = DEVICES.remember(DEVICES.shown(None), ADA, NOON)
    assert ADA.hex not in line
    # the same person on another device leaves another mark
    other = DEVICES.remember(DEVICES.shown(None), ADA, NOON)
    assert {*cookie(line).split(".")[2:]}.isdisjoint(cookie(other).split(".")[2:])


@pytest.mark.parametrize(
    "shown",
    [
        None, "", "x=y", f"{DEVICE_COOKIE}=", f"{DEVICE_COOKIE}={NAME}", f"{DEVICE_COOKIE}={NAME}.20526",
        f"{DEVICE_COOKIE}={NAME}.20526{'A' * 22}", f"{DEVICE_COOKIE}={NAME}.-0526{'A' * 22}",
        f"{DEVICE_COOKIE}={NAME}.²0526{'A' * 22}", f"{DEVICE_COOKIE}={NAME}" + f".20526{'A' * 22}" * 6,
        f"{DEVICE_COOKIE}={NAME}" + ".20526" + "A" * 100_000, f"{DEVICE_COOKIE}={ADA.hex}",
    ],
)  # fmt: skip
def test_what_nobody_gave_out_is_not_believed(shown: str | None) -> None:
    devices = DEVICES.shown(shown)
    assert not any(device.knows(ADA, NOON) for device in devices)
    assert known_to(ADA).knows(ADA, NOON)
    [device] = DEVICES.shown(cookie(DEVICES.remember(devices, ADA, NOON)))
    assert device.knows(ADA, NOON)


def test_a_forged_one_in_front_does_not_hide_the_real_one() -> None:
    real = cookie(DEVICES.remember([], ADA, NOON))
    forged = [f"{DEVICE_COOKIE}={NAME[:-1]}{number}.20526{'A' * 22}" for number in range(SHOWN)]
    devices = DEVICES.shown("; ".join([*forged[1:], *forged[1:], real]))
    assert [device.knows(ADA, NOON) for device in devices] == [False] * (SHOWN - 1) + [True]
    # and it is this one that goes on
    [again] = DEVICES.shown(cookie(DEVICES.remember(devices, ADA, NOON + DAY)))
    assert again.name == devices[-1].name
    assert len(DEVICES.shown("; ".join([*forged, real] * 100))) == SHOWN


def test_a_mark_is_of_its_device_its_day_and_its_secret() -> None:
    device = known_to(ADA)
    [mark] = device.marks
    assert not Device(NAME, (mark,), device.key).knows(ADA, NOON)
    later = f"{int(mark[:5]) + 1}{mark[5:]}"
    assert not Device(device.name, (later,), device.key).knows(ADA, NOON + DAY)
    others = KnownDevices(SessionCookies("better-auth", False, "another secret, 32 characters and more"))
    [shown] = others.shown(f"{DEVICE_COOKIE}={device.name}.{mark}")
    assert not shown.knows(ADA, NOON)


def test_it_is_set_at_sign_up_and_sign_in_and_outlives_the_session(browser: Browser, email: str) -> None:
    line = browser.sign_up(email).device_cookie or ""
    assert line.startswith(f"{DEVICE_COOKIE}=")
    assert line.partition(";")[2] == " Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"
    for path in ("/get-session", "/list-sessions"):
        assert browser.get(path).device_cookie is None
    assert browser.post("/sign-out").device_cookie is None
    assert cookie(line) == f"{DEVICE_COOKIE}={browser.cookies[DEVICE_COOKIE]}"
    assert browser.sign_in(email, "wrong password").device_cookie is None
    again = browser.sign_in(email).device_cookie or ""
    assert cookie(again) == cookie(line)


def test_over_https_it_is_marked_secure(module_database: Database, clock: HandClock, email: str) -> None:
    settings = settings_for(module_database, base_url="https://accounts.example.com", cookie_prefix="acme")
    with application(settings, clock) as url:
        browser = Browser(url, origin="https://accounts.example.com")
        lines = browser.sign_up(email).all_cookies
    [line] = [line for line in lines if "known_device" in line]
    assert line.startswith("__Secure-acme.known_device=")
    assert line.endswith("; Path=/; HttpOnly; Secure; SameSite=Lax")


def test_who_does_not_want_to_be_remembered_leaves_nothing(browser: Browser, email: str) -> None:
    assert browser.sign_up(email, rememberMe=False).device_cookie is None
    assert browser.sign_in(email, rememberMe=False).device_cookie is None
    assert browser.sign_in(email).device_cookie is not None
