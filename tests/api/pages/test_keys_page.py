"""Account → Keys: made for programs, shown once, seen, and ended."""

from __future__ import annotations

import re

import pytest

from tests.api.conftest import HandClock
from tests.api.pages.test_sessions_page import MAC, signed_in
from tests.api.pages.visitor import Page, Visitor
from tests.api.routes.programs import Program
from tests.people import PASSWORD

KEYS = "/account/keys"
FORM = re.compile(r"day_[0-9A-Za-z]{70}")


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    return signed_in(url, email, MAC, new=True)


def makes(ada: Visitor, name: str = "deploy", **fields: str) -> str:
    """Make a key on the page; its secret."""
    ada.open(KEYS)
    page = ada.press("Make the key", name=name, **fields)
    assert page.status == 200, page.alerts
    [secret] = FORM.findall(page.answer.content.decode())
    return str(secret)


def listed(page: Page) -> list[str]:
    return [item.partition(" day_")[0] for item in page.items]


def test_a_key_is_shown_once_and_then_only_how_it_begins(ada: Visitor) -> None:
    secret = makes(ada)
    assert ada.page.answer.header("cache-control") == "no-store"
    page = ada.follow("I have copied it")
    assert f"{secret[:10]}…" in page.text
    assert secret not in page.answer.content.decode()
    assert listed(page) == ["deploy"]


def test_a_key_is_made_for_looking_and_for_ninety_days_unless_something_else_is_chosen(
    ada: Visitor, clock: HandClock
) -> None:
    one = Program(ada.browser.url, makes(ada))
    assert one.get("/organization/list").status == 200
    assert one.post("/organization/create", {"name": "Acme", "slug": "acme"}).problem == (403, "API_KEY_SCOPE_MISSING")
    clock.wind(days=90)
    assert one.get("/organization/list").problem == (401, "KEY_EXPIRED")


def test_a_key_may_do_all_in_every_organization_and_for_ever_if_that_is_chosen(ada: Visitor, clock: HandClock) -> None:
    one = Program(ada.browser.url, makes(ada, days="", extent="all"))
    clock.wind(days=3_000)
    assert one.post("/update-user", {"name": "Ada King"}).status == 200


def test_what_is_wrong_is_said_beside_its_field_and_the_rest_stays(ada: Visitor) -> None:
    page = ada.open(KEYS)
    form = next(form for form in page.forms if form.action == KEYS)
    fields = {name: text for name, text in form.fields.items() if name != "may_read"}
    page = ada.send(KEYS, {**fields, "name": "ci", "days": "30"})
    assert (page.status, page.alerts) == (400, ["That did not work Choose at least one thing that the key may do."])
    shown = next(form for form in page.forms if form.action == KEYS)
    assert (shown.fields["name"], shown.fields["days"]) == ("ci", "30")
    for name in ("", "   ", "x" * 33):
        page = ada.press("Make the key", name=name, may_read="on")
        assert page.alerts == ["That did not work Give the key a name of 1 to 32 characters."]
    assert ada.open(KEYS).items == []


def test_a_key_is_disabled_enabled_and_ended(ada: Visitor) -> None:
    one = Program(ada.browser.url, makes(ada))
    ada.open(KEYS)
    assert ada.press("Disable").notices == ["The key is disabled: it opens nothing until you enable it."]
    assert listed(ada.page) == ["deploy Disabled"]
    assert one.get("/organization/list").problem == (401, "KEY_DISABLED")
    assert ada.press("Enable").notices == ["The key is enabled."]
    assert one.get("/organization/list").status == 200
    assert ada.press("End").notices == ["The key is ended: it opens nothing any more."]
    assert (listed(ada.page), one.get("/organization/list").status) == ([], 401)


def test_a_key_is_made_anew_and_the_old_one_is_good_for_a_day(ada: Visitor, clock: HandClock) -> None:
    old = Program(ada.browser.url, makes(ada))
    ada.open(KEYS)
    page = ada.press("Make it anew")
    [secret] = FORM.findall(page.answer.content.decode())
    new = Program(ada.browser.url, secret)
    assert (old.get("/organization/list").status, new.get("/organization/list").status) == (200, 200)
    clock.wind(days=1)
    assert (old.get("/organization/list").status, new.get("/organization/list").status) == (401, 200)
    assert listed(ada.open(KEYS)) == ["deploy", "deploy Run out"]


def test_many_keys_are_shown_a_page_at_a_time_in_less_than_sixty_kilobytes(ada: Visitor) -> None:
    for number in range(31):
        body = {"name": f"{number} {'ü' * 28}", "metadata": {"note": "x" * 9_000}}
        assert ada.browser.post("/api-key/create", body).status == 200
    page = ada.open(KEYS)
    assert (len(page.items), page.items[0][:3]) == (15, "30 ")
    assert len(page.answer.content) < 60_000
    assert ada.follow("Next page").items[0][:3] == "15 "
    assert len(ada.follow("Next page").items) == 1
    for wanted, first in (("99999", "0 "), ("0", "30 "), ("-1", "30 "), ("x", "30 ")):
        assert ada.open(f"{KEYS}?page={wanted}").items[0].startswith(first), wanted


def test_all_keys_end_at_once(ada: Visitor) -> None:
    programs = [Program(ada.browser.url, makes(ada, name)) for name in ("one", "two")]
    ada.open(KEYS)
    page = ada.press("End all keys")
    assert (page.notices, listed(page)) == (["All your keys are ended."], [])
    assert [one.get("/organization/list").status for one in programs] == [401, 401]


def test_what_a_key_may_and_where_it_was_used_is_told(ada: Visitor, clock: HandClock) -> None:
    one = Program(ada.browser.url, makes(ada, may_invitation_create="on"))
    one.session()
    [item] = ada.open(KEYS).items
    assert "May Look at my organizations · Invite people as members" in item
    assert "In All your organizations" in item
    assert re.search(r"Last used .* · curl 8", item)
    clock.wind(days=89)
    assert "Not used" not in ada.open(KEYS).text


def test_a_key_that_is_gone_is_said_to_be(ada: Visitor) -> None:
    makes(ada)
    page = ada.open(KEYS)
    key = next(form.fields["key"] for form in page.forms if form.action == f"{KEYS}/end")
    ada.press("End")
    for path in ("end", "disable", "rotate"):
        for given in (key, "f" * 32, "no id", ""):
            page = ada.send(f"{KEYS}/{path}", {"key": given})
            assert page.alerts == ["That did not work You have no such key any more."], (path, given)


def test_who_finds_a_stranger_s_device_ends_their_keys_with_the_old_password_if_they_say_so(
    ada: Visitor, url: str
) -> None:
    kept, ended = Program(url, makes(ada, "kept")), Program(url, makes(ada, "ended"))
    new = {"current_password": PASSWORD, "password": "battery staple 2"}
    ada.open("/account/sessions/new-password")
    # the box is ticked unless somebody takes it away
    ada.press("Change password", **new, end_keys="")
    assert kept.get("/organization/list").status == 200
    ada.open("/account/sessions/new-password")
    ada.press("Change password", current_password="battery staple 2", password="battery staple 3")
    assert [one.get("/organization/list").status for one in (kept, ended)] == [401, 401]
