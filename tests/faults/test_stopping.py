"""SIGTERM and kill -9 of the supervisor alone: what was begun is finished, and nothing is left behind."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import psutil
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.faults.half_done import accounts, half_done
from tests.faults.ledger import THREADS, post_sign_up
from tests.faults.processes import end, end_all, everything_below, postmaster, workers
from tests.people import PASSWORD
from tests.server import Server

ROUNDS = 3
STOPPED_WITHIN = 10.0
ORPHANS_END_WITHIN = 5.0
CLEANLY = "database system is shut down"


@dataclass
class Asked:
    """Sign-ups of one round, each on a connection of its own.

    `before` is how those ended that were sent before SIGTERM, `acknowledged` whose were answered with 200 at all.
    """

    number: int
    before: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def all_the_time(self, url: str) -> Iterator[None]:
        """In four threads, for as long as the block runs."""
        people = [threading.Thread(target=self._sign_ups, args=(url, n)) for n in range(THREADS)]
        for person in people:
            person.start()
        try:
            yield
        finally:
            self.over.set()
            for person in people:
                person.join()

    def _sign_ups(self, url: str, thread: int) -> None:
        for turn in count():
            if self.over.is_set():
                return
            email = f"ada.{self.number}.{thread}.{turn}@example.com"
            # nothing is sent before there is a connection, for which a busy machine may need until the port is closed
            sent = list[bool]()
            try:
                with httpx.Client(base_url=url, timeout=15, verify=False) as client:  # noqa: S501  plain HTTP
                    note = partial(self._note, sent)
                    ended = str(post_sign_up(client, email, sent=note).status_code)
            except httpx.TransportError as error:
                ended = type(error).__name__
                self.over.wait(0.05)
            if ended == "200":
                self.acknowledged.append(email)
            if any(sent):
                self.before.append(ended)

    def _note(self, sent: list[bool]) -> None:
        sent.append(not self.stopping.is_set())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data"})
    yield server
    end(server, tmp_path / "data" / "postgres")


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def half_sent_sign_up(server: Server, email: str) -> tuple[socket.socket, bytes]:
    """A connection on which a sign-up has begun to arrive, and the rest of it."""
    body = json.dumps({"name": "Bo", "email": email, "password": PASSWORD}).encode()
    head = (
        "POST /api/auth/sign-up/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", port_of(server)), timeout=15)
    connection.sendall(head.encode() + body[:10])
    return connection, body[10:]


def test_what_was_begun_before_sigterm_is_answered_and_the_rest_is_refused(server: Server, tmp_path: Path) -> None:
    acknowledged, took = set[str](), list[float]()
    log = tmp_path / "data" / "postgres.log"
    for number in range(ROUNDS):
        server.start()
        logged, asked, bo = log.stat().st_size, Asked(number), f"bo.{number}@example.com"
        slow, rest = half_sent_sign_up(server, bo)
        with slow, asked.all_the_time(server.url):
            time.sleep(0.3 + 0.07 * number)
            asked.stopping.set()
            began = time.monotonic()
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port_of(server))).close()
            slow.sendall(rest)
            answer = slow.recv(65_536)
            code = server.process.wait(20)
            took.append(time.monotonic() - began)

        assert answer.startswith(b"HTTP/1.1 200")
        assert set(asked.before) == {"200"}
        assert code == 0
        assert CLEANLY in log.read_bytes()[logged:].decode()
        acknowledged |= {bo, *asked.acknowledged}

    assert max(took) < STOPPED_WITHIN
    database = EmbeddedPostgres(tmp_path / "data")
    database.start()
    try:
        owner_url = database.conninfo("postgres")
        assert acknowledged - accounts(owner_url) == set()
        assert half_done(owner_url) == {}
    finally:
        database.stop()


def test_workers_end_with_a_killed_supervisor_and_the_next_one_can_start(server: Server, tmp_path: Path) -> None:
    server.start()
    assert server.process is not None
    database = everything_below(postmaster(tmp_path / "data" / "postgres"))
    own = [process for process in server.processes()[1:] if process not in database]
    server.process.kill()
    server.process.wait(10)

    _, orphans = psutil.wait_procs(own, ORPHANS_END_WITHIN)
    end_all(orphans)
    assert orphans == []
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(("127.0.0.1", port_of(server)))

    server.start()
    with server.client() as client:
        assert post_sign_up(client, "ada@example.com").status_code == 200
    assert server.stop() == 0
    assert [process for process in database if process.is_running()] == []


def test_workers_end_with_a_supervisor_that_was_killed_before_they_were_ready(server: Server) -> None:
    starting = threading.Thread(target=_start_in_vain, args=(server,))
    starting.start()
    own = list[psutil.Process]()
    while starting.is_alive() and len(own) < 2:
        time.sleep(0.01)
        own = workers(server)
    assert server.process is not None
    server.process.kill()
    starting.join()
    _, orphans = psutil.wait_procs(own, ORPHANS_END_WITHIN)
    end_all(orphans)
    assert orphans == []


def test_a_server_stopped_while_it_starts_leaves_nothing_running(server: Server, tmp_path: Path) -> None:
    starting = threading.Thread(target=_start_in_vain, args=(server,))
    starting.start()
    while starting.is_alive() and not (tmp_path / "data" / "postgres" / "postmaster.pid").exists():
        time.sleep(0.01)
    database = postmaster(tmp_path / "data" / "postgres")
    assert server.stop() == 0
    starting.join()
    assert not database.is_running()


def _start_in_vain(server: Server) -> None:
    with pytest.raises(AssertionError, match="the server ended"):
        server.start()


def test_a_frozen_database_does_not_hold_up_the_stop(server: Server, tmp_path: Path) -> None:
    server.start()
    assert server.process is not None
    database = everything_below(postmaster(tmp_path / "data" / "postgres"))
    for process in database:
        process.suspend()
    waiting, rest = half_sent_sign_up(server, "bo@example.com")
    with waiting:
        waiting.sendall(rest)
        time.sleep(1)  # by now a thread of a worker waits for the database
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    assert time.monotonic() - began < STOPPED_WITHIN
    _, left = psutil.wait_procs(database, 2)
    assert left == []
