"""Addresses of pictures that come back to us: sent again when gone, spelled in another way, somebody else's."""

from __future__ import annotations

from typing import LiteralString
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.showing import image, picture, shows
from tests.databases import Database
from tests.pictures import GIF, data_url, png
from tests.server import application


def test_one_that_is_gone_is_there_again_when_it_is_sent_again(ada: Person, acme: str) -> None:
    """Its address is the same as ever, so its events have nothing new to say."""
    url, logo = shows(ada, data_url(png())), ada.done("update", data={"logo": data_url(png())})["logo"]
    other, other_logo = (
        shows(ada, data_url(GIF, "gif")),
        ada.done("update", data={"logo": data_url(GIF, "gif")})["logo"],
    )
    assert ada.post("/update-user", {"image": url}).problem == (400, "VALIDATION_ERROR")
    assert ada.does("update", data={"logo": logo}).problem == (400, "VALIDATION_ERROR")
    assert (image(ada), ada.told("get-organization")["logo"]) == (other, other_logo)
    assert [picture(ada, one).content for one in (other, other_logo)] == [GIF, GIF]
    assert shows(ada, data_url(png())) == url
    assert ada.done("update", data={"logo": data_url(png())})["logo"] == logo
    assert [picture(ada, one).content for one in (url, logo)] == [png(), png()]


@pytest.mark.parametrize(
    "accident",
    ["DELETE FROM pictures WHERE owner_id = %s",
     "UPDATE pictures SET link = NULL, sealed = NULL WHERE owner_id = %s",
     "UPDATE pictures SET link = md5(owner_id::text) WHERE owner_id = %s",
     "UPDATE pictures SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE owner_id = %s"],
    ids=["deleted", "emptied", "under another link", "a bit of it"],
)  # fmt: skip
def test_so_is_one_that_an_accident_took(
    ada: Person, acme: str, module_database: Database, accident: LiteralString
) -> None:
    url, logo = shows(ada, data_url(png())), ada.done("update", data={"logo": data_url(png())})["logo"]
    for owner_id in (ada.user_id, acme):
        module_database.rows(accident, UUID(owner_id))
    assert [picture(ada, one).status for one in (url, logo)] == [404, 404]
    # a form that sends back what it was told does not fail for it
    assert shows(ada, url) == url
    assert ada.done("update", data={"logo": logo, "name": "Works"})["logo"] == logo
    assert shows(ada, data_url(png())) == url
    assert ada.done("update", data={"logo": data_url(png())})["logo"] == logo
    assert [picture(ada, one).content for one in (url, logo)] == [png(), png()]


@pytest.mark.parametrize(
    "spelled",
    [
        "{path}", "{url}?v=2", "{path}#top", "http://old.example{path}", "HTTPS://Other.example{path}?a",
        "http://localhost/{path}", "/x/..{path}", "/.{path}", "{path}/", "{path};x", "{path}%20",
        "/api//auth/picture/{link}", "/api/auth/pictur%65/{link}", "/api/auth/picture%2f{link}",
        "/api/auth/%2e/picture/{link}", "/api/auth/picture%252f{link}", "/api/auth/PICTURE/{capitals}",
        "http://localhost\\api\\auth\\picture\\{link}",
    ],
)  # fmt: skip
def test_its_own_address_in_another_spelling_leaves_it(ada: Person, acme: str, spelled: str) -> None:
    url, logo = shows(ada, data_url(png())), ada.done("update", data={"logo": data_url(png())})["logo"]

    def written(address: str) -> str:
        path = urlsplit(address).path
        return spelled.format(url=address, path=path, link=path[-32:], capitals=path[-32:].upper())

    assert shows(ada, written(url)) == url
    assert ada.done("update", data={"logo": written(logo)})["logo"] == logo
    assert [picture(ada, one).content for one in (url, logo)] == [png(), png()]


def test_what_is_shown_under_the_address_of_before_is_shown_under_that_of_now(
    database: Database, clock: HandClock, email: str
) -> None:
    with application(settings_for(database, base_url="https://before.example"), clock) as url:
        shown = Browser(url, origin="https://before.example").sign_up(email, image=data_url(png())).json()
    with application(settings_for(database, base_url="https://now.example"), clock) as url:
        browser = Browser(url, origin="https://now.example")
        browser.sign_in(email)
        before = shown["user"]["image"]
        for sent, expected in ((before, before), (urlsplit(before).path, before.replace("before", "now"))):
            assert browser.post("/update-user", {"image": sent}).status == 200
            assert image(browser) == expected
            assert picture(browser, expected).content == png()


@pytest.mark.parametrize(
    "form",
    [
        "{url}", "{path}", "https://elsewhere.example{path}", "{url}?v=2", "http://localhost/{path}", "/x/..{path}",
        "{path}/", "/api/auth/picture/", "{path}x", "{path}%2f..", "http://[::1{path}", "http://\u2100.com{path}",
    ],
)  # fmt: skip
def test_the_address_of_anothers_picture_is_refused(
    ada: Person, bo: Person, acme: str, module_database: Database, form: str
) -> None:
    url = shows(bo, data_url(png()))
    nobodys = url[:-32] + "f" * 32
    count = module_database.value("SELECT count(*) FROM events")
    for found in (url, nobodys):
        sent = form.format(url=found, path=urlsplit(found).path)
        refused = Browser(ada.url).sign_up("nobody@example.com", image=sent)
        answers = {
            "image": ada.post("/update-user", {"name": "X", "image": sent}),
            "logo": ada.does("create", name="X", slug=new_slug(), logo=sent),
            "data.logo": ada.does("update", data={"name": "X", "logo": sent}),
        }
        for place, answer in (*answers.items(), ("image", refused)):
            assert answer.problem == (400, "VALIDATION_ERROR")
            assert answer.json()["message"] == f"[body.{place}] Invalid image URL: no picture of yours is kept there"
    assert module_database.value("SELECT count(*) FROM events") == count
