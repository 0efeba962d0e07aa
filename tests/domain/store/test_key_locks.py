"""What is done under the locks of key rows, and who waits for it: nobody seals with a key that is destroyed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.commands.queries import the_session
from domain.events.catalogue import SESSION, USER
from domain.ids import new_id
from domain.refusals import SubjectGone
from domain.store import Addition, HeldKeys, Store
from domain.store.conflicts import StreamMovedOn
from domain.store.connections import connection_arguments
from domain.store.credentials import changed_credentials
from domain.store.sequencer import sequence
from projections.lists import account_list, session_list
from tests.databases import Database
from tests.domain.store.entries import a_session, by_ada, by_the_system, founded
from tests.domain.store.forgetting import (
    ALL,
    ENDED,
    GONE,
    RENEWED,
    ROUNDS,
    forget,
    forgotten,
    keys_of,
    session_of,
    signed_up,
)
from tests.domain.store.test_races import waiting_for_a_lock
from tests.people import ADA, BO


@pytest.mark.parametrize("devices", [1, 9, 40])
def test_events_rows_and_keys_go_together(store: Store, database: Database, devices: int) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    sessions = [session_of(store, ADA) for _ in range(devices)]
    his = session_of(store, BO)
    forget(store, ADA)
    assert database.rows("SELECT user_id, email, name, version, session_epoch FROM account_list ORDER BY name") == [
        (BO, "somebody@example.com", "Somebody", 1, 0),
        (ADA, None, None, 2, 1),
    ]
    blank = database.rows("SELECT session_id FROM session_list WHERE ip_address IS NULL AND version = 1")
    assert {session_id for [session_id] in blank} == set(sessions)
    assert database.value("SELECT ip_address FROM session_list WHERE session_id = %s", his) == "192.0.2.1"
    assert database.rows("SELECT subject_id FROM subject_keys WHERE wrapped IS NULL") == [(ADA,)]
    [*_, said] = store.events.get(ADA)
    assert said.event == GONE  # type: ignore[attr-defined]  # the library's type for what our mapper returns


def test_rows_blanked_are_those_a_rebuild_would_make(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    session_id = session_of(store, ADA)
    forget(store, ADA)
    for projection, stream_id in ((account_list.PROJECTION, ADA), (session_list.PROJECTION, session_id)):
        table = projection.table
        remade: dict[str, Any] = {}
        for recorded in store.events.get(stream_id):
            row = projection.project(recorded.event, recorded.command)  # type: ignore[attr-defined]  # as above
            remade.update(row.values if row is not None else {})
        columns = list(remade)
        [stored] = database.rows(
            f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.key} = %s",
            stream_id,
        )
        assert dict(zip(columns, stored, strict=True)) == remade


def test_it_is_in_the_log_like_any_other_append(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    forget(store, ADA)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        while sequence(connection):
            pass
    assert database.rows("SELECT position, version FROM log WHERE stream_id = %s ORDER BY position", ADA) == [
        (0, 1),
        (1, 2),
    ]


@contextmanager
def held_by_another(store: Store, *, destroying: bool) -> Iterator[threading.Event]:
    """Ada's key is held while this lasts; it ends, and is destroyed or not, once the event is set."""
    holding, over = threading.Event(), threading.Event()
    command = by_the_system()

    def steps(held: HeldKeys) -> None:
        holding.set()
        assert over.wait(4)
        if destroying:
            forgotten(store, held, command, ADA)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(store.under_keys, command, keys_of(ADA), steps)
        assert holding.wait(4)
        yield over
        over.set()
        done.result(10)


@pytest.mark.parametrize("destroying", [True, False])
def test_who_would_seal_with_a_key_waits_and_finds_it_gone_or_there(
    store: Store, database: Database, *, destroying: bool
) -> None:
    signed_up(store, ADA, b"ada")
    session = store.load(SESSION, session_of(store, ADA))
    ada = store.subject(ADA)
    with ThreadPoolExecutor(1) as writer, held_by_another(store, destroying=destroying) as over:
        appended: Future[bool] = writer.submit(store.append, by_ada(), ada, session.with_events([RENEWED]))
        waiting_for_a_lock(database, 1)
        assert not appended.done()
        over.set()
        if destroying:
            with pytest.raises(SubjectGone):
                appended.result(10)
        else:
            assert appended.result(10)
    sealed = "SELECT count(*) FROM commands WHERE subject_id = %s"
    assert database.value(sealed, ADA) == (1 if destroying else 2)


def test_who_seals_with_another_key_does_not_wait(store: Store) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    with held_by_another(store, destroying=True):
        assert session_of(store, BO)


def test_what_committed_while_the_lock_was_waited_for_is_read_under_it(store: Store, database: Database) -> None:
    """A sign-in that holds the key in share is let through, and its session is blanked like those of before."""
    signed_up(store, ADA, b"ada")
    old, new = session_of(store, ADA), new_id()
    with (
        ThreadPoolExecutor(1) as eraser,
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as holder,
    ):
        with holder.transaction():
            holder.execute("SELECT FROM subject_keys WHERE subject_id = %s FOR SHARE", (ADA,))
            done = eraser.submit(forget, store, ADA)
            waiting_for_a_lock(database, 1)
            holder.execute(
                "INSERT INTO session_list SELECT (jsonb_populate_record(s, jsonb_build_object("
                "  'session_id', %s::uuid, 'token_hash', '\\x00'))).* FROM session_list s WHERE session_id = %s",
                (new, old),
            )
        done.result(10)
    blank = database.rows("SELECT session_id FROM session_list WHERE ip_address IS NULL")
    assert {session_id for [session_id] in blank} == {old, new}


