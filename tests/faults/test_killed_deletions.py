"""kill -9 of everything, the database too, while people delete their accounts: each is gone whole, or is as before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from domain.store.requirements import open_keyring
from domain.store.sequencer import sequence
from projections.maintenance.verify import verify
from tests.faults.leaving_at_once import violations
from tests.faults.processes import end, kill
from tests.people import PASSWORD, SECRET
from tests.server import Server

KILLS, LONG_KILLS = 4, 50
THREADS = 4
_INTACT = """
SELECT count(*) FROM account_list a JOIN credentials c USING (user_id) JOIN subject_keys k ON k.subject_id = a.user_id
  JOIN member_list m ON m.live_user_id = a.user_id JOIN organization_list o USING (organization_id)
 WHERE a.user_id = %s AND a.email_slot IS NOT NULL AND k.wrapped IS NOT NULL AND o.ended_at IS NULL AND a.name = 'Ada'
   AND NOT EXISTS (SELECT FROM events e WHERE e.stream_id = a.user_id AND e.name = 'PersonErased')
"""
_numbers = count()


@dataclass
class Answers:
    """Who was told that they are gone, and who heard nothing or was told to come again."""

    gone: list[UUID] = field(default_factory=list)
    unknown: list[UUID] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data", "WORKERS": 1})
    yield server
    end(server, tmp_path / "data" / "postgres")


def test_a_killed_deletion_has_not_begun_or_is_finished(
    server: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = Answers()
    for number in range(LONG_KILLS if request.config.getoption("--long") else KILLS):
        server.start()
        over = threading.Event()
        people = [threading.Thread(target=come_and_go, args=(server.url, told, over)) for _ in range(THREADS)]
        for person in people:
            person.start()
        # in no step with anything the server does
        time.sleep(0.6 + 0.37 * number % 0.5)
        kill(server)
        over.set()
        for person in people:
            person.join()
    server.start()

    assert told.wrong == []
    assert min(len(told.gone), len(told.unknown)) > 0, "there was hardly anything to lose"
    with psycopg.connect(
        EmbeddedPostgres(tmp_path / "data").conninfo("postgres"), **connection_arguments("tests")
    ) as owner:
        for user_id in told.gone:
            assert (violations(owner, user_id), intact(owner, user_id)) == ([], False)
        finished = [user_id for user_id in told.unknown if not intact(owner, user_id)]
        for user_id in finished:
            assert violations(owner, user_id) == []
        while sequence(owner):
            pass
        owner.execute("SET statement_timeout = 0")
        result = verify(owner, SealingMapper(open_keyring(owner, SECRET)), lambda *_: None)
    assert (result.findings, [table.table for table in result.tables if table.differing]) == ([], [])
    print(f"{len(told.gone)} told, {len(told.unknown)} not, {len(finished)} of these gone")


def come_and_go(url: str, told: Answers, over: threading.Event) -> None:
    """Somebody opens an account and deletes it, again and again."""
    with httpx.Client(base_url=url, timeout=15, headers={"Origin": url}) as client:
        while not over.is_set():
            client.cookies.clear()
            email = f"ada.{next(_numbers)}@example.com"
            form = {"name": "Ada", "email": email, "password": PASSWORD}
            try:
                user = client.post("/api/auth/sign-up/email", json=form).json()["user"]
            except (httpx.TransportError, KeyError, ValueError):
                over.wait(0.02)
                continue
            delete(client, UUID(hex=user["id"]), told)


def delete(client: httpx.Client, user_id: UUID, told: Answers) -> None:
    try:
        answer = client.post("/api/auth/delete-user", json={})
    except httpx.TransportError:
        told.unknown.append(user_id)
        return
    if answer.status_code == 200:
        told.gone.append(user_id)
    elif answer.status_code == 503:
        told.unknown.append(user_id)
    else:
        told.wrong.append((answer.status_code, answer.text))


def intact(owner: psycopg.Connection[Any], user_id: UUID) -> bool:
    """Whether everything of theirs is as it was before they wanted to go."""
    return owner.execute(_INTACT, (user_id,)).fetchone() == (1,)
