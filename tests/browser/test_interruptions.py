"""What comes between a form and what it does: the session is over, it is not fresh, it is pressed twice, or Back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Route

from tests.browser.conftest import Devices
from tests.browser.devices import Device
from tests.browser.product import Account, Product
from tests.people import PASSWORD

SETTINGS = {"fresh_for": 600, "fresh_calls": "change-password,update-user"}

PAGE = "/account/settings"
MEMBERS = "/organization/members"


def invited(ada: Account) -> list[str]:
    """Whom her organization waits for."""
    return [one["email"] for one in ada.get("/organization/list-invitations").json()]


def test_what_was_typed_is_not_lost_when_the_session_is_over_and_goes_where_it_was_meant_to(
    ada: Account, bo: Account, laptop: Device
) -> None:
    ada.founds("Acme")
    device = ada.another_device()
    laptop.has_cookies_of(device)
    laptop.open(MEMBERS)
    device.post("/sign-out")
    laptop.press("Generate invitation link", email=bo.email)
    assert "Your session ended. Sign in again; nothing was lost." in laptop.text
    assert invited(ada) == []
    laptop.signs_in(ada.email)
    assert "nothing was lost" in laptop.text
    laptop.press("Send it now")
    assert laptop.notices == ["The invitation is made. Copy its link, or wait for the mail to arrive."]
    assert invited(ada) == [bo.email]


def becomes(laptop: Device, other: Account) -> None:
    """In another tab Ada signs out, and somebody else in."""
    tab = laptop.another_tab()
    tab.goto("/account/settings")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Sign out").click()
    tab.locator("[name=email]").fill(other.email)
    tab.locator("[name=password]").fill(PASSWORD)
    with tab.expect_navigation():
        tab.get_by_role("button", name="Sign in").click()
    tab.close()


def test_a_form_left_open_does_nothing_for_who_signed_in_in_another_tab(
    ada: Account, bo: Account, laptop: Device
) -> None:
    laptop.has_cookies_of(ada.another_device())
    laptop.open(PAGE)
    becomes(laptop, bo)
    laptop.press("Save", name="Countess")
    assert "You are signed in as Bo Diddley. The form was opened by another person" in laptop.text
    laptop.follow("Leave it")
    assert laptop.field("name").input_value() == "Bo Diddley"


def test_who_opened_the_form_signs_in_again_and_sends_it(ada: Account, bo: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada.another_device())
    laptop.open(PAGE)
    becomes(laptop, bo)
    laptop.press("Save", name="Countess & Co. ~ 100 %")
    laptop.press("Sign out, and sign in as the other person")
    laptop.signs_in(ada.email)
    laptop.press("Send it now")
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.field("name").input_value() == "Countess & Co. ~ 100 %"


def test_who_means_it_sends_what_another_person_entered(ada: Account, bo: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada.another_device())
    laptop.open(PAGE)
    becomes(laptop, bo)
    laptop.press("Save", name="Countess")
    laptop.press("Send it as Bo Diddley")
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.field("name").input_value() == "Countess"


def test_a_password_is_in_no_page_that_keeps_what_was_typed(ada: Account, laptop: Device) -> None:
    device = ada.another_device()
    laptop.has_cookies_of(device)
    laptop.open(PAGE)
    device.post("/sign-out")
    laptop.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert PASSWORD not in laptop.tab.content()
    assert "battery" not in laptop.tab.content()


def test_who_is_not_fresh_confirms_and_what_they_asked_for_is_done(
    product: Product, ada: Account, laptop: Device
) -> None:
    laptop.has_cookies_of(ada)
    laptop.open(PAGE)
    product.clock.wind(hours=1)
    laptop.tab.locator("#name").fill("Countess & Co. #1")
    laptop.press("Save")
    assert "Confirm it is you" in laptop.text
    laptop.press("Confirm", confirm_password="not it at all 1")
    assert "This is not your password." in laptop.text
    laptop.press("Confirm", confirm_password=PASSWORD)
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.field("name").input_value() == "Countess & Co. #1"


def test_sessions_are_ended_without_being_fresh(product: Product, ada: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada)
    ada.another_device()
    product.clock.wind(hours=1)
    laptop.open("/account/sessions")
    laptop.press("Sign out all other devices")
    assert laptop.notices == ["All your other devices are signed out."]


def test_pressing_twice_does_it_once(ada: Account, bo: Account, laptop: Device) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    laptop.open(MEMBERS)
    laptop.field("email").fill(bo.email)
    laptop.comes(lambda: laptop.button("Generate invitation link").dblclick())
    laptop.tab.wait_for_load_state()
    laptop.open(MEMBERS)
    assert invited(ada) == [bo.email]
    assert laptop.tab.locator("#invitations-card h3").count() == 1


def is_stopped(device: Device, button: Locator, path: str, *, times: int = 1) -> int:
    """Press a button so many times on a network so slow that nothing of it arrives, and then Stop; how often it was
    sent to that path.
    """
    sent: list[Route] = []
    device.tab.route(f"**{path}", lambda route: sent.append(route))
    # by the page itself: from outside nothing can be done in one that is being left
    button.evaluate(
        """(button, times) => {
            for (let pressed = 0; pressed < times; pressed++) setTimeout(() => button.click(), 200 * pressed);
            setTimeout(() => window.stop(), 200 * times + 200);
        }""",
        times,
    )
    device.tab.wait_for_timeout(200 * times + 400)
    device.tab.unroute(f"**{path}")
    return len(sent)


def test_pressing_again_and_again_on_a_slow_network_sends_it_once(ada: Account, devices: Devices) -> None:
    laptop = devices(signed_in=ada)
    laptop.open(PAGE)
    assert is_stopped(laptop, laptop.button("Save"), "/account/profile", times=3) == 1
    assert laptop.button("Save").get_attribute("aria-busy") == "true"


def test_a_form_is_sent_again_five_seconds_after_it_was(ada: Account, devices: Devices) -> None:
    laptop = devices(signed_in=ada)
    laptop.open(PAGE)
    laptop.fill(name="Countess")
    assert is_stopped(laptop, laptop.button("Save"), "/account/profile") == 1
    laptop.tab.wait_for_timeout(5_000)
    assert laptop.button("Save").get_attribute("aria-busy") is None
    laptop.press("Save")
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.field("name").input_value() == "Countess"


@pytest.mark.parametrize("kind", ["input", "change"])
def test_a_form_is_sent_again_once_something_else_is_entered(ada: Account, devices: Devices, kind: str) -> None:
    laptop = devices(signed_in=ada)
    laptop.open(PAGE)
    assert is_stopped(laptop, laptop.button("Save"), "/account/profile") == 1
    laptop.field("name").dispatch_event(kind)
    laptop.press("Save")
    assert laptop.notices == ["Your profile is saved."]


def test_back_after_a_form_shows_the_form_and_sends_nothing_again(ada: Account, bo: Account, laptop: Device) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    laptop.open(MEMBERS)
    laptop.press("Generate invitation link", email=bo.email)
    laptop.tab.go_back()
    assert laptop.path == MEMBERS
    laptop.tab.go_forward()
    laptop.tab.reload()
    assert invited(ada) == [bo.email]


def test_a_form_is_sent_again_after_back(ada: Account, bo: Account, devices: Devices) -> None:
    ada.founds("Acme")
    laptop = devices(signed_in=ada)
    laptop.open(MEMBERS)
    laptop.press("Generate invitation link", email=bo.email)
    laptop.tab.go_back()
    laptop.press("Generate invitation link", email=f"second-{bo.email}")
    assert sorted(invited(ada)) == sorted([bo.email, f"second-{bo.email}"])


@pytest.mark.parametrize("page", [PAGE, MEMBERS, "/account/sessions", "/account/activity", "/account/delete"])
def test_who_is_signed_out_in_another_tab_signs_in_and_is_back_on_the_page(
    ada: Account, laptop: Device, page: str
) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    laptop.open(page)
    other = laptop.another_tab()
    other.goto("/account/settings")
    with other.expect_navigation():
        other.get_by_role("button", name="Sign out").click()
    laptop.tab.reload()
    laptop.signs_in(ada.email)
    assert laptop.path == page
