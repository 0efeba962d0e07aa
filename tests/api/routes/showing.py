"""What people show of themselves, and what is found there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.api.browser import Answer, Browser
from tests.api.routes.fellows import Person


def picture(browser: Browser, url: str, **headers: str) -> Answer:
    """What is found there, by whoever is signed in nowhere."""
    return browser.ask("GET", urlsplit(url).path, None, headers)


def image(browser: Browser) -> Any:
    return browser.get("/get-session").json()["user"]["image"]


def shows(person: Person, what: str | None) -> str:
    """Show this; where it is found."""
    assert person.post("/update-user", {"image": what}).status == 200
    url: str = image(person)
    return url
