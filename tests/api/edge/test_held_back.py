"""A flood is refused before its bodies are read, and slowly, so that a closed loop cannot spin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.edge.held_back import BURST, MOST, SECONDS, HeldBack
from api.edge.loop_load import LoopLoad
from domain import clock as system_clock
from tests.api.browser import BASE, Browser
from tests.api.conftest import settings_for
from tests.databases import Database
from tests.server import application

JSON = {"Content-Type": "application/json"}
FLOOD, FOR = 8, 3.0
"""Connections that do not wait, and the seconds of it."""


def test_who_is_refused_now_and_then_is_told_at_once_and_a_flood_a_second_later() -> None:
    async def refused(held: HeldBack) -> float:
        began = time.monotonic()
        assert await held.hold()
        return time.monotonic() - began

    async def flood() -> list[float]:
        held = HeldBack()
        return await asyncio.gather(*(refused(held) for _ in range(int(BURST) + 50)))

    took = asyncio.run(flood())
    late = [one for one in took if one >= SECONDS * 0.9]
    # a slow machine may have earned some more meanwhile
    assert 1 <= len(late) <= 50
    assert all(one < SECONDS for one in took[:50])


def test_only_so_many_are_held() -> None:
    async def flood() -> list[bool]:
        held = HeldBack()
        return await asyncio.gather(*(held.hold() for _ in range(int(BURST) + MOST + 200)))

    answers = asyncio.run(flood())
    assert 1 <= answers.count(False) <= 200


def test_after_a_flood_it_is_as_before() -> None:
    async def flood() -> float:
        held = HeldBack()
        await asyncio.gather(*(held.hold() for _ in range(int(BURST) + 20)))
        began = time.monotonic()
        await held.hold()
        return time.monotonic() - began

    assert asyncio.run(flood()) < SECONDS / 2


def spun(url: str, path: str, body: bytes) -> list[int]:
    """What a closed loop of some connections is answered in some seconds."""
    over = time.monotonic() + FOR

    def loop(_number: int) -> list[int]:
        statuses = []
        while time.monotonic() < over:
            statuses.append(Browser(url).ask("POST", f"{BASE}{path}", body, JSON).status)
        return statuses

    with ThreadPoolExecutor(FLOOD) as threads:
        return [status for statuses in threads.map(loop, range(FLOOD)) for status in statuses]


def test_a_closed_loop_of_refused_sign_ins_cannot_spin(module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on"), system_clock.now) as url:
        found = spun(url, "/sign-in/email", b"{}")
    assert set(found) <= {400, 429}
    # fifty a second, a hundred beforehand, and each connection once a second; and the last of each
    assert len(found) <= 50 * (FOR + 2) + BURST + FLOOD * (FOR + 2)


@pytest.fixture(scope="module")
def slow_url(module_database: Database) -> Iterator[str]:
    """Where one hash takes long."""
    with application(settings_for(module_database, argon2_time=40), system_clock.now) as url:
        yield url


def test_while_the_queue_is_full_nobodys_body_is_read(slow_url: str) -> None:
    def guess(_number: int) -> int:
        return Browser(slow_url).sign_in("nobody@example.com", "wrong password").status

    malformed, told = Browser(slow_url), set[int]()
    with ThreadPoolExecutor(40) as threads:
        guesses = [threads.submit(guess, number) for number in range(40)]
        while not all(one.done() for one in guesses):
            answer = malformed.ask("POST", f"{BASE}/sign-in/email", b"{", JSON)
            told.add(answer.status)
            if answer.status == 503:
                assert answer.json()["code"] == "SERVICE_UNAVAILABLE"
                assert answer.header("retry-after") == "1"
                # what hashes nothing is answered as ever
                assert malformed.ask("POST", f"{BASE}/sign-out").status == 200
                assert malformed.ask("GET", f"{BASE}/get-session").status == 200
        assert {one.result() for one in guesses} == {401, 503}
    assert 503 in told
    assert malformed.ask("POST", f"{BASE}/sign-in/email", b"{", JSON).status == 400


def test_a_loop_is_busy_while_it_computes_and_not_while_it_waits() -> None:
    load, stop = LoopLoad(), threading.Event()

    def compute() -> None:
        load.here()
        while not stop.is_set():
            pass

    assert not load.busy()
    thread = threading.Thread(target=compute)
    thread.start()
    told = [load.busy()]
    while not told[-1] and len(told) < 100:
        time.sleep(0.1)
        told.append(load.busy())
    stop.set()
    assert told[-1]
    thread.join()


def test_a_loop_that_waits_is_not_busy() -> None:
    load, stop = LoopLoad(), threading.Event()

    def wait() -> None:
        load.here()
        stop.wait(30)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.4)
    assert not load.busy()
    stop.set()
    thread.join()
