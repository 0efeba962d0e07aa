"""Account → Settings and the deletion of an account, as a person finds them on pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.pages.visitor import Visitor
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD

NEW_PASSWORD = "battery staple 2"


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification="asked", fresh_for=3_600)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    visitor = Visitor(url)
    visitor.open("/sign-up")
    visitor.press("Sign up", name="Ada Lovelace", email=email, password=PASSWORD)
    return visitor


def test_a_name_is_changed_and_shown_everywhere(ada: Visitor) -> None:
    page = ada.press("Save", name="Ada King")
    assert (page.status, page.notices) == (200, ["Your profile is saved."])
    assert "Ada King" in ada.open("/account/sessions").text


def test_a_picture_of_another_host_is_kept_and_not_fetched(ada: Visitor) -> None:
    page = ada.press("Save", image="https://pictures.example.com/ada.png")
    assert page.notices == ["Your profile is saved."]
    assert [given for tag, given in page.elements if tag == "img"] == []
    assert "AL" in page.text


@pytest.mark.parametrize("image", ["javascript:alert(1)", "ftp://example.com/a.png", "data:text/html,x"])
def test_what_is_no_picture_is_refused_beside_its_field(ada: Visitor, image: str) -> None:
    page = ada.press("Save", image=image)
    assert page.status == 400
    assert page.links["This is no address of a picture."] == "#image"


def test_a_password_is_changed_and_other_devices_are_signed_out(ada: Visitor, url: str, email: str) -> None:
    phone = Browser(url)
    assert phone.sign_in(email).status == 200
    page = ada.press("Change password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert page.notices == ["Your password is changed, and all your other devices are signed out."]
    assert phone.session() is None
    assert ada.browser.session()


def test_a_wrong_password_stands_beside_its_field_and_changes_nothing(ada: Visitor, url: str, email: str) -> None:
    page = ada.press("Change password", current_password="not it at all 1", password=NEW_PASSWORD)
    assert page.status == 400
    assert page.links["This is not your password."] == "#current_password"
    assert Browser(url).sign_in(email).status == 200


def test_an_address_changes_by_the_link_that_went_to_it(ada: Visitor, postman: Postman, email: str) -> None:
    another = f"another.{email}"
    page = ada.press("Change address", new_email=another)
    assert page.notices == ["We have sent a link to the new address. Open it to make the address yours."]
    assert another in page.text
    page = ada.open(postman.link_to(another, "email-change-confirmation").path)
    assert page.notices == ["The new address is yours."]
    assert f"{another} Confirmed" in page.text


def test_a_change_of_address_can_be_taken_back_before_it_is_done(ada: Visitor, postman: Postman, email: str) -> None:
    another = f"not.{email}"
    ada.press("Change address", new_email=another)
    link = postman.link_to(another, "email-change-confirmation").path
    page = ada.press("Keep my present address")
    assert page.notices == ["The change is taken back: the link that we sent opens nothing any more."]
    page = ada.open(link)
    assert "This link opens nothing any more" in page.text
    assert email in ada.open("/account/settings").text


def test_an_address_is_confirmed_by_a_link(ada: Visitor, postman: Postman, email: str) -> None:
    assert "Not confirmed" in ada.page.text
    postman.all_mails()
    page = ada.press("Send me a link to confirm it")
    assert page.notices == ["We have sent you a link. Open it to confirm your address."]
    page = ada.open(postman.link_to(email, "email-verification").path)
    assert page.notices == ["Your address is confirmed."]
    assert "Not confirmed" not in page.text


def test_what_is_sensitive_asks_for_the_password_once_more_and_then_does_what_was_asked(
    ada: Visitor, clock: HandClock, email: str
) -> None:
    clock.wind(hours=2)
    page = ada.press("Change address", new_email=f"later.{email}")
    assert (page.status, page.title) == (403, "Confirm it is you · Daybook")
    page = ada.press("Confirm", confirm_password="not it at all 1")
    assert page.status == 403
    assert page.links["This is not your password."] == "#confirm_password"
    page = ada.press("Confirm", confirm_password=PASSWORD)
    assert page.notices == ["We have sent a link to the new address. Open it to make the address yours."]
    assert f"later.{email}" in page.text


def test_what_was_being_sent_when_the_session_ended_is_not_lost(ada: Visitor, url: str, email: str) -> None:
    other = Browser(url)
    other.sign_in(email)
    other.post("/revoke-other-sessions")
    page = ada.press("Save", name="Ada King")
    assert page.status == 401
    assert "Your session ended. Sign in again; nothing was lost." in page.text
    page = ada.press("Sign in", email=email, password=PASSWORD)
    assert page.title == "Nothing was lost · Daybook"
    page = ada.press("Send it now")
    assert page.notices == ["Your profile is saved."]
    assert "Ada King" in page.text


def test_no_password_stands_in_a_page_that_keeps_what_was_sent(ada: Visitor, url: str, email: str) -> None:
    other = Browser(url)
    other.sign_in(email)
    other.post("/revoke-other-sessions")
    page = ada.press("Change password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert page.status == 401
    for secret in (PASSWORD, NEW_PASSWORD, "correct+horse", "battery+staple"):
        assert secret.encode() not in page.answer.content


def test_an_account_is_deleted_after_one_has_seen_what_becomes_of_organizations(
    ada: Visitor, url: str, email: str
) -> None:
    ada.follow("Delete your account …")
    assert "Ada Lovelace's Organization Deleted: nobody else belongs to it" in ada.page.text
    page = ada.press("Delete it for good", current_password="not it at all 1")
    assert page.status == 400
    page = ada.press("Delete it for good", current_password=PASSWORD)
    assert page.notices == ["Your account is deleted, and what was personal in it is gone."]
    assert Browser(url).sign_in(email).status == 401
