"""A session has no fields that may be set (wire.md §9)."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.databases import Database


@pytest.fixture(autouse=True)
def signed_in(browser: Browser, email: str) -> None:
    browser.sign_up(email)


@pytest.mark.parametrize("fields", [{}, {"theme": "dark"}, {"expiresAt": "2036-03-14T12:00:00.000Z", "userId": "x"}])
def test_there_is_nothing_to_update(browser: Browser, fields: dict[str, object]) -> None:
    before = browser.session()
    answer = browser.post("/update-session", fields)
    assert (answer.status, answer.json()) == (400, {"message": "No fields to update"})
    assert browser.session() == before


@pytest.mark.parametrize("value", ["x", None, 5, ""])
def test_the_active_organization_is_set_elsewhere(browser: Browser, module_database: Database, value: object) -> None:
    before, count = browser.session(), module_database.value("SELECT count(*) FROM events")
    answer = browser.post("/update-session", {"theme": "dark", "activeOrganizationId": value})
    said = {"message": "activeOrganizationId is not allowed to be set", "code": "FIELD_NOT_ALLOWED"}
    assert (answer.status, answer.json()) == (400, said)
    assert (browser.session(), module_database.value("SELECT count(*) FROM events")) == (before, count)
