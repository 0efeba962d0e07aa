"""Deliveries under fire: senders killed and frozen at random; none lost, none twice but what an interrupted one was at.

`DELIVERY_ROWS=20000` for the full size.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import NamedTuple
from uuid import UUID

import psutil
import pytest

from domain.ids import new_id
from domain.invitation import InvitationCanceled, InvitationSent
from domain.store import Addition
from tests.databases import Database
from tests.domain.store.entries import WEEK, by_the_system
from tests.inviting import Acme, acme_in
from tests.keeping import caught_up
from tests.people import NOON
from tests.server import ROOT

ROWS = int(os.environ.get("DELIVERY_ROWS", "1000"))
SEED = int(os.environ.get("SEED", "20"))
SENDERS = 3
LEASE = 2.0
"""Seconds; most of the freezes are longer."""
FEW = 60
"""Of the second half so many become due at once, when those before are nearly sent: what a frozen sender holds is then
soon another's, and not behind a long backlog.
"""
AT_ONCE, WARM = 50, 60
MORE = """
UPDATE deliveries SET due_at = clock_timestamp() WHERE stream_id IN (
    SELECT stream_id FROM deliveries
     WHERE due_at = 'infinity' AND state = 'waiting'
       AND (SELECT count(*) FROM deliveries WHERE state = 'waiting' AND due_at < 'infinity') < %s
     LIMIT %s)
