"""People who come and go while something happens to the server, and notice whatever goes wrong for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.people import PASSWORD

THREADS = 4


@dataclass
class Crowd:
    """What went wrong for people, how many answers they had, and how long the slowest took, in seconds."""

    url: str
    over: threading.Event = field(default_factory=threading.Event)
    wrong: list[str] = field(default_factory=list)
    signed_up: list[str] = field(default_factory=list)
    answers: int = 0
    slowest: float = 0.0

    def come_and_go(self, thread: int) -> None:
        """Sign up, look around, sign in on a second device, look around, until it is over."""
        with httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=15) as browser:
            for number in count():
                if self.over.is_set():
                    return
                email = f"ada.{thread}.{number}@example.com"
                form = {"name": "Ada", "email": email, "password": PASSWORD}
                browser.cookies.clear()
                if self._ask(browser, "POST", "/sign-up/email", form)["user"]["email"] == email:
                    self.signed_up.append(email)
                self._look_around(browser, email)
                browser.cookies.clear()
                self._ask(browser, "POST", "/sign-in/email", {"email": email, "password": PASSWORD})
                self._look_around(browser, email)

    def _look_around(self, browser: httpx.Client, email: str) -> None:
        for _ in range(3):
            session = self._ask(browser, "GET", "/get-session")
            if not session or session["user"]["email"] != email:
                self.wrong.append(f"the session of {email} is {session}")
            organizations = self._ask(browser, "GET", "/organization/list")
            if len(organizations) != 1:
                self.wrong.append(f"the organizations of {email} are {organizations}")

    def _ask(self, browser: httpx.Client, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        began = time.monotonic()
        try:
            answer = browser.request(method, f"/api/auth{path}", json=form)
        except httpx.TransportError as error:
            self.wrong.append(f"{path}: {type(error).__name__}")
            return {"user": {"email": None}}
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers += 1
        if answer.status_code != 200:
            self.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            return {"user": {"email": None}}
        return answer.json()


@contextmanager
def crowded(url: str) -> Iterator[Crowd]:
    """People come and go for as long as the block runs."""
    crowd = Crowd(url)
    threads = [threading.Thread(target=crowd.come_and_go, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield crowd
    finally:
        crowd.over.set()
        for thread in threads:
            thread.join()
