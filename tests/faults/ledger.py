"""Sign-ups under a fault: several people at once, and a ledger of what each of them was told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.people import PASSWORD
from tests.server import Server

THREADS = 4
_rounds = count(1)


@dataclass(frozen=True)
class Ledger:
    """`acknowledged` maps an e-mail address to the cookie its sign-up was answered with.

    `unanswered` are addresses whose sign-up ended in a dead connection or a 503: unknown, which is allowed. `wrong` are
    all other answers, a refusal of one's own sign-up for instance.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    wrong: list[tuple[str, int, str]] = field(default_factory=list)


@contextmanager
def signing_up(server: Server, ledger: Ledger) -> Iterator[None]:
    """People sign up in four threads for as long as the block runs, each on a connection of their own."""
    over = threading.Event()
    number = next(_rounds)
    people = [threading.Thread(target=_sign_up, args=(server.url, ledger, over, number, n)) for n in range(THREADS)]
    for person in people:
        person.start()
    try:
        yield
    finally:
        over.set()
        for person in people:
            person.join()


def _sign_up(url: str, ledger: Ledger, over: threading.Event, number: int, thread: int) -> None:
    with httpx.Client(base_url=url, timeout=15) as client:
        for turn in count():
            if over.is_set():
                return
            email = f"ada.{number}.{thread}.{turn}@example.com"
            try:
                answer = post_sign_up(client, email)
            except httpx.TransportError:
                ledger.unanswered.append(email)
                over.wait(0.02)
                continue
            if answer.status_code == 200:
                ledger.acknowledged[email] = answer.headers["set-cookie"].partition(";")[0]
            elif answer.status_code == 503:
                ledger.unanswered.append(email)
            else:
                ledger.wrong.append((email, answer.status_code, answer.text))


def post_sign_up(client: httpx.Client, email: str, *, sent: Callable[[], None] = lambda: None) -> httpx.Response:
    """One sign-up without the cookies of an earlier one; `sent` is called once it is under way as a whole."""

    def trace(step: str, _info: Any) -> None:
        if step == "http11.send_request_body.complete":
            sent()

    client.cookies.clear()
    form = {"name": "Ada", "email": email, "password": PASSWORD}
    return client.post("/api/auth/sign-up/email", json=form, extensions={"trace": trace})


def sessions_of_others(server: Server, acknowledged: Mapping[str, str]) -> dict[str, str]:
    """Which acknowledged cookies are not answered with the account they were given for, and with what instead."""
    wrong = {}
    with httpx.Client(base_url=server.url, timeout=15) as client:
        for email, cookie in acknowledged.items():
            answer = client.get("/api/auth/get-session", headers={"Cookie": cookie})
            if answer.status_code != 200 or not answer.json() or answer.json()["user"]["email"] != email:
                wrong[email] = f"{answer.status_code} {answer.text[:200]}"
    return wrong
