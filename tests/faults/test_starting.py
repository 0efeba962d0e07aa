"""Starting and stopping as a balancer and an operator see it: nobody waits at a port where nobody answers."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from api.cli.listener import Listener
from tests.databases import Database, begin_log
from tests.faults.ledger import post_sign_up
from tests.faults.processes import end, workers
from tests.faults.test_background_process import background_process
from tests.faults.test_refusing_to_start import refusal
from tests.faults.test_stopping import half_sent_sign_up, port_of
from tests.people import PASSWORD
from tests.server import Server, served

PATIENCE = 120.0
"""Seconds, far more than anything here takes."""
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) (daybook|uvicorn)\S*: \S.*")


@pytest.fixture
def external(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A database server of the operator's own, in which a log was begun."""
    external = EmbeddedPostgres(tmp_path / "external")
    external.start()
    begin_log(external.conninfo("postgres"))
    yield external
    external.stop()


@pytest.fixture
def server(external: EmbeddedPostgres, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATABASE_URL": external.conninfo("daybook"), "WORKERS": 2})
    yield server
    end(server)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begin(server: Server) -> None:
    """Start it, and do not wait."""
    with server.log.open("ab") as log:
        server.process = server._popen(log)


def answer(server: Server, path: str) -> tuple[int, dict[str, str]] | None:
    """Status and headers, None if the connection is refused or reset; to be kept waiting is an error."""
    asking = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
    try:
        asking.request("GET", path)
        found = asking.getresponse()
        return found.status, {name.lower(): value for name, value in found.getheaders()}
    except (ConnectionError, http.client.RemoteDisconnected):
        return None
    finally:
        asking.close()


def lines(server: Server) -> list[str]:
    """The log but for what `serve` says to who looks at the terminal."""
    return [
        line for line in server.log.read_text().splitlines() if not line.startswith(("Daybook is ready", "Its data"))
    ]


def told(server: Server, text: str) -> int:
    return sum(text in line for line in lines(server))


def test_a_server_waits_for_its_database_lives_meanwhile_and_then_answers_the_first_sign_in(
    external: EmbeddedPostgres, server: Server
) -> None:
    server.start(wait=PATIENCE)
    with server.client() as client:
        assert post_sign_up(client, "ada@example.com").status_code == 200
    assert server.stop(wait=PATIENCE) == 0
    external.stop()

    begin(server)
    until(lambda: answer(server, "/healthz") is not None)
    assert answer(server, "/healthz") == (200, answer(server, "/healthz")[1])  # type: ignore[index]
    status, headers = answer(server, "/readyz") or (0, {})
    assert (status, "retry-after" in headers) == (503, True)
    time.sleep(3)
    assert server.process is not None
    assert server.process.poll() is None
    assert told(server, "Waiting for the database since") == 1

    external.start()
    until(server.ready)
    with server.client() as client:
        signed_in = client.post("/api/auth/sign-in/email", json={"email": "ada@example.com", "password": PASSWORD})
        assert signed_in.status_code == 200
    until(lambda: told(server, "The database answers after") == 1)
    assert [line for line in lines(server) if not LINE.fullmatch(line)] == []


def test_a_server_that_cannot_migrate_yet_lives_meanwhile_and_says_whom_it_waits_for(
    external: EmbeddedPostgres, server: Server
) -> None:
    owner_url = external.conninfo("postgres")
    server.environment["DAYBOOK_OWNER_DATABASE_URL"] = owner_url
    with psycopg.connect(owner_url, application_name="a dump") as dump:
        dump.execute("SELECT pg_advisory_xact_lock(hashtextextended('daybook migrations', 0))")
        begin(server)
        until(lambda: told(server, f"Others hold what a migration changes: pid {dump.info.backend_pid} (a dump)") == 1)
        until(lambda: answer(server, "/healthz") is not None)
        assert (answer(server, "/healthz") or (0,))[0] == 200
    until(server.ready)
    assert [line for line in lines(server) if not LINE.fullmatch(line)] == []


def test_what_waiting_does_not_mend_ends_a_server_that_waited(
    external: EmbeddedPostgres, database: Database, tmp_path: Path
) -> None:
    external.stop()
    server = Server(
        tmp_path / "mixed", {"DATABASE_URL": external.conninfo("daybook"), "OWNER_DATABASE_URL": database.owner_url}
    )
    try:
        begin(server)
        until(lambda: told(server, "Waiting for the database since") == 1)
        external.start()
        assert server.process is not None
        assert server.process.wait(PATIENCE) == 1
        assert lines(server)[-1].startswith("DAYBOOK_OWNER_DATABASE_URL and DAYBOOK_DATABASE_URL lead to two databases")
    finally:
        end(server)


def test_whoever_is_let_in_while_a_server_starts_is_answered_at_once(server: Server) -> None:
    begin(server)
    waited = list[float]()
    until_ready = time.monotonic() + PATIENCE
    while not waited or not server.ready():
        assert time.monotonic() < until_ready
        began = time.monotonic()
        if answer(server, "/healthz") is not None:
            waited.append(time.monotonic() - began)
        time.sleep(0.02)
    start = server.stop(wait=PATIENCE)
    assert start == 0
    # a start takes seconds; a worker that loads would keep one waiting for most of them
    assert waited[0] < 1.0


def test_the_port_is_taken_before_it_is_open(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listener = Listener("127.0.0.1", port)
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert f"Port {port} " in refusal(tmp_path, PORT=port, DATA_DIR=tmp_path / "data")
        assert not (tmp_path / "data").exists()
        listener.open()
        socket.create_connection(("127.0.0.1", port)).close()
        listener.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        listener.refuse()
        listener.open()
        socket.create_connection(("127.0.0.1", port)).close()
        listener.socket.settimeout(5)
        listener.socket.accept()[0].close()
    finally:
        listener.close()


def test_before_the_port_closes_readiness_says_no_and_connections_are_asked_to_end(
    external: EmbeddedPostgres, tmp_path: Path
) -> None:
    urls = {"DATABASE_URL": external.conninfo("daybook"), "WORKERS": 1, "DRAIN_FOR": 5}
    with served(tmp_path / "log", urls) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        kept = client.get("/healthz")
        assert "connection" not in kept.headers
        assert server.process is not None
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: (answer(server, "/readyz") or (0,))[0] == 503)
        ready = client.get("/readyz")
        assert ready.json()["ready"] is False
        assert ready.json()["database"] == "ok"
        assert ready.headers["connection"] == "close"
        assert ready.headers["retry-after"] == "1"
        assert client.get("/api/auth/ok").status_code == 200
        assert server.process.wait(PATIENCE) == 0
        assert time.monotonic() - began > 5


def test_a_request_that_the_end_cuts_off_is_answered_with_503(server: Server) -> None:
    server.start(wait=PATIENCE)
    half, _ = half_sent_sign_up(server, "bo@example.com")
    with half:
        half.settimeout(60)
        time.sleep(0.5)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        said = b""
        while received := half.recv(65_536):
            said += received
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in head.lower()
    assert b"connection: close" in head.lower()
    assert json.loads(body)["code"] == "SERVICE_UNAVAILABLE"
    assert server.process.wait(PATIENCE) == 0


def test_a_worker_that_ends_has_a_line_with_why_and_nobody_waits_at_an_empty_port(server: Server) -> None:
    server.start(wait=PATIENCE)
    killed = workers(server)
    for worker in killed:
        worker.kill()
    # refused, or answered by a new one; a connection that nobody accepts would wait
    assert answer(server, "/healthz") is None
    until(lambda: (answer(server, "/readyz") or (0,))[0] == 200)
    for worker in killed:
        assert told(server, f"Worker {worker.pid} ended by SIGKILL (out of memory, if nobody sent it)") == 1
    until(lambda: len(workers(server)) == 2)
    ended = workers(server)[0]
    ended.terminate()
    until(lambda: told(server, f"Worker {ended.pid} ended by SIGTERM") == 1)
    assert server.stop(wait=PATIENCE) == 0


def test_a_worker_frozen_for_long_is_not_taken_for_one_that_hangs_before_its_time(server: Server) -> None:
    server.start(wait=PATIENCE)
    [frozen, *_] = workers(server)
    frozen.suspend()
    try:
        time.sleep(12)  # twice what uvicorn's own supervisor waits
    finally:
        frozen.resume()
    time.sleep(1)
    assert frozen.is_running()
    assert told(server, "ended") == 0
    assert server.stop(wait=PATIENCE) == 0


def test_a_folder_called_api_in_the_working_directory_is_not_taken_for_ours(database: Database, tmp_path: Path) -> None:
    here = tmp_path / "work"
    (here / "api" / "cli").mkdir(parents=True)
    (here / "api" / "__init__.py").touch()
    urls = {"DATABASE_URL": database.application_url, "WORKERS": 1}

    class Elsewhere(Server):
        def _popen(self, log: object) -> subprocess.Popen[bytes]:
            command = [
                sys.executable,
                "-P",
                "-m",
                "api.cli",
                "serve",
            ]  # as the wheel's script, which has no folder first
            return subprocess.Popen(command, cwd=here, env=self.environment, stdout=log, stderr=log)  # type: ignore[call-overload,no-any-return]

    server = Elsewhere(tmp_path / "log", urls)
    try:
        server.start(wait=PATIENCE)
        assert background_process(server).is_running()
        time.sleep(1.5)
        # nothing but what every start says
        assert [line.partition(" INFO daybook: ")[2] for line in lines(server)] == [
            "No mail leaves from here: set DAYBOOK_SMTP_URL or DAYBOOK_MAIL_FOLDER."
        ]
        assert server.stop(wait=PATIENCE) == 0
    finally:
        end(server)


def test_a_keeper_that_ends_at_once_again_and_again_is_started_ever_later(server: Server) -> None:
    server.start(wait=PATIENCE)
    until_over = time.monotonic() + 9
    seen = set[int]()
    while time.monotonic() < until_over:
        for process in psutil.Process(server.process.pid if server.process else None).children():
            try:
                if "api.background.tasks" in process.cmdline():
                    seen.add(process.pid)
                    process.kill()
            except psutil.Error:
                continue
        time.sleep(0.05)
    # at once, then after 0.5, 1, 2, 4 s: without it one every half second
    assert 2 <= len(seen) <= 6
    assert told(server, "The background process ended by SIGKILL") >= 2
    assert told(server, "it is started again in 2 s.") == 1
    assert server.stop(wait=PATIENCE) == 0


def test_a_database_that_is_away_is_in_the_log_once_and_so_is_its_return(
    external: EmbeddedPostgres, server: Server
) -> None:
    server.start(wait=PATIENCE)
    external.stop()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            answer(server, "/readyz")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        until(lambda: told(server, "The database does not answer since") == 1)
        time.sleep(5)
        external.start()
        until(lambda: told(server, "The database answers again, after") == 1)
        until(server.ready)
    finally:
        over.set()
        asking.join()
    assert told(server, "The database does not answer since") == 1
    assert [line for line in lines(server) if not LINE.fullmatch(line)] == []
    assert len(lines(server)) <= 4
    assert server.stop(wait=PATIENCE) == 0