def test_a_key_that_came_while_the_locks_were_waited_for_is_not_forgotten(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    before = database.rows(ALL)
    with (
        ThreadPoolExecutor(1) as eraser,
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as holder,
    ):
        with holder.transaction():
            holder.execute("SELECT FROM subject_keys WHERE subject_id = %s FOR SHARE", (ADA,))
            done = eraser.submit(forget, store, ADA)
            waiting_for_a_lock(database, 1)
            holder.execute("INSERT INTO subject_keys VALUES (%s, %s, '')", (new_id(), ADA))
        with pytest.raises(StreamMovedOn):
            done.result(10)
    assert database.rows(ALL) == before
    assert database.value("SELECT count(*) FROM subject_keys WHERE wrapped IS NULL") == 0


def test_who_lets_their_own_data_go_is_named_and_where_from_is_gone(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    command = by_ada()

    def steps(held: HeldKeys) -> None:
        gone = Addition(ADA, 1, [GONE])
        store.append_under(held, command, held.subjects[ADA], gone, destroyed=[ADA])

    store.under_keys(command, keys_of(ADA), steps)
    [*_, said] = store.events.get(ADA)
    known = said.command  # type: ignore[attr-defined]  # the library's type for what our mapper returns
    assert (known.command_id, known.actor_id, known.ip_address) == (command.command_id, ADA, None)
    with pytest.raises(SubjectGone):
        store.under_keys(
            by_ada(),
            keys_of(ADA),
            lambda held: store.append_under(held, by_ada(), held.subjects[ADA], Addition(ADA, 2, [GONE])),
        )
    assert store.load(USER, ADA).version == 2


def test_a_person_who_never_had_a_key_is_gone(store: Store) -> None:
    with pytest.raises(SubjectGone):
        store.under_keys(by_the_system(), keys_of(ADA), lambda _: None)


def test_steps_that_find_nothing_to_do_do_nothing(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    before = database.rows(ALL)
    store.under_keys(by_the_system(), keys_of(ADA), lambda _: None)
    assert database.rows(ALL) == before


def test_a_command_that_has_happened_does_not_happen_again(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    command, tries = by_the_system(), 0

    def steps(held: HeldKeys) -> None:
        nonlocal tries
        tries += 1
        forgotten(store, held, command, ADA)

    for _ in range(2):
        store.under_keys(command, keys_of(ADA), steps)
    assert tries == 1
    assert database.value("SELECT version FROM account_list") == 2


def test_a_password_goes_in_the_same_commit(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    command = by_the_system()
    unusable = changed_credentials(ADA, password_version=2, password_hash="")
    store.under_keys(
        command,
        keys_of(ADA),
        lambda held: store.append_under(held, command, None, Addition(ADA, 1, [GONE]), writes=[unusable]),
    )
    assert database.rows("SELECT password_version, hash FROM credentials") == [(2, "")]


def test_erasers_and_writers_who_meet_never_deadlock(store: Store, database: Database) -> None:
    """Two let both people go, in either order, while both are written for: each waits, and nobody for each other."""
    before = database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    everybody = threading.Barrier(4)

    def erase(*user_ids: UUID) -> bool:
        everybody.wait()
        try:
            forget(store, *user_ids)
        except StreamMovedOn:
            return False
        return True

    def write(*user_ids: UUID) -> bool:
        """Seals for both, and changes and guards a session of each, as any command would."""
        sessions = [store.load(SESSION, session_of(store, user_id)) for user_id in user_ids]
        mine, other = (store.subject(user_id) for user_id in user_ids)
        everybody.wait()
        subject = store.new_subject(new_id())
        try:
            return store.append(
                by_ada(), mine, sessions[0].with_events([ENDED]),
                Addition(new_id(), 0, [founded(str(new_id()))], subject),
                Addition(user_ids[1], store.load(USER, user_ids[1]).version, [], other), guards=[sessions[1]],
            )  # fmt: skip
        except (StreamMovedOn, SubjectGone):
            return False

    with ThreadPoolExecutor(4) as crowd:
        for number in range(ROUNDS):
            ada, bo = new_id(), new_id()
            signed_up(store, ada, b"ada%d" % number)
            signed_up(store, bo, b"bo%d" % number)
            writers = [crowd.submit(write, ada, bo), crowd.submit(write, bo, ada)]
            erasers = [crowd.submit(erase, ada, bo), crowd.submit(erase, bo, ada)]
            assert [one.result(20) for one in erasers].count(True) >= 1
            for one in writers:
                one.result(20)
            sealed_after = database.rows(
                "SELECT c.command_id FROM commands c JOIN session_list s USING (session_id)"
                " WHERE s.user_id = ANY(%s) AND s.ip_address IS NOT NULL",
                [ada, bo],
            )
            assert sealed_after == []
    database.rows("SELECT pg_stat_clear_snapshot()")
    assert database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == before


def test_a_session_found_under_the_keys_is_the_transactions_own(store: Store) -> None:
    signed_up(store, ADA, b"ada")
    session_id = a_session(store)
    found: list[Any] = []
    store.under_keys(
        by_the_system(), keys_of(ADA), lambda held: found.extend(store.find(the_session(session_id), reading=held))
    )
    assert found == [store.load(SESSION, session_id)]
