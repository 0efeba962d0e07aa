"""A server that is forbidden to write: the service says so, and goes on by itself when it is allowed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ledger import post_sign_up
from tests.faults.processes import end
from tests.faults.two_servers import until
from tests.own_server import OwnServer, own_server
from tests.server import Server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as server:
        yield server


@pytest.fixture
def server(own: OwnServer, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATABASE_URL": own.application_url, "OWNER_DATABASE_URL": own.owner_url})
    try:
        server.start()
        yield server
    finally:
        end(server)


def test_it_is_not_ready_and_says_why(own: OwnServer, server: Server) -> None:
    with server.client() as client:
        cookie = post_sign_up(client, "ada@example.com").headers["set-cookie"].partition(";")[0]
        own.set(default_transaction_read_only="on")
        until(lambda: not server.ready(), "not ready", 5)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "read-only")
        assert post_sign_up(client, "bo@example.com").status_code == 503
        assert client.get("/api/auth/get-session", headers={"Cookie": cookie}).status_code == 503
        own.reset("default_transaction_read_only")
        until(server.ready, "ready", 5)
        assert post_sign_up(client, "bo@example.com").status_code == 200
        assert client.get("/api/auth/get-session", headers={"Cookie": cookie}).status_code == 200
    until(lambda: own.rows("SELECT count(*) FROM queue") == [(0,)], "the log goes on", 10)
