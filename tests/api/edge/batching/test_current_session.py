"""The session check: fresh, shared, and unharmed by who hangs up, what is killed and what freezes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.edge.batching.current_session import SessionCheck
from domain.ids import new_id
from domain.membership import Joining, MemberJoined
from domain.roles import Role
from domain.session import EndReason, OrganizationChosen, SessionEnded, SessionRenewed
from domain.store import Addition, Store
from domain.store.conflicts import StoreUnavailable
from domain.user import SignedUp
from tests.databases import Database
from tests.domain.store.entries import by_ada, by_the_system, founded, started
from tests.people import ADA, NOON

ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)
HASHES = [bytes([number]) * 32 for number in range(50)]


@pytest.fixture
def sessions(store: Store) -> list[Any]:
    """Fifty sessions of Ada, by the hash of their secret."""
    subject = store.new_subject(ADA)
    signed_up = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed", password_version=1)
    ids = [new_id() for _ in HASHES]
    devices = [Addition(one, 0, [started(token)]) for one, token in zip(ids, HASHES, strict=True)]
    store.append(by_ada(), subject, Addition(ADA, 0, [signed_up], subject), *devices)
    return ids


@asynccontextmanager
async def check(database: Database) -> AsyncIterator[SessionCheck]:
    checking = SessionCheck(database.application_url)
    try:
        yield checking
    finally:
        await checking.close()


def backend(database: Database) -> int:
    return int(
        database.value(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'daybook-session-check'"
        )
    )


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_it_finds_the_live_session_with_its_person(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            found = await checking.live_session(HASHES[0])
            assert found is not None
            assert (found.session_id, found.user_id, found.email, found.name) == (
                sessions[0], ADA, "ada@example.com", "Ada",
            )  # fmt: skip
            assert (found.created_at, found.active_organization_id) == (NOON, None)
            assert await checking.live_session(b"nobody's" * 4) is None

    play(story)


def test_it_goes_on_to_the_server_that_answers(database: Database, sessions: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        real, there = conninfo_to_dict(database.application_url), mute.getsockname()[1]
        url = make_conninfo("", **real | {
            "host": f"127.0.0.1,127.0.0.1,{real['host']}", "port": f"{there},{there},{real.get('port', 5432)}",
        })  # fmt: skip

        async def story() -> None:
            checking = SessionCheck(url)
            try:
                assert await checking.live_session(HASHES[0]) is not None
            finally:
                await checking.close()

        play(story)


def test_an_ended_session_is_gone_at_the_next_question(database: Database, store: Store, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            assert await checking.live_session(HASHES[0]) is not None
            store.append(by_the_system(), None, Addition(sessions[0], 1, [ENDED]))
            assert await checking.live_session(HASHES[0]) is None

    play(story)


def test_whatever_changes_is_seen_at_the_next_question(database: Database, store: Store, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            assert await checking.live_session(HASHES[0]) is not None
            store.append(by_the_system(), None, Addition(sessions[0], 1, [SessionRenewed(expires_at=NOON)]))
            renewed = await checking.live_session(HASHES[0])
            assert renewed is not None
            assert renewed.expires_at == NOON
            database.rows("UPDATE account_list SET name = 'Augusta'")
            renamed = await checking.live_session(HASHES[0])
            assert renamed is not None
            assert (renamed.name, renamed.expires_at) == ("Augusta", NOON)

    play(story)


def test_raising_the_accounts_epoch_ends_every_session_of_it(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            assert await checking.live_session(HASHES[1]) is not None
            database.rows("UPDATE account_list SET session_epoch = 1")
            assert [await checking.live_session(token) for token in HASHES[:3]] == [None, None, None]

    play(story)


def test_the_active_organization_is_what_was_chosen_while_one_belongs_to_it(
    database: Database, store: Store, sessions: list[Any]
) -> None:
    organization_id, ada = new_id(), store.subject(ADA)
    joined = MemberJoined(organization_id=organization_id, user_id=ADA, role=Role.OWNER, joining=Joining.FOUNDED)
    store.append(
        by_ada(),
        ada,
        Addition(organization_id, 0, [founded("ada")], ada),
        Addition(new_id(), 0, [joined]),
        Addition(sessions[0], 1, [OrganizationChosen(organization_id=organization_id)]),
    )

    async def active(checking: SessionCheck) -> object:
        found = await checking.live_session(HASHES[0])
        assert found is not None
        return found.active_organization_id

    async def story() -> None:
        async with check(database) as checking:
            assert await active(checking) == organization_id
            database.rows("UPDATE organization_list SET ended_at = now()")
            assert await active(checking) is None
            database.rows("UPDATE organization_list SET ended_at = NULL")
            assert await active(checking) == organization_id
            database.rows("UPDATE member_list SET live_user_id = NULL")
            assert await active(checking) is None

    play(story)


def test_all_who_ask_at_once_get_their_own_answer(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            asked = [*HASHES, b"nobody's" * 4] * 20
            found = await asyncio.gather(*(checking.live_session(token) for token in asked))
            ids = [one and one.session_id for one in found]
            assert ids == [*sessions, None] * 20

    play(story)


def test_a_thousand_different_questions_at_once_are_one_batch(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            strangers = [number.to_bytes(32) for number in range(1000, 2000)]
            found = await asyncio.gather(*(checking.live_session(token) for token in [*strangers, *HASHES]))
            assert [one and one.session_id for one in found] == [None] * 1000 + sessions

    play(story)


def test_who_hangs_up_takes_only_their_own_question_away(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            for _ in range(20):
                asking = [asyncio.create_task(checking.live_session(HASHES[0])) for _ in range(6)]
                await asyncio.sleep(0)
                asking[0].cancel()
                asking[3].cancel()
                found = await asyncio.gather(*asking, return_exceptions=True)
                gone = [isinstance(one, asyncio.CancelledError) for one in found]
                assert gone == [True, False, False, True, False, False]

    play(story)


def test_a_killed_connection_is_followed_by_another(database: Database, sessions: list[Any]) -> None:
    async def story() -> None:
        async with check(database) as checking:
            for _ in range(5):
                assert await checking.live_session(HASHES[0]) is not None
                database.rows("SELECT pg_terminate_backend(%s)", backend(database))
                assert await checking.live_session(HASHES[0]) is not None

    play(story)


def test_a_frozen_server_is_given_up_in_time_and_the_next_question_asked_elsewhere(
    database: Database, sessions: list[Any]
) -> None:
    async def story() -> None:
        async with check(database) as checking:
            assert await checking.live_session(HASHES[0]) is not None
            frozen = backend(database)
            os.kill(frozen, signal.SIGSTOP)
            try:
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await checking.live_session(HASHES[0])
                assert time.monotonic() - began < 9
                assert await checking.live_session(HASHES[0]) is not None
            finally:
                os.kill(frozen, signal.SIGCONT)

    play(story)


def test_a_migration_that_changes_a_columns_type_is_answered_all_the_same(
    database: Database, sessions: list[Any]
) -> None:
    async def story() -> None:
        async with check(database) as checking:
            assert await checking.live_session(HASHES[0]) is not None
            database.rows("ALTER TABLE account_list ALTER name TYPE varchar(500)")
            found = await checking.live_session(HASHES[0])
            assert found is not None
            assert found.name == "Ada"

    play(story)
