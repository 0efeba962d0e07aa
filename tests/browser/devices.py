"""Somebody's device: a real browser of its own cookies, its pages read and pressed as a person does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Dialog, Error, Locator, sync_playwright
from playwright.sync_api import Page as Tab

from tests.api.browser import Browser
from tests.browser.chromium import PROGRAM
from tests.clients.kept import cannot_run
from tests.people import PASSWORD

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
LAPTOP = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_KIT} Chrome/130.0.0.0 Safari/537.36"
PHONE = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_KIT} Chrome/131.0.0.0 Mobile Safari/537.36"

_PATIENCE = 10_000
"""Milliseconds until an element is missing."""
_REFUSED_PAGE = "Failed to load resource: the server responded with a status of 4"
"""What the console says of a page that is refused, which is no fault of the page."""


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium, driven; skips where there is none or it does not start, and fails there if `CI` is set.

    Nobody may keep it beyond a module: while it is there, this thread cannot run another event loop.
    """
    if PROGRAM is None:
        cannot_run("there is no Chromium here")
    try:
        driver = sync_playwright().start()
    except (Error, OSError) as error:
        cannot_run(f"Playwright does not start ({error})")
    try:
        try:
            started = driver.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        except Error as error:
            cannot_run(f"Chromium does not start ({error.message.splitlines()[0]})")
        yield started
        started.close()
    finally:
        driver.stop()


class Device:
    """One browser, with a page open. `faults` is all that went wrong in it that a person would not see."""

    def __init__(self, browser: Chromium, url: str, **options: Any) -> None:
        self.url, self.options = url, {"user_agent": LAPTOP, "locale": "en-US", **options}
        self._browser = browser
        self.faults: list[str] = []
        self.asked: list[str] = []
        self._begin([])

    def _begin(self, cookies: list[Any]) -> None:
        self.context = self._browser.new_context(base_url=self.url, **self.options)
        self.context.set_default_timeout(_PATIENCE)
        self.context.add_cookies(cookies)
        self.tab = self.another_tab()

    def another_tab(self) -> Tab:
        """A further page in the same browser."""
        tab = self.context.new_page()
        tab.on("console", self._hear)
        tab.on("pageerror", lambda error: self.faults.append(f"{tab.url}: {error}"))
        tab.on("dialog", self._agree)
        return tab

    def close(self) -> None:
        """Throw it away."""
        self.context.close()

    def restart(self) -> None:
        """Close the browser and open it again: what was to be kept until then is gone (RFC 6265 §5.3)."""
        kept = [one for one in self.context.cookies() if one.get("expires", -1) > 0]
        self.context.close()
        self._begin(kept)

    def has_cookies_of(self, browser: Browser) -> None:
        """Go on as who is signed in there."""
        for name, value in browser.cookies.items():
            self.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    @property
    def path(self) -> str:
        """Where it is: the address behind the host."""
        parts = urlsplit(self.tab.url)
        return self.tab.url.removeprefix(f"{parts.scheme}://{parts.netloc}")

    @property
    def text(self) -> str:
        """All that can be read on the page."""
        return self.tab.locator("body").inner_text()

    @property
    def notices(self) -> list[str]:
        """What the page says of what was just done."""
        return [text.strip() for text in self.tab.locator("[role=status].said").all_inner_texts()]

    def open(self, path: str) -> None:
        """Type an address behind the host, or a whole one."""
        self.tab.goto(path)

    def fill(self, **fields: str) -> None:
        """Type into fields, by what they are called in the form."""
        for name, text in fields.items():
            self.field(name).fill(text)

    def field(self, name: str) -> Locator:
        """The field that is called so, of the fields that can be seen."""
        return self.tab.locator(f"[name={name}]:visible")

    def button(self, name: str, *, beside: str = "") -> Locator:
        """A button by all that it says; `beside` some text, if there are several."""
        inside = self.beside(beside) if beside else self.tab.locator("body")
        return inside.get_by_role("button", name=re.compile(rf"^{re.escape(name)}$"))

    def beside(self, text: str) -> Locator:
        """The row of a list in which this stands."""
        return self.tab.get_by_role("listitem").filter(has_text=text)

    def press(self, said: str, /, *, beside: str = "", **fields: str) -> None:
        """Fill these fields in, press the button, and see what comes."""
        self.fill(**fields)
        self.comes(lambda: self.button(said, beside=beside).click())

    def comes(self, act: Callable[[], object]) -> None:
        """Do something that leads to another page, and wait for that."""
        with self.tab.expect_navigation():
            act()

    def follow(self, name: str) -> None:
        """Follow a link by what it says."""
        self.tab.get_by_role("link", name=name, exact=True).click()
        self.tab.wait_for_load_state()

    def signs_in(self, email: str, password: str = PASSWORD, *, stay: bool = True) -> None:
        """From the form on the page."""
        self.field("remember").set_checked(stay)
        self.press("Sign in", email=email, password=password)

    @property
    def is_signed_in(self) -> bool:
        """Whether a page that is for who is signed in is shown."""
        before = self.path
        self.open("/account/sessions")
        shown = self.path == "/account/sessions"
        self.open(before)
        return shown

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_REFUSED_PAGE):
            self.faults.append(f"{self.tab.url}: {message.text}")

    def _agree(self, dialog: Dialog) -> None:
        self.asked.append(dialog.message)
        dialog.accept()


def width_of(tab: Tab) -> Mapping[str, int]:
    """How wide the page is, and how wide what shows it."""
    found: Mapping[str, int] = tab.evaluate(
        "() => ({ page: document.scrollingElement.scrollWidth, window: document.documentElement.clientWidth })"
    )
    return found
