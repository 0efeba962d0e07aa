"""What is done under the locks of key rows: whole or not at all, and nobody seals with a key that is destroyed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.commands.queries import the_account, the_session
from domain.events.catalogue import SESSION, USER
from domain.ids import new_id
from domain.organization import OrganizationRenamed
from domain.refusals import SlugTaken, SubjectGone
from domain.session import EndReason, SessionEnded, SessionRenewed
from domain.store import Addition, Blanked, HeldKeys, Reading, Store
from domain.store.conflicts import StoreUnavailable, StreamMovedOn
from domain.store.connections import connection_arguments
from domain.store.credentials import changed_credentials, first_credentials
from domain.store.sequencer import sequence
from domain.user import Revocation, SessionsRevoked, SignedUp
from projections.lists import account_list, session_list
from tests.databases import Database
from tests.domain.store.entries import a_session, by_ada, by_the_system, founded, started
from tests.domain.store.test_races import waiting_for_a_lock
from tests.people import ADA, BO, NOON

ROUNDS = 60
ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)
RENEWED = SessionRenewed(expires_at=NOON)
GONE = SessionsRevoked(epoch=1, reason=Revocation.EVERYWHERE)
"""Stands for the event that will say that a person is erased."""
ALL = "SELECT (SELECT count(*) FROM commands), (SELECT count(*) FROM events), (SELECT count(*) FROM queue)"


def signed_up(store: Store, user_id: UUID, slot: bytes) -> None:
    subject = store.new_subject(user_id)
    event = SignedUp(email="somebody@example.com", name="Somebody", image=None, email_hash=slot, password_version=1)
    password = first_credentials(user_id, password_version=1, password_hash="a hash")
    store.append(by_the_system(), None, Addition(user_id, 0, [event], subject), writes=[password])


def session_of(store: Store, user_id: UUID) -> UUID:
    """A session of this person's, of which their key seals where it came from."""
    session_id = new_id()
    subject = store.subject(user_id)
    store.append(by_ada(session_id=session_id), subject, Addition(session_id, 0, [started(user_id=user_id)]))
    return session_id


def keys_of(*user_ids: UUID) -> Callable[[Reading], Collection[UUID]]:
    """The keys that are theirs, as far as is known."""

    def whose(reading: Reading) -> list[UUID]:
        sql = "SELECT subject_id FROM subject_keys WHERE person_id = ANY($1::uuid[])"
        return [subject_id for [subject_id] in reading.rows(sql, list(user_ids))]

    return whose


def forgotten(store: Store, held: HeldKeys, command: Any, *user_ids: UUID) -> None:
    """Let these people's data go: events, blank rows and destroyed keys in one append."""
    people = store.find(*(the_account(user_id) for user_id in user_ids), reading=held)
    sessions = held.rows("SELECT session_id, version FROM session_list WHERE user_id = ANY($1::uuid[])", list(user_ids))
    where_from = ("ip_address", "user_agent")
    blanked = [Blanked(session_list.TABLE, session_id, version, where_from) for session_id, version in sessions]
    for user in people:
        assert user is not None
        columns = ("email", "name", "image")
        blanked.append(Blanked(account_list.TABLE, user.stream_id, user.version, columns))
    store.append_under(
        held,
        command,
        None,
        *(Addition(user.stream_id, user.version, [GONE]) for user in people if user is not None),
        blanked=blanked,
        destroyed=held.subjects,
    )


def forget(store: Store, *user_ids: UUID) -> None:
    command = by_the_system()
    store.under_keys(command, keys_of(*user_ids), lambda held: forgotten(store, held, command, *user_ids))


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


def nothing_changed(
    store: Store, database: Database, raised: type[Exception], steps: Callable[[HeldKeys], None]
) -> None:
    """These steps are refused, and leave rows and keys as they were; the connection is of use to whoever comes next."""
    keys = "SELECT subject_id, wrapped FROM subject_keys ORDER BY 1"
    rows = "SELECT user_id, version, name FROM account_list ORDER BY 1"
    before = database.rows(ALL), database.rows(keys), database.rows(rows)
    with pytest.raises(raised):
        store.under_keys(by_the_system(), keys_of(ADA, BO), steps)
    assert (database.rows(ALL), database.rows(keys), database.rows(rows)) == before
    assert store.load(USER, ADA).version == 1