"""
PATIENCE = 120 + ROWS / 20
"""Seconds until all must be over: very slow senders, and long enough for every lease of a killed one."""


class Sent(NamedTuple):
    """One handing over: when, by which process, of which delivery."""

    at: int
    by: int
    name: str


@dataclass
class Fire:
    """The senders, and what is done to them. The first is only frozen, so that its memory can be watched."""

    conninfo: str
    folder: Path
    chances: Random
    processes: list[psutil.Popen] = field(default_factory=list)
    interrupted: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    kills: int = 0
    freezes: int = 0
    frozen: dict[psutil.Popen, float] = field(default_factory=dict)
    memory: list[tuple[int, int]] = field(default_factory=list)

    def start(self) -> psutil.Popen:
        asked = {
            "conninfo": self.conninfo,
            "folder": str(self.folder / "mail"),
            "ledger": str(self.folder / "ledger"),
            "leased_for": LEASE,
        }
        command = [sys.executable, "-m", "tests.faults.drilled_sender", json.dumps(asked)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return psutil.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)

    def strike(self) -> None:
        """Kill one and start another in its place, or freeze one for a while."""
        number = self.chances.randrange(SENDERS)
        process = self.processes[number]
        if process in self.frozen:
            return
        if number > 0 and self.chances.random() < 0.5:
            process.kill()
            process.wait(10)
            self.kills += 1
            self.processes[number] = self.start()
        else:
            process.send_signal(signal.SIGSTOP)
            while process.status() != psutil.STATUS_STOPPED:
                assert process.poll() is None, "a sender ended by itself"
                time.sleep(0.001)
            self.freezes += 1
            self.frozen[process] = time.monotonic() + self.chances.uniform(0.5, 2.5) * LEASE
        # by now it does nothing more: whatever it did stands in the ledger before this moment
        self.interrupted[process.pid].append(time.monotonic_ns())

    def thaw(self, *, everyone: bool = False) -> None:
        for process, until in list(self.frozen.items()):
            if everyone or time.monotonic() >= until:
                process.send_signal(signal.SIGCONT)
                del self.frozen[process]

    def look_at_memory(self) -> None:
        self.memory.append((time.monotonic_ns(), self.processes[0].memory_info().rss))

    def end(self) -> None:
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
            process.wait(10)


@pytest.fixture
def acme(database: Database) -> Iterator[Acme]:
    with acme_in(database) as acme:
        yield acme


@pytest.fixture
def fire(database: Database, tmp_path: Path) -> Iterator[Fire]:
    (tmp_path / "mail").mkdir()
    fire = Fire(database.application_url, tmp_path, Random(SEED))
    yield fire
    fire.end()


def invited(acme: Acme, number: int) -> list[UUID]:
    """So many invitations, as the command appends them, in larger appends than it makes."""
    store, keyring = acme.context.store, acme.context.keyring
    ids = [new_id() for _ in range(number)]
    for begin in range(0, number, AT_ONCE):
        additions = list[Addition]()
        for invitation_id in ids[begin : begin + AT_ONCE]:
            email = f"person{invitation_id.hex}@example.com"
            sent = InvitationSent(
                organization_id=acme.organization_id,
                email=email,
                email_hash=keyring.email_hash(email),
                role="member",
                inviter_id=acme.ada,
                link_hash=keyring.link_hash(keyring.invitation_link(invitation_id)),
                expires_at=NOON + WEEK,
                place=None,
            )
            additions.append(Addition(invitation_id, 0, [sent], store.new_subject(invitation_id)))
        store.append(by_the_system(), None, *additions)
    return ids


def canceled(acme: Acme, ids: list[UUID]) -> None:
    for begin in range(0, len(ids), AT_ONCE):
        some = [Addition(one, 1, [InvitationCanceled()]) for one in ids[begin : begin + AT_ONCE]]
        acme.context.store.append(by_the_system(), None, *some)


def waiting(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM deliveries WHERE state = 'waiting'"))


def ledger(folder: Path) -> list[Sent]:
    lines = (folder / "ledger").read_text().splitlines()
    return [Sent(int(at), int(by), name) for at, by, name in map(str.split, lines)]


def interruptions_at(sent: Sent, every: list[Sent], interrupted: dict[int, list[int]]) -> list[tuple[int, int]]:
    """By which interruptions the process that sent this may not have known what it did: its number, and when.

    Those after its message before this one and before the next. A machine that lets a process wait for longer than its
    lease interrupts it too.
    """
    theirs = [one.at for one in every if one.by == sent.by]
    before = max((at for at in theirs if at < sent.at), default=0)
    after = min((at for at in theirs if at > sent.at), default=None)
    moments = [at for at in interrupted.get(sent.by, []) if before < at and (after is None or at < after)]
    if after is not None and after - sent.at > LEASE * 1e9:
        moments.append(after)
    return [(sent.by, at) for at in moments]


def told_apart(every: list[Sent], interrupted: dict[int, list[int]]) -> tuple[list[Sent], list[Sent]]:
    """What was sent again, and what of it no interruption is to blame for that is not to blame for another."""
    by_name = defaultdict[str, list[Sent]](list)
    for one in every:
        by_name[one.name].append(one)
    again, blameless, blamed = list[Sent](), list[Sent](), set[tuple[int, int]]()
    for sendings in by_name.values():
        if len(sendings) > 1:
            blame = [one for sent in sendings for one in interruptions_at(sent, every, interrupted)]
            for once_more in sendings[1:]:
                again.append(once_more)
                free = next((one for one in blame if one not in blamed), None)
                if free is None:
                    blameless.append(once_more)
                else:
                    blamed.add(free)
    return again, blameless


def test_none_is_lost_and_none_sent_twice_but_what_an_interrupted_sender_was_at(
    acme: Acme, database: Database, fire: Fire, tmp_path: Path
) -> None:
    ids = invited(acme, ROWS)
    over = ids[::10]
    canceled(acme, over)
    caught_up(database)
    assert waiting(database) == ROWS
    second_half = "SELECT stream_id FROM deliveries ORDER BY stream_id OFFSET %s"
    database.rows(f"UPDATE deliveries SET due_at = 'infinity' WHERE stream_id IN ({second_half})", ROWS // 2)

    began = time.monotonic()
    fire.processes += [fire.start() for _ in range(SENDERS)]
    while (left := waiting(database)) > 0:
        assert time.monotonic() - began < PATIENCE, f"{left} of {ROWS} still wait"
        fire.strike()
        for _ in range(fire.chances.randint(1, 5)):
            time.sleep(0.1)
            fire.thaw()
            fire.look_at_memory()
            database.rows(MORE, FEW, FEW)
    took = time.monotonic() - began
    fire.thaw(everyone=True)
    time.sleep(1)
    fire.end()

    assert dict(database.rows("SELECT state, count(*) FROM deliveries GROUP BY state")) == {
        "sent": ROWS - len(over),
        "dropped": len(over),
    }
    expected = {f"invitation.{one.hex}.1" for one in set(ids) - set(over)}
    files = {file.name.removesuffix(".eml") for file in (tmp_path / "mail").glob("*.eml")}
    every = ledger(tmp_path)
    assert files == expected
    assert {one.name for one in every} == expected

    again, blameless = told_apart(every, fire.interrupted)
    # what it takes once it has begun to send is all it takes
    warm = [one.at for one in every if one.by == fire.processes[0].pid][WARM]
    memory = [rss / 2**20 for at, rss in fire.memory if at >= warm]
    print(
        f"\n{ROWS} rows in {took:.0f} s, seed {SEED}: {fire.kills} kills, {fire.freezes} freezes,"
        f" {len(again)} sent twice; {memory[0]:.1f} MiB after {WARM} messages, {max(memory):.1f} at most"
    )
    assert blameless == [], "sent twice, and not for an interruption that is to blame for nothing else"
    assert max(memory) <= 1.1 * memory[0], "memory grows with what is due"
