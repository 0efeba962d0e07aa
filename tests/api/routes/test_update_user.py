"""Changing one's name and image (wire.md §9, A18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Answer, Browser, kept, kept_until_closed
from tests.api.conftest import HandClock
from tests.databases import Database

DONE = (200, {"status": True})
EVENTS = "SELECT count(*) FROM events"
IMAGE = "https://example.com/ada.png"


def update(browser: Browser, **fields: object) -> Answer:
    return browser.post("/update-user", fields)


def user(browser: Browser) -> Any:
    return browser.get("/get-session?disableRefresh=1").json()["user"]


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of Ada's session, begun at noon."""
    found: str = browser.sign_up(email).json()["token"]
    return found


def test_a_new_name_and_image_show_from_then_on(browser: Browser, token: str, clock: HandClock) -> None:
    before = user(browser)
    clock.wind(minutes=5)
    answer = update(browser, name="Ada King", image=IMAGE)
    assert (answer.status, answer.json()) == DONE
    after = {**before, "name": "Ada King", "image": IMAGE, "updatedAt": "2026-03-14T12:05:00.000Z"}
    assert user(browser) == after
    assert browser.sign_in(before["email"]).json()["user"] == after


def test_what_is_not_given_stays(browser: Browser, token: str) -> None:
    update(browser, image=IMAGE)
    update(browser, name="Ada King")
    assert (user(browser)["name"], user(browser)["image"]) == ("Ada King", IMAGE)
    update(browser, image="http://example.com/ada.png")
    assert (user(browser)["name"], user(browser)["image"]) == ("Ada King", "http://example.com/ada.png")


@pytest.mark.parametrize("image", [None, ""])
def test_an_image_can_be_taken_away(browser: Browser, token: str, image: str | None) -> None:
    update(browser, image=IMAGE)
    assert update(browser, image=image).status == 200
    assert user(browser)["image"] is None


@pytest.mark.parametrize("name", ["", " ", "Ада Лавлейс", "愛", "O'Hara <b>", "é" * 200, "👩‍👩‍👧"])
def test_a_name_may_be_anything_of_200_characters(browser: Browser, token: str, name: str) -> None:
    assert update(browser, name=name).status == 200
    assert user(browser)["name"] == name


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "é" * 201},
        {"name": None},
        {"name": 5},
        {"name": True},
        {"name": ["Ada"]},
        {"name": {"first": "Ada"}},
        {"image": 5},
        {"image": []},
        {"image": "https://example.com/" + "a" * 2029},
        {"image": "javascript:alert(1)"},
        {"image": "data:image/png;base64,AA"},
        {"image": "ada.png"},
        {"name": "Ada King", "image": 5},
    ],
)
def test_anything_else_is_refused_and_changes_nothing(
    browser: Browser, token: str, module_database: Database, fields: dict[str, object]
) -> None:
    before, count = user(browser), module_database.value(EVENTS)
    answer = update(browser, **fields)
    assert (answer.problem, answer.set_cookies) == ((400, "VALIDATION_ERROR"), [])
    assert answer.json()["message"].startswith("[body.")
    assert (user(browser), module_database.value(EVENTS)) == (before, count)


def test_an_image_of_2048_characters_is_kept(browser: Browser, token: str) -> None:
    longest = "https://example.com/" + "a" * 2028
    assert update(browser, image=longest).status == 200
    assert user(browser)["image"] == longest


@pytest.mark.parametrize("address", ["other@example.com", None, 5, ""])
def test_the_address_is_not_changed_here(
    browser: Browser, token: str, module_database: Database, address: object
) -> None:
    before, count = user(browser), module_database.value(EVENTS)
    answer = update(browser, name="Ada King", email=address)
    said = {"message": "Email can not be updated", "code": "EMAIL_CAN_NOT_BE_UPDATED"}
    assert (answer.status, answer.json(), answer.set_cookies) == (400, said, [])
    assert (user(browser), module_database.value(EVENTS)) == (before, count)


@pytest.mark.parametrize("fields", [{}, {"theme": "dark"}, {"id": "x", "emailVerified": True}])
def test_nothing_to_change_is_a_refusal_without_a_code(browser: Browser, token: str, fields: dict[str, object]) -> None:
    answer = update(browser, **fields)
    assert (answer.status, answer.json(), answer.set_cookies) == (400, {"message": "No fields to update"}, [])


def test_what_only_the_server_sets_is_ignored(browser: Browser, token: str) -> None:
    before = user(browser)
    set_by_us = {"id": "x", "emailVerified": True, "createdAt": "2000-01-01T00:00:00.000Z"}
    assert update(browser, name="Ada King", **set_by_us).status == 200
    assert user(browser) == {**before, "name": "Ada King"}


def test_the_same_once_more_is_done_and_recorded_once(browser: Browser, token: str, module_database: Database) -> None:
    count = module_database.value(EVENTS)
    for _ in range(2):
        assert update(browser, name="Ada King", image=IMAGE).status == 200
    assert update(browser, name="Ada King").status == 200
    names = "SELECT name FROM events WHERE stream_id = %s::uuid ORDER BY version"
    assert [name for (name,) in module_database.rows(names, user(browser)["id"])] == [
        "SignedUp",
        "NameChanged",
        "ImageChanged",
    ]
    assert module_database.value(EVENTS) == count + 2


def test_the_cookie_is_sent_again_with_its_full_age_and_the_session_is_not_extended(
    browser: Browser, token: str, clock: HandClock
) -> None:
    before = browser.session()
    clock.wind(hours=5)
    for name in ("Ada King", "Ada King"):
        answer = update(browser, name=name)
        assert answer.set_cookies == kept(token)
    assert browser.session() == before


def test_an_extension_that_is_due_sends_the_cookie_once(browser: Browser, token: str, clock: HandClock) -> None:
    clock.wind(hours=25)
    assert update(browser, name="Ada King").set_cookies == kept(token)
    assert browser.session()["expiresAt"] == "2026-03-22T13:00:00.000Z"


def test_a_browser_that_forgets_it_when_closed_goes_on_doing_so(browser: Browser, clock: HandClock, email: str) -> None:
    token = browser.sign_up(email, rememberMe=False).json()["token"]
    clock.wind(hours=5)
    assert update(browser, name="Ada King").set_cookies == kept_until_closed(token)
    assert browser.session()["expiresAt"] == "2026-03-15T12:00:00.000Z"
    clock.wind(hours=19)
    assert browser.session() is None


def test_an_organization_keeps_the_name_it_was_founded_with(browser: Browser, token: str) -> None:
    update(browser, name="Countess Lovelace")
    assert [one["name"] for one in browser.get("/organization/list").json()] == ["Ada's Organization"]
