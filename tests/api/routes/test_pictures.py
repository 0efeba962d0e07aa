"""Pictures that people and organizations show: kept once, handed out under an address of ours (wire.md A18, A36)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest

from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.showing import image, picture, shows
from tests.databases import Database
from tests.people import PASSWORD
from tests.pictures import ALL, GIF, MOST, data_url, png
from tests.server import Server, application

IMAGE = "https://example.com/ada.png"
LONGEST = "https://example.com/" + "a" * 2028
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = [
    "javascript:alert(1)", "JavaScript:alert(1)", "vbscript:x", "file:///etc/passwd", "blob:https://x.io/1", "ada.png",
    "https://x.io/\x01", "/\x7f", "https://x.io/\u202egnp.exe",
    "//evil.example/a.png", "/\\evil.example/a.png", "\\evil", "/a b", "https://", "https:/x.io", " https://x.io/a.png",
    LONGEST + "a", "/" + "a" * 2048, "data:", "data:text/html;base64,PHNjcmlwdD4=", data_url(SVG, "svg+xml"),
    data_url(SVG), data_url(b"<!doctype html><script>alert(1)</script>"), data_url(GIF), data_url(png(), "jpeg"),
    data_url(png(size=MOST + 1)), data_url(png())[:-1], "data:image/png;base64,AA",
]  # fmt: skip
KEPT = "SELECT link IS NOT NULL FROM pictures WHERE owner_id = %s"


@pytest.mark.parametrize("kind", ALL)
def test_a_picture_is_handed_out_as_it_was_sent(ada: Person, kind: str) -> None:
    url = shows(ada, data_url(ALL[kind], kind))
    assert re.fullmatch(re.escape(ada.url) + r"/api/auth/picture/[0-9a-f]{32}", url)
    found = picture(ada, url)
    assert (found.status, found.content, found.header("content-type")) == (200, ALL[kind], f"image/{kind}")


def test_no_browser_runs_it_and_every_page_may_keep_and_show_it(ada: Person) -> None:
    found = picture(ada, shows(ada, data_url(png())), Origin="https://elsewhere.example")
    headers = {name.lower(): value for name, value in found.headers.items() if name.lower() not in ("date", "server")}
    link = shows(ada, data_url(png())).rpartition("/")[2]
    assert headers == {
        "content-type": "image/png",
        "content-length": str(len(png())),
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{link}"',
        "vary": "Origin",
    }


def test_who_has_it_is_told_so(ada: Person) -> None:
    url = shows(ada, data_url(png()))
    tag = picture(ada, url).header("etag") or ""
    assert picture(ada, url, **{"If-None-Match": "*"}).status == 304
    again = picture(ada, url, **{"If-None-Match": f'W/"x", {tag}'})
    assert (again.status, again.content, again.header("etag")) == (304, b"", tag)
    assert again.header("cache-control") == "public, max-age=31536000, immutable"
    assert picture(ada, url, **{"If-None-Match": '"x"'}).status == 200
    shows(ada, None)
    assert picture(ada, url, **{"If-None-Match": tag}).status == 404


def test_who_asks_with_a_session_gets_the_same_and_nothing_of_it(ada: Person, clock: HandClock) -> None:
    url = shows(ada, data_url(png()))
    # a session that any other call would extend
    clock.wind(hours=30)
    found = ada.get(urlsplit(url).path.removeprefix(BASE))
    assert (found.status, found.content, found.all_cookies) == (200, png(), [])
    assert found.header("set-auth-token") is None


@pytest.mark.parametrize(
    "path",
    ["", "/", "/nothing", "/" + "f" * 32, "/" + "F" * 32, "/" + "f" * 33, "/" + "f" * 32 + "/", "/a/" + "f" * 32,
     "/%00", "/%0a", "/..%2fok", "/{link}"],
)  # fmt: skip
def test_where_nothing_is_nothing_is_said(browser: Browser, path: str) -> None:
    answer = browser.ask("GET", f"{BASE}/picture{path}")
    assert (answer.status, answer.content, answer.header("content-type")) == (404, b"", None)
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "DELETE"])
def test_it_can_only_be_got(ada: Person, method: str) -> None:
    path = urlsplit(shows(ada, data_url(png()))).path
    assert ada.ask(method, path).status == 404


def test_the_session_and_the_lists_hold_the_address_only(ada: Person, bo: Person, acme: str) -> None:
    large = png(size=MOST)
    url = shows(ada, data_url(large))
    logo = ada.done("update", data={"logo": data_url(large)})["logo"]
    ada.takes_in(bo)
    [member] = [one for one in bo.told("list-members?organizationId=" + acme)["members"] if one["role"] == "owner"]
    assert member["user"]["image"] == url
    assert bo.told(f"get-full-organization?organizationId={acme}")["logo"] == logo
    for path in ("/get-session", "/organization/list", "/organization/get-full-organization", "/activity/list"):
        assert len(ada.get(path).content) < 4_000


def test_signing_up_with_a_picture(browser: Browser, email: str) -> None:
    url = browser.sign_up(email, image=data_url(png())).json()["user"]["image"]
    assert image(browser) == browser.sign_in(email).json()["user"]["image"] == url
    assert picture(browser, url).content == png()


def test_a_plain_form_may_carry_one(browser: Browser, email: str) -> None:
    large = png(size=MOST)
    form = urlencode({"name": "Ada", "email": email, "password": PASSWORD, "image": data_url(large)}).encode()
    answer = browser.ask("POST", f"{BASE}/sign-up/email", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert picture(browser, answer.json()["user"]["image"]).content == large


def test_an_organization_is_founded_with_a_logo_and_gets_another(ada: Person) -> None:
    founded = ada.done("create", name="Acme", slug=new_slug(), logo=data_url(png()))
    assert picture(ada, founded["logo"]).content == png()
    changed = ada.done("update", data={"logo": data_url(GIF, "gif"), "name": "Acme Works"})
    assert (changed["name"], picture(ada, changed["logo"]).content) == ("Acme Works", GIF)
    assert picture(ada, founded["logo"]).status == 404
    assert ada.told("get-organization")["logo"] == changed["logo"]


def test_two_people_with_one_picture_have_each_their_own(ada: Person, bo: Person, acme: str) -> None:
    hers, his = shows(ada, data_url(png())), shows(bo, data_url(png()))
    logo = ada.done("update", data={"logo": data_url(png())})["logo"]
    assert len({hers, his, logo}) == 3
    shows(bo, None)
    assert [picture(ada, url).status for url in (hers, his, logo)] == [200, 404, 200]


@pytest.mark.parametrize("instead", [data_url(png(b"abc")), IMAGE, "/own/ada.png", None, ""])
def test_what_is_shown_no_more_is_gone_at_once(ada: Person, module_database: Database, instead: str | None) -> None:
    before = shows(ada, data_url(png()))
    after = shows(ada, instead)
    assert after != before
    assert picture(ada, before).status == 404
    is_picture = (instead or "").startswith("data:")
    assert module_database.value(KEPT, UUID(ada.user_id)) is is_picture
    assert not is_picture or picture(ada, after).content == png(b"abc")


@pytest.mark.parametrize("instead", [IMAGE, "/own/acme.png", None, ""])
def test_so_is_a_logo(ada: Person, acme: str, instead: str | None) -> None:
    before = ada.done("update", data={"logo": data_url(png())})["logo"]
    assert ada.done("update", data={"logo": instead})["logo"] == (instead or None)
    assert picture(ada, before).status == 404


def test_the_logo_of_a_closed_organization_is_gone(ada: Person, acme: str, module_database: Database) -> None:
    logo = ada.done("update", data={"logo": data_url(png())})["logo"]
    ada.done("delete", organizationId=acme)
    assert picture(ada, logo).status == 404
    assert module_database.value(KEPT, UUID(acme)) is False


def test_what_else_changes_leaves_it(ada: Person, acme: str) -> None:
    url = shows(ada, data_url(png()))
    logo = ada.done("update", data={"logo": data_url(png())})["logo"]
    assert ada.post("/update-user", {"name": "Ada King"}).status == 200
    # what a form sends back that was filled with what it had been told
    assert ada.post("/update-user", {"name": "Countess", "image": url}).status == 200
    ada.done("update", data={"name": "Works", "logo": logo})
    ada.done("update", data={"metadata": {"a": 1}})
    assert (image(ada), ada.told("get-organization")["logo"]) == (url, logo)
    assert [picture(ada, one).content for one in (url, logo)] == [png(), png()]


def test_the_same_once_more_is_recorded_once(ada: Person, acme: str, module_database: Database) -> None:
    changes = "SELECT count(*) FROM events WHERE stream_id = %s AND name IN ('ImageChanged', 'LogoChanged')"
    assert shows(ada, data_url(png())) == shows(ada, data_url(png()))
    logos = {ada.done("update", data={"logo": data_url(png())})["logo"] for _ in range(2)}
    assert len(logos) == 1
    assert [module_database.value(changes, UUID(one)) for one in (ada.user_id, acme)] == [1, 1]


@pytest.mark.parametrize("sent", REFUSED)
def test_what_is_no_picture_is_refused_and_changes_nothing(
    ada: Person, acme: str, module_database: Database, sent: str
) -> None:
    before = shows(ada, data_url(png()))
    count = module_database.value("SELECT count(*) FROM events")
    answers = {
        "image": ada.post("/update-user", {"name": "X", "image": sent}),
        "logo": ada.does("create", name="X", slug=new_slug(), logo=sent),
        "data.logo": ada.does("update", data={"name": "X", "logo": sent}),
    }
    refused = Browser(ada.url).sign_up("nobody@example.com", image=sent)
    for place, answer in (*answers.items(), ("image", refused)):
        assert answer.problem == (400, "VALIDATION_ERROR")
        assert answer.json()["message"].startswith(f"[body.{place}] ")
        assert len(answer.content) < 200, "what was sent is not sent back"
    assert module_database.value("SELECT count(*) FROM events") == count
    assert image(ada) == before
    assert picture(ada, before).status == 200


@pytest.mark.parametrize("address", ["", IMAGE, "http://x.io", LONGEST, "/ada.png", "/", "/" + "a" * 2047])
def test_an_address_is_kept_as_it_is(ada: Person, acme: str, browser: Browser, email: str, address: str) -> None:
    shows(ada, address)
    assert image(ada) == (address or None)
    assert ada.done("update", data={"logo": address})["logo"] == (address or None)
    assert ada.done("create", name="Acme", slug=new_slug(), logo=address)["logo"] == (address or None)
    assert browser.sign_up(email, image=address).json()["user"]["image"] == (address or None)


def test_the_largest_there_may_be(ada: Person, acme: str, email: str) -> None:
    large = png(size=MOST)
    assert picture(ada, shows(ada, data_url(large))).content == large
    logo = ada.done("update", data={"logo": data_url(large), "metadata": {"note": "x" * 60_000}})["logo"]
    assert picture(ada, logo).content == large


def test_a_body_may_be_larger_by_its_picture_only(ada: Person, acme: str) -> None:
    too_much, fits = "x" * 66_000, "x" * 65_000
    sent = data_url(png(size=50_000))
    for metadata, status in ((too_much, 413), (fits, 200)):
        assert ada.does("update", data={"metadata": {"note": metadata}}).status == status
        assert ada.does("update", data={"logo": sent, "metadata": {"note": metadata}}).status == status
        assert ada.does("create", name="A", slug=new_slug(), logo=sent, metadata={"n": metadata}).status == status
    # what only stands beside where a picture belongs does not count as one
    for fields in ({"image": sent + "x" * 200_000}, {"picture": sent}, {"data": {"logo": sent}}):
        assert ada.post("/update-user", fields).status in (400, 413)
    assert ada.post("/update-user", {"name": "Ada", "logo": sent}).status == 413
    assert ada.does("update", data={"name": "Works", "image": sent}).status == 413
    assert ada.post("/update-user", {"image": "data:" + "x" * 300_000}).problem == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("path", ["/sign-in/email", "/change-password", "/organization/invite-member", "/sign-out"])
def test_no_other_call_takes_one(ada: Person, path: str) -> None:
    answer = ada.post(path, {"image": data_url(png(size=MOST)), "logo": data_url(png(size=MOST))})
    assert answer.problem == (413, "PAYLOAD_TOO_LARGE")


def test_of_many_shown_at_once_the_one_that_is_shown_is_kept(ada: Person, module_database: Database) -> None:
    contents = [png(bytes([number] * 3)) for number in range(6)]
    with ThreadPoolExecutor(6) as tabs:
        answers = list(tabs.map(lambda content: ada.post("/update-user", {"image": data_url(content)}), contents))
    assert {answer.status for answer in answers} == {200}
    assert picture(ada, image(ada)).content in contents
    shown = "SELECT a.image LIKE '%%/' || p.link FROM pictures p JOIN account_list a ON a.user_id = p.owner_id"
    assert module_database.rows(f"{shown} WHERE owner_id = %s", UUID(ada.user_id)) == [(True,)]


def test_it_is_gone_with_the_key(ada: Person, module_database: Database) -> None:
    url = shows(ada, data_url(png()))
    module_database.rows("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", UUID(ada.user_id))
    assert picture(ada, url).status == 404


@pytest.mark.parametrize("changes", [{"name": "Countess"}, {"image": data_url(png())}])
def test_whose_key_got_lost_changes_nothing_until_it_is_back(
    ada: Person, module_database: Database, changes: dict[str, str]
) -> None:
    key = module_database.rows(
        "DELETE FROM subject_keys WHERE subject_id = %s RETURNING subject_id, person_id, wrapped", UUID(ada.user_id)
    )
    assert ada.post("/update-user", changes).problem == (503, "SERVICE_UNAVAILABLE")
    module_database.rows("INSERT INTO subject_keys (subject_id, person_id, wrapped) VALUES (%s, %s, %s)", *key[0])
    assert ada.post("/update-user", changes).status == 200


@pytest.mark.parametrize("kind", ALL)
def test_as_a_ui_kit_sends_them_to_the_real_server(server: Server, email: str, kind: str) -> None:
    browser = Browser(server.url)
    assert browser.sign_up(email).status == 200
    content = png(size=MOST) if kind == "png" else ALL[kind]
    answer = browser.post("/update-user", {"image": data_url(content, kind)})
    assert (answer.status, answer.json()) == (200, {"status": True})
    logo = browser.post("/organization/update", {"data": {"logo": data_url(content, kind)}}).json()["logo"]
    for url in (image(browser), logo):
        found = picture(browser, url)
        assert (found.status, found.content, found.header("content-type")) == (200, content, f"image/{kind}")
    too_large = browser.post("/update-user", {"image": data_url(png(size=MOST + 1))})
    assert too_large.problem == (400, "VALIDATION_ERROR")
    assert browser.post("/update-user", {"image": "data:" + "x" * 300_000}).problem == (413, "PAYLOAD_TOO_LARGE")


def test_one_that_was_damaged_is_not_handed_out(ada: Person, module_database: Database) -> None:
    url = shows(ada, data_url(png()))
    damaged = "UPDATE pictures SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE owner_id = %s"
    module_database.rows(damaged, UUID(ada.user_id))
    assert picture(ada, url).status == 404


def test_one_does_not_pass_for_anothers(ada: Person, bo: Person, module_database: Database) -> None:
    hers, his = shows(ada, data_url(png())), shows(bo, data_url(GIF, "gif"))
    exchange = "UPDATE pictures SET sealed = (SELECT sealed FROM pictures WHERE owner_id = %s) WHERE owner_id = %s"
    module_database.rows(exchange, UUID(ada.user_id), UUID(bo.user_id))
    assert [picture(ada, url).status for url in (hers, his)] == [200, 404]


def test_the_address_is_below_that_of_the_service(database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(database, base_url="https://accounts.example.com"), clock) as url:
        browser = Browser(url, origin="https://accounts.example.com")
        shown = browser.sign_up(email, image=data_url(png())).json()["user"]["image"]
        assert shown.startswith("https://accounts.example.com/api/auth/picture/")
        assert picture(browser, shown).content == png()
