"""Invitations that wait, on the members page, where mail is set up and an organization may have two open ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.conftest import HandClock
from tests.api.pages.test_members_page import signed_up
from tests.api.pages.visitor import Visitor
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD

MEMBERS = "/organization/members"


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, invitation_limit=2)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    visitor = signed_up(url, "Ada Lovelace", email)
    visitor.open(MEMBERS)
    return visitor


def link_for(page: Visitor, email: str) -> str:
    """The path of the link that the page shows."""
    [link] = [given["value"] for _, given in page.page.elements if given.get("aria-label") == f"Link for {email}"]
    return f"/accept-invitation/{(link or '').rpartition('/')[2]}"


def test_that_a_link_is_sent_by_mail_is_said_before_and_after(ada: Visitor, postman: Postman, email: str) -> None:
    assert "We send the link there by mail too." in ada.page.text
    page = ada.press("Generate invitation link", email=f"bo.{email}")
    assert page.notices == ["The invitation is made. Copy its link, or wait for the mail to arrive."]
    assert len(postman.mails_to(f"bo.{email}", "invitation")) == 1


def test_a_wrong_address_is_corrected_also_where_no_more_may_be_invited(ada: Visitor, email: str) -> None:
    for name in ("cy", "wrong"):
        ada.press("Generate invitation link", email=f"{name}.{email}")
    page = ada.press("Cancel and invite this address", email=f"bo.{email}")
    assert page.status == 200
    assert [f"{name}.{email}" in page.text for name in ("bo", "cy", "wrong")] == [True, True, False]


def test_who_mistypes_the_right_address_too_goes_on_from_the_form_that_says_so(ada: Visitor, email: str) -> None:
    ada.press("Generate invitation link", email=f"wrong.{email}")
    page = ada.press("Cancel and invite this address", email="no address")
    assert page.links["This is no address we could write to."] == "#email"
    assert "The invitation to the wrong address is taken back once this one is made." in page.text
    page = ada.press("Generate invitation link", email=f"bo.{email}")
    assert [f"{name}.{email}" in page.text for name in ("bo", "wrong")] == [True, False]


def test_that_somebody_has_joined_by_the_wrong_invitation_is_said(ada: Visitor, url: str, email: str) -> None:
    wrong = f"wrong.{email}"
    ada.press("Generate invitation link", email=wrong)
    other = Visitor(url)
    other.open(link_for(ada, wrong))
    other.follow("Sign up")
    other.press("Sign up", name="Wrong", password=PASSWORD)
    page = ada.press("Cancel and invite this address", email=f"bo.{email}")
    assert page.notices == [
        "The invitation is made. The one to the wrong address was over already: look whether somebody has joined by it."
    ]


def test_what_ran_out_says_since_when_and_is_renewed(ada: Visitor, email: str, clock: HandClock) -> None:
    ada.press("Generate invitation link", email=f"bo.{email}")
    clock.wind(days=6)
    ada.open(MEMBERS)
    clock.wind(days=6)
    page = ada.open(MEMBERS)
    ran_out = next(one for one in page.items if f"bo.{email}" in one).replace("\u202f", " ")
    assert "Expired Mar" in ran_out
    assert "Copy link" not in ran_out
    page = ada.press("Renew")
    assert "Good until" in next(one for one in page.items if f"bo.{email}" in one)
