"""A form that is left open while somebody else signs in: it does nothing for them unless they say that they mean it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from api.pages import PAGES
from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.pages.test_members_page import signed_up
from tests.api.pages.visitor import Form, Page, Visitor
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD

FIELD = "made_for"
FOR_ANYBODY = {
    "/sign-in": "says itself who it is for",
    "/sign-up": "opens an account",
    "/sign-out": "signs out whoever is signed in",
    "/language": "speaks to whoever reads",
    "/forgot-password": "says itself whose password it is",
    "/reset-password": "is for who has the link",
    "/confirm-address": "is for who has the link",
}
"""Forms that do not act for who is signed in, and why."""
NO_FORM = {"/password-strength"}
"""What only our script asks."""


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(
        module_database,
        module_clock,
        tmp_path_factory,
        email_verification="asked",
        fresh_for=600,
        fresh_calls="update-user",
    )


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    return signed_up(url, "Ada Lovelace", email)


@pytest.fixture
def bos(url: str, email: str) -> str:
    """Bo's address; he has an account."""
    signed_up(url, "Bo <b>", f"bo.{email}")
    return f"bo.{email}"


def another_tab(visitor: Visitor) -> Visitor:
    """Of the same browser."""
    tab = Visitor(visitor.browser.url)
    tab.browser = visitor.browser
    return tab


def turned_over(visitor: Visitor, email: str) -> Visitor:
    """Another tab, in which who was signed in signs out, and somebody else in."""
    tab = another_tab(visitor)
    tab.open("/account/settings")
    tab.press("Sign out")
    tab.press("Sign in", email=email, password=PASSWORD)
    assert tab.browser.session()
    return tab


def user_of(visitor: Visitor) -> dict[str, str]:
    """Who is signed in."""
    user: dict[str, str] = visitor.browser.get("/get-session").json()["user"]
    return user


def name_of(visitor: Visitor) -> str:
    """What who is signed in is called."""
    return user_of(visitor)["name"]


def signs_in(visitor: Visitor, email: str) -> Page:
    return visitor.press("Sign in", email=email, password=PASSWORD)


def test_every_form_that_acts_for_who_is_signed_in_says_for_whom_it_was_made(ada: Visitor, url: str, bos: str) -> None:
    seen = set[str]()
    for path, form, user_id in forms_of_everybody(ada, url, bos):
        actions = {form.action, *(action for _, _, action in form.buttons)}
        if not actions <= FOR_ANYBODY.keys():
            assert (path, form.action, form.fields.get(FIELD)) == (path, form.action, user_id)
        seen |= actions
    acts = set[str]().union(*(group.acts for group in PAGES))
    assert acts - seen - NO_FORM - FOR_ANYBODY.keys() == set()


def forms_of_everybody(ada: Visitor, url: str, bos: str) -> Iterator[tuple[str, Form, str]]:
    """Each form of each page, as it is shown to Ada, who has done all that leaves a form somewhere, and to Bo, whom she
    has invited.
    """
    ada.press("Change address", new_email=f"countess.{bos}")
    ada.open("/organizations")
    ada.press("Create organization", name="Acme", slug=f"acme-{ada.browser.session()['id'][-8:].lower()}")
    cy = signed_up(url, "Cy", f"cy.{bos}")
    accepted = {"invitationId": link_to(ada, f"cy.{bos}")}
    assert cy.browser.post("/organization/accept-invitation", accepted).status == 200
    for enabled in (True, False):
        key = ada.browser.post("/api-key/create", {"name": "deploy"}).json()
        ada.browser.post("/api-key/update", {"keyId": key["id"], "enabled": enabled})
    Browser(url).sign_in(user_of(ada)["email"])
    bo = Visitor(url)
    bo.browser.sign_in(bos)
    to_bo = f"/accept-invitation?invitationId={link_to(ada, bos)}"
    for visitor in (ada, bo):
        for path in [*(path for group in PAGES for path in sorted(group.shown) if "{" not in path), to_bo]:
            for form in visitor.open(path).forms:
                if form.method == "post":
                    yield path, form, user_of(visitor)["id"]


def link_to(ada: Visitor, email: str) -> str:
    """What stands in the link of an invitation to this address."""
    made = ada.browser.post("/organization/invite-member", {"email": email, "role": "member"})
    return str(made.json()["id"])


def test_a_form_left_open_does_nothing_for_who_signed_in_meanwhile_until_they_say_so(ada: Visitor, bos: str) -> None:
    ada.open("/account/settings")
    turned_over(ada, bos)
    page = ada.press("Save", name="Countess")
    assert (page.status, page.title) == (409, "Somebody else is signed in · Daybook")
    assert "You are signed in as Bo <b>. The form was opened by another person" in page.text
    assert ("bdi", {}) in page.elements
    assert name_of(ada) == "Bo <b>"
    page = ada.press("Send it as Bo <b>")
    assert page.notices == ["Your profile is saved."]
    assert name_of(ada) == "Countess"


def test_who_does_not_mean_it_leaves_it(ada: Visitor, bos: str) -> None:
    turned_over(ada, bos)
    ada.press("Save", name="Countess")
    page = ada.follow("Leave it")
    assert (page.status, ada.path) == (200, "/account/settings")
    assert name_of(ada) == "Bo <b>"


