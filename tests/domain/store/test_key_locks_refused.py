"""What is refused or cut under the locks of key rows leaves nothing behind, and what can be is done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from uuid import UUID

import psycopg
import pytest

from domain.events.catalogue import SESSION, USER
from domain.ids import new_id
from domain.organization import OrganizationRenamed
from domain.refusals import SlugTaken
from domain.store import Addition, Blanked, HeldKeys, Reading, Store
from domain.store.conflicts import StoreUnavailable, StreamMovedOn
from domain.store.connections import connection_arguments
from projections.lists import session_list
from tests.databases import Database
from tests.domain.store.entries import by_the_system, founded
from tests.domain.store.forgetting import (
    ALL,
    GONE,
    RENEWED,
    forgotten,
    keys_of,
    session_of,
    signed_up,
)
from tests.people import ADA, BO


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


def test_who_waits_too_long_for_the_keys_may_come_again(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    command = by_the_system()

    def impatient(reading: Reading) -> Collection[UUID]:
        reading.rows("SELECT set_config('lock_timeout', '100ms', true)")
        return keys_of(ADA, BO)(reading)

    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as holder, holder.transaction():
        holder.execute("SELECT FROM subject_keys WHERE subject_id = %s FOR SHARE", (BO,))
        with pytest.raises(StoreUnavailable):
            store.under_keys(command, impatient, lambda held: forgotten(store, held, command, ADA, BO))
    assert store.load(USER, ADA).version == 1
    store.under_keys(command, keys_of(ADA, BO), lambda held: forgotten(store, held, command, ADA, BO))
    assert store.load(USER, ADA).version == 2


def test_who_thinks_too_long_under_the_keys_loses_them_and_has_done_nothing(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")

    def steps(held: HeldKeys) -> None:
        held.rows("SELECT set_config('idle_in_transaction_session_timeout', '50ms', true)")
        time.sleep(0.5)
        forgotten(store, held, by_the_system(), ADA, BO)

    nothing_changed(store, database, StoreUnavailable, steps)


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