def test_a_stale_stream_a_stale_guard_and_a_stale_row_refuse_as_in_any_append(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    session_id = session_of(store, ADA)
    stale = store.load(SESSION, session_id)
    store.append(by_the_system(), None, stale.with_events([RENEWED]))
    command, gone = by_the_system(), Addition(ADA, 1, [GONE])
    blank = Blanked(session_list.TABLE, session_id, 1, ("ip_address",))
    nothing_changed(
        store, database, StreamMovedOn, lambda held: store.append_under(held, command, None, Addition(ADA, 7, [GONE]))
    )
    nothing_changed(
        store, database, StreamMovedOn, lambda held: store.append_under(held, command, None, gone, guards=[stale])
    )
    nothing_changed(
        store, database, StreamMovedOn, lambda held: store.append_under(held, command, None, gone, blanked=[blank])
    )
    now = store.load(SESSION, session_id)
    nothing_changed(
        store, database, StreamMovedOn,
        lambda held: store.append_under(held, command, None, gone, guards=[now], blanked=[blank]),
    )  # fmt: skip


def test_a_row_that_is_guarded_and_blanked_is_locked_once(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    session = store.load(SESSION, session_of(store, ADA))
    command = by_the_system()
    blank = Blanked(session_list.TABLE, session.stream_id, 1, ("ip_address",))
    store.under_keys(
        command,
        keys_of(ADA),
        lambda held: store.append_under(
            held, command, None, Addition(ADA, 1, [GONE]), guards=[session], blanked=[blank]
        ),
    )
    assert database.rows("SELECT version, ip_address FROM session_list") == [(1, None)]


def test_a_taken_name_is_refused_and_takes_nothing_with_it(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    taken = store.new_subject(new_id())
    store.append(by_the_system(), None, Addition(new_id(), 0, [founded("acme", BO)], taken))
    another, command = store.new_subject(new_id()), by_the_system()
    nothing_changed(
        store, database, SlugTaken,
        lambda held: store.append_under(
            held, command, None, Addition(ADA, 1, [GONE]), Addition(new_id(), 0, [founded("acme", ADA)], another),
            destroyed=[ADA],
        ),
    )  # fmt: skip


def test_what_goes_wrong_after_the_append_undoes_it(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    command = by_the_system()

    def steps(held: HeldKeys) -> None:
        forgotten(store, held, command, ADA, BO)
        raise LookupError

    nothing_changed(store, database, LookupError, steps)


def test_a_connection_that_dies_in_the_middle_leaves_nothing_and_all_is_done_again(
    store: Store, database: Database
) -> None:
    signed_up(store, ADA, b"ada")
    command, tries = by_the_system(), 0

    def steps(held: HeldKeys) -> None:
        nonlocal tries
        tries += 1
        forgotten(store, held, command, ADA)
        if tries == 1:
            database.rows("SELECT pg_terminate_backend(%s)", held.connection.info.backend_pid)

    store.under_keys(command, keys_of(ADA), steps)
    assert tries == 2
    assert database.rows("SELECT version, session_epoch, name FROM account_list") == [(2, 1, None)]
    assert database.value("SELECT count(*) FROM commands WHERE command_id = %s", command.command_id) == 1


def test_connections_that_die_each_time_leave_nothing(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")

    def steps(held: HeldKeys) -> None:
        forgotten(store, held, by_the_system(), ADA, BO)
        database.rows("SELECT pg_terminate_backend(%s)", held.connection.info.backend_pid)

    nothing_changed(store, database, StoreUnavailable, steps)


def test_only_what_is_held_is_sealed_for_or_destroyed_and_only_once(store: Store, database: Database) -> None:
    """Else locks would be taken in another order than everybody's."""
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    organization_id, command = new_id(), by_the_system()
    theirs = store.new_subject(organization_id)
    store.append(by_the_system(), None, Addition(organization_id, 0, [founded("acme", BO)], theirs))
    renamed = Addition(organization_id, 1, [OrganizationRenamed(name="Acme")], store.subject(organization_id))
    gone = Addition(ADA, 1, [GONE])

    def twice(held: HeldKeys) -> None:
        store.append_under(held, command, None, gone)
        store.append_under(held, command, None, Addition(BO, 1, [GONE]))

    unheld: list[Callable[[HeldKeys], None]] = [
        lambda held: store.append_under(held, command, None, renamed),
        lambda held: store.append_under(held, command, None, gone, destroyed=[organization_id]),
        twice,
    ]
    for steps in unheld:
        with pytest.raises(AssertionError):
            store.under_keys(command, lambda _: [ADA], steps)
    assert store.load(USER, ADA).version == 1
    store.under_keys(
        command, lambda _: [ADA, organization_id], lambda held: store.append_under(held, command, None, gone, renamed)
    )
    assert database.value("SELECT name FROM organization_list") == "Acme"


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