def test_who_opened_the_form_signs_in_again_and_sends_it(ada: Visitor, email: str, bos: str) -> None:
    turned_over(ada, bos)
    ada.press("Save", name="Countess")
    page = ada.press("Sign out, and sign in as the other person")
    assert page.notices == ["You are signed out. Sign in as the person who opened the form; nothing was lost."]
    assert ada.browser.session() is None
    assert "Bo" not in page.text
    page = signs_in(ada, email)
    assert "You are signed in, and nothing was lost" in page.text
    assert ada.press("Send it now").notices == ["Your profile is saved."]
    assert name_of(ada) == "Countess"


def test_who_signs_in_as_the_same_person_again_is_not_asked(ada: Visitor, email: str) -> None:
    turned_over(ada, email)
    assert ada.press("Save", name="Countess").notices == ["Your profile is saved."]


def test_a_form_with_a_password_in_it_leads_back_to_its_page(ada: Visitor, email: str, bos: str) -> None:
    turned_over(ada, bos)
    page = ada.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert page.status == 409
    assert "it had a password in it, and passwords are kept nowhere." in page.text
    assert PASSWORD not in page.answer.content.decode()
    assert "battery" not in page.answer.content.decode()
    assert [said for form in page.forms for said, *_ in form.buttons if said.startswith("Send")] == []
    again = another_tab(ada)
    again.path, again.page = ada.path, page
    assert ada.follow("Back to the page").status == 200
    assert ada.path == "/account/settings"
    again.press("Sign out, and sign in as the other person")
    assert again.page.notices == ["You are signed out."]
    signs_in(again, email)
    assert (again.path, name_of(again)) == ("/account/settings", "Ada Lovelace")


def test_what_was_kept_over_a_sign_in_is_sent_by_somebody_else_only_once_they_say_so(ada: Visitor, bos: str) -> None:
    another_tab(ada).send("/sign-out", {"next": ""})
    assert ada.press("Save", name="Countess").status == 401
    page = signs_in(ada, bos)
    assert "You are signed in as Bo <b>. The form was opened by another person" in page.text
    assert name_of(ada) == "Bo <b>"
    page = ada.press("Send it as Bo <b>")
    assert page.notices == ["Your profile is saved."]
    assert name_of(ada) == "Countess"


def test_what_was_kept_over_a_sign_in_is_sent_by_the_same_person_as_ever(ada: Visitor, email: str) -> None:
    another_tab(ada).send("/sign-out", {"next": ""})
    ada.press("Save", name="Countess")
    page = signs_in(ada, email)
    assert "You are signed in, and nothing was lost" in page.text
    assert "Somebody else" not in page.text
    assert ada.press("Send it now").notices == ["Your profile is saved."]


def test_the_question_after_a_sign_in_is_a_form_that_can_be_left_open_too(ada: Visitor, email: str, bos: str) -> None:
    another_tab(ada).send("/sign-out", {"next": ""})
    ada.press("Save", name="Countess")
    signs_in(ada, email)
    turned_over(ada, bos)
    assert ada.press("Send it now").status == 409
    assert name_of(ada) == "Bo <b>"


def test_who_confirms_what_somebody_else_asked_for_is_told_so_and_nothing_is_done(
    ada: Visitor, bos: str, clock: HandClock
) -> None:
    clock.wind(hours=1)
    assert ada.press("Save", name="Countess").title == "Confirm it is you · Daybook"
    turned_over(ada, bos)
    page = ada.press("Confirm", confirm_password=PASSWORD)
    assert page.status == 409
    assert PASSWORD not in page.answer.content.decode()
    assert name_of(ada) == "Bo <b>"
    clock.wind(hours=1)
    assert ada.press("Send it as Bo <b>").title == "Confirm it is you · Daybook"
    assert ada.press("Confirm", confirm_password=PASSWORD).notices == ["Your profile is saved."]


def test_what_is_not_asked_of_a_form_that_does_not_say_for_whom_it_was_made(ada: Visitor, bos: str) -> None:
    """A program, or a page of an older release."""
    turned_over(ada, bos)
    page = ada.send("/account/profile", {"name": "Countess", "image": ""})
    assert page.notices == ["Your profile is saved."]
    assert name_of(ada) == "Countess"


@pytest.mark.parametrize("made_for", ["x", "0" * 32, "ä", "\n", "<script>"])
def test_whatever_a_form_says_of_for_whom_it_was_made_is_somebody_else(ada: Visitor, made_for: str) -> None:
    page = ada.send("/account/profile", {"name": "Countess", FIELD: made_for})
    assert page.status == 409
    assert "<script>" not in re.sub(r"<script src=[^>]*>", "", page.answer.content.decode())
    assert name_of(ada) == "Ada Lovelace"


def test_signing_out_and_choosing_a_language_ask_nothing(ada: Visitor, bos: str) -> None:
    turned_over(ada, bos)
    assert ada.press("Deutsch").elements[0] == ("html", {"lang": "de"})
    turned_over_page = another_tab(ada)
    turned_over_page.open("/account/settings")
    assert turned_over_page.press("Abmelden").status == 200
    assert ada.browser.session() is None
