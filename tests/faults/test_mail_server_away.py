"""The mail server away under load, and a long queue before it: none lost, none twice, and nobody waits for it.

`MAIL_AWAY` seconds and `DRAINED_MAILS` for other sizes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.api.deliveries.mail_server import Mailbox, mail_server
from tests.api.routes.fellows import Person
from tests.databases import Database
from tests.faults.test_deliveries_under_fire import invited
from tests.inviting import acme_in
from tests.keeping import caught_up
from tests.server import ROOT, Server, free_port, served

AWAY = float(os.environ.get("MAIL_AWAY", "60"))
MAILS = int(os.environ.get("DRAINED_MAILS", "10000"))
A_SECOND = 20
CALLERS = 4
WARM = 200
"""Mails after which what the sender takes is all it takes."""

pytestmark = pytest.mark.long


@pytest.fixture
def port() -> int:
    return free_port()


def settings(database: Database, port: int) -> dict[str, object]:
    return {
        "DATABASE_URL": database.application_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "WORKERS": 1,
        "SMTP_URL": f"smtp://localhost:{port}?tls=off",
        "MAIL_FROM": "no-reply@accounts.example.com",
        "NEW_DEVICE_MAIL": "off",
    }


@pytest.fixture
def server(database: Database, port: int, tmp_path: Path) -> Iterator[Server]:
    with served(tmp_path / "log", settings(database, port)) as server:
        yield server


class Load:
    """Invitations at a steady rate, by a few people at once; who was invited, and how long each call took."""

    def __init__(self, server: Server) -> None:
        self.people = [Person(server.url, "Ada") for _ in range(CALLERS)]
        for number, one in enumerate(self.people):
            one.founds(f"acme-{number}-{time.monotonic_ns()}")
        self.invited = list[str]()

    def goes_on(self, seconds: float) -> list[float]:
        """For so long; the seconds of each call."""
        took = list[float]()
        until = time.monotonic() + seconds

        def invite(number: int) -> None:
            turn = time.monotonic()
            while turn < until:
                email = f"person.{number}.{time.monotonic_ns()}@example.com"
                began = time.monotonic()
                self.people[number].invites(email)
                took.append(time.monotonic() - began)
                self.invited.append(email)
                turn += CALLERS / A_SECOND
                time.sleep(max(0.0, turn - time.monotonic()))

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(invite, range(CALLERS)))
        return took


class Counted(Mailbox):
    """Keeps whom they were for, not what they said: this process is watched too."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.recipients, self.ports = 0, set[str](), set[int]()

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(_server, session, envelope)
        [(_, to, _, port)] = self.taken
        self.taken.clear()
        self.number += 1
        self.recipients.add(to)
        self.ports.add(port)
        return answer


def all_ended(database: Database, seconds: float) -> None:
    """Every delivery is, in time."""
    waiting = "SELECT count(*) FROM deliveries WHERE state = 'waiting'"
    until = time.monotonic() + seconds
    while (left := database.value(waiting)) > 0:
        assert time.monotonic() < until, f"{left} still wait"
        time.sleep(0.5)


def test_none_is_lost_and_no_call_waits_while_the_mail_server_is_away(
    server: Server, database: Database, port: int
) -> None:
    mailbox, load = Mailbox(), Load(server)
    with mail_server(mailbox, port):
        there = load.goes_on(AWAY / 3)
    away = load.goes_on(AWAY)
    began = time.monotonic()
    with mail_server(mailbox, port):
        back = load.goes_on(AWAY / 6)
        all_ended(database, 120 + len(load.invited) / 10)
        drained = time.monotonic() - began
    again = {to: times for to, times in Counter(to for _, to, *_ in mailbox.taken).items() if times > 1}
    median, others = statistics.median(away), statistics.median(there + back)
    print(
        f"\n{len(load.invited)} invitations, {len(away)} of them while it was away for {AWAY:.0f} s;"
        f" all sent {drained:.0f} s after it was back, {len(again)} twice;"
        f" a call took {others * 1e3:.1f} ms, while it was away {median * 1e3:.1f} ms"
    )
    assert {to for _, to, *_ in mailbox.taken} == set(load.invited)
    assert database.rows("SELECT DISTINCT state FROM deliveries WHERE kind = 'invitation'") == [("sent",)]
    # it was taken away once: whatever it was at then it may have taken without a word
    assert sum(again.values()) - len(again) <= 1
    assert all(len({m["Message-ID"] for m in mailbox.messages() if m["To"] == to}) == 1 for to in again)
    assert median < 2 * others + 0.05


def test_a_long_queue_drains_in_bounded_memory(database: Database, port: int, tmp_path: Path) -> None:
    with acme_in(database) as acme:
        invited(acme, MAILS)
    caught_up(database)
    asked = {
        "conninfo": database.application_url,
        "ledger": str(tmp_path / "ledger"),
        "smtp": f"smtp://localhost:{port}?tls=off",
        "leased_for": 60.0,
    }
    command = [sys.executable, "-m", "tests.faults.drilled_sender", json.dumps(asked)]
    mailbox, memory = Counted(), dict[int, int]()
    with mail_server(mailbox, port):
        began = time.monotonic()
        sender = psutil.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL)
        try:
            while mailbox.number < MAILS:
                assert time.monotonic() - began < 120 + MAILS / 10, f"{mailbox.number} of {MAILS}"
                memory[mailbox.number] = sender.memory_info().rss
                time.sleep(0.1)
            took = time.monotonic() - began
            all_ended(database, 30)
        finally:
            sender.kill()
            sender.wait(10)
    warm = next(rss for number, rss in memory.items() if number >= WARM)
    print(
        f"\n{MAILS} mails in {took:.0f} s, by {len(mailbox.ports)} connections;"
        f" {warm / 2**20:.1f} MiB after {WARM}, {max(memory.values()) / 2**20:.1f} at most"
    )
    assert database.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("sent", MAILS)]
    assert mailbox.number == len(mailbox.recipients) == MAILS
    assert max(memory.values()) <= 1.1 * warm, "memory grows with what is due"
