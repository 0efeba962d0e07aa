"""Opening an account (wire.md §9, A4, A18)."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.databases import Database
from tests.people import PASSWORD

TAKEN = {"message": "User already exists. Use another email.", "code": "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"}


def test_the_answer_is_the_secret_and_the_person_in_lower_case(browser: Browser) -> None:
    answer = browser.sign_up("Ann.Lee@Example.COM", name="Ann Lee")
    said = answer.json()
    assert answer.status == 200
    assert said == {
        "token": said["token"],
        "user": {
            "id": said["user"]["id"],
            "name": "Ann Lee",
            "email": "ann.lee@example.com",
            "emailVerified": False,
            "image": None,
            "createdAt": "2026-03-14T12:00:00.000Z",
            "updatedAt": "2026-03-14T12:00:00.000Z",
        },
    }


def test_the_new_device_is_signed_in_at_once(browser: Browser, email: str) -> None:
    user = browser.sign_up(email).json()["user"]
    found = browser.get("/get-session").json()
    assert found["user"] == user
    assert found["session"]["userId"] == user["id"]
    assert {key: found["session"][key] for key in ("createdAt", "updatedAt", "authenticatedAt", "expiresAt")} == {
        "createdAt": "2026-03-14T12:00:00.000Z",
        "updatedAt": "2026-03-14T12:00:00.000Z",
        "authenticatedAt": "2026-03-14T12:00:00.000Z",
        "expiresAt": "2026-03-21T12:00:00.000Z",
    }


def test_an_image_is_kept_and_an_empty_one_is_none(browser: Browser, email: str) -> None:
    answer = browser.sign_up(email, image="https://example.com/ada.png")
    assert answer.json()["user"]["image"] == "https://example.com/ada.png"
    assert browser.get("/get-session").json()["user"]["image"] == "https://example.com/ada.png"
    assert browser.sign_up(f"x{email}", image="").json()["user"]["image"] is None


def test_a_taken_address_is_refused_in_whatever_case(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    other = Browser(browser.url)
    answer = other.sign_up(email.upper(), password="another password")
    assert (answer.status, answer.json(), answer.set_cookies) == (422, TAKEN, [])
    assert other.sign_in(email).status == 200


def test_a_callback_does_not_show_in_the_answer(browser: Browser, email: str) -> None:
    answer = browser.sign_up(email, callbackURL="/welcome")
    assert set(answer.json()) == {"token", "user"}
    assert answer.header("location") is None


@pytest.mark.parametrize(
    "callback", ["/join?invitationId=abc", "/?a=b&invitationId=0123456789abcdef#x", "/x?invitation%49d=1"]
)
def test_an_invitation_that_is_not_there_opens_no_account(
    browser: Browser, email: str, callback: str, module_database: Database
) -> None:
    before = module_database.value("SELECT count(*) FROM events")
    answer = browser.sign_up(email, callbackURL=callback)
    assert answer.json() == {"message": "Invitation not found", "code": "INVITATION_NOT_FOUND"}
    assert (answer.status, answer.set_cookies) == (400, [])
    assert module_database.value("SELECT count(*) FROM events") == before
    assert browser.sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert browser.sign_up(email, callbackURL="/join?invitationId=").status == 200


@pytest.mark.parametrize(
    "address", ["a@b", "a@b.c", "ü@x.io", "a@ü.io", "a!b@x.io", '"a"@x.io', "a@127.0.0.1", "a@x_y.io", " a@x.io", ""]
)
def test_these_are_no_addresses(browser: Browser, address: str) -> None:
    assert browser.sign_up(address).problem == (400, "VALIDATION_ERROR")
    answer = browser.sign_in(address)
    assert (answer.status, answer.json()) == (400, {"message": "Invalid email", "code": "INVALID_EMAIL"})


@pytest.mark.parametrize("address", ["o'k@x.io", "a+b@x.io", "a@x.museum", f"{'l' * 65}@x.io"])
def test_these_are(browser: Browser, address: str) -> None:
    assert browser.sign_up(address).json()["user"]["email"] == address


def test_an_address_may_have_254_characters(browser: Browser) -> None:
    longest = "a" * 249 + "@x.io"
    assert browser.sign_up(longest).status == 200
    assert browser.sign_up(f"a{longest}").problem == (400, "VALIDATION_ERROR")


def test_a_name_may_have_200_characters(browser: Browser, email: str) -> None:
    assert browser.sign_up(email, name="é" * 201).problem == (400, "VALIDATION_ERROR")
    assert browser.sign_up(email, name="é" * 200).json()["user"]["name"] == "é" * 200


def test_an_image_may_have_2048_characters_and_leads_to_http(browser: Browser, email: str) -> None:
    longest = "https://example.com/" + "a" * (2048 - len("https://example.com/"))
    for image in (f"{longest}a", "javascript:alert(1)", "data:image/png;base64,AA", "ada.png", "https://"):
        assert browser.sign_up(email, image=image).problem == (400, "VALIDATION_ERROR"), image
    assert browser.sign_up(email, image=longest).json()["user"]["image"] == longest


def test_a_body_may_have_64_kib(browser: Browser, email: str) -> None:
    room = 64 * 1024 - len('{"name": "Ada", "email": "", "password": "", "padding": ""}') - len(email + PASSWORD)
    assert browser.sign_up(email, padding="x" * (room + 1)).problem == (413, "PAYLOAD_TOO_LARGE")
    assert browser.sign_up(email, padding="x" * room).status == 200
