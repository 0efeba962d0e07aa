"""Append: all or nothing, in one statement, and only if what was read still stands."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.events.catalogue import ORGANIZATION, SESSION, USER
from domain.ids import new_id
from domain.refusals import EmailTaken, SlugTaken, SubjectGone
from domain.session import EndReason, OrganizationChosen, SessionEnded, SessionRenewed
from domain.store import Addition, Store
from domain.store.conflicts import NoSuchStream, StreamMovedOn
from domain.store.credentials import changed_credentials, first_credentials
from domain.user import PasswordChanged, SignedUp
from tests.databases import Database
from tests.domain.store.entries import a_session, ada_with_a_session, by_ada, by_the_system, founded, joined, started
from tests.people import ADA, BO, CY, NOON

ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)


def counts(database: Database) -> tuple[int, int, int]:
    """How many commands, events and queue entries there are."""
    [row] = database.rows(
        "SELECT (SELECT count(*) FROM commands), (SELECT count(*) FROM events), (SELECT count(*) FROM queue)"
    )
    return row


def test_what_was_appended_is_loaded(store: Store) -> None:
    session_id = a_session(store)
    loaded = store.load(SESSION, session_id)
    assert (loaded.version, loaded.state.user_id, loaded.state.expires_at) == (1, ADA, NOON + timedelta(days=7))


def test_an_append_writes_command_events_queue_and_row_together(store: Store, database: Database) -> None:
    session_id = a_session(store)
    assert counts(database) == (1, 1, 1)
    assert database.value("SELECT version FROM session_list WHERE session_id = %s", session_id) == 1


def test_nothing_to_append_writes_nothing(store: Store, database: Database) -> None:
    assert store.append(by_the_system(), None, Addition(new_id(), 0, [])) is False
    assert counts(database) == (0, 0, 0)


def test_the_row_says_at_which_version_its_stream_stands(store: Store, database: Database) -> None:
    session_id = a_session(store)
    store.append(by_the_system(), None, Addition(session_id, 1, [SessionRenewed(expires_at=NOON), ENDED]))
    [row] = database.rows("SELECT version, expires_at, ended_at, end_reason FROM session_list")
    assert row == (3, NOON, NOON, "signed_out")


def test_a_decision_on_an_old_version_is_refused_and_leaves_no_trace(store: Store, database: Database) -> None:
    session_id = a_session(store)
    store.append(by_the_system(), None, Addition(session_id, 1, [ENDED]))
    before = counts(database)
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, Addition(session_id, 1, [SessionRenewed(expires_at=NOON)]))
    assert counts(database) == before
    assert database.value("SELECT ended_at FROM session_list") == NOON


def test_a_version_that_is_not_there_yet_is_refused_too(store: Store, database: Database) -> None:
    session_id = a_session(store)
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, Addition(session_id, 7, [ENDED]))
    assert counts(database) == (1, 1, 1)


def test_one_stale_stream_among_several_refuses_them_all(store: Store, database: Database) -> None:
    ended, live = a_session(store), a_session(store)
    store.append(by_the_system(), None, Addition(ended, 1, [ENDED]))
    before = counts(database)
    with pytest.raises(StreamMovedOn):
        store.append(
            by_the_system(),
            None,
            Addition(live, 1, [ENDED]),
            Addition(ended, 1, [ENDED]),
            Addition(new_id(), 0, [started()]),
        )
    assert counts(database) == before
    assert store.load(SESSION, live).version == 1


def test_a_stream_that_was_only_read_must_not_have_moved(store: Store, database: Database) -> None:
    guard_id, session_id = a_session(store), a_session(store)
    guard, session = store.load(SESSION, guard_id), store.load(SESSION, session_id)
    store.append(by_the_system(), None, Addition(guard_id, 1, [ENDED]))
    before = counts(database)
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, session.with_events([ENDED]), guards=[guard])
    assert counts(database) == before


def test_a_stream_that_was_only_read_stays_as_it_is(store: Store, database: Database) -> None:
    guard_id, session_id = a_session(store), a_session(store)
    guard, session = store.load(SESSION, guard_id), store.load(SESSION, session_id)
    assert store.append(by_the_system(), None, session.with_events([ENDED]), guards=[guard])
    assert database.value("SELECT version FROM session_list WHERE session_id = %s", guard_id) == 1


def test_what_was_read_at_one_version_cannot_be_changed_at_another(store: Store, database: Database) -> None:
    session_id = a_session(store)
    guard = store.load(SESSION, session_id)
    store.append(by_the_system(), None, guard.with_events([SessionRenewed(expires_at=NOON)]))
    before = counts(database)
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, store.load(SESSION, session_id).with_events([ENDED]), guards=[guard])
    assert counts(database) == before


@pytest.mark.parametrize("events", [[ENDED], [started(), started()], [started(), joined(CY, BO)]])
def test_a_stream_begins_once_and_with_its_beginning_and_is_of_one_kind(
    store: Store, database: Database, events: list[object]
) -> None:
    with pytest.raises(AssertionError):
        store.append(by_the_system(), None, Addition(new_id(), 0, events))
    assert counts(database) == (0, 0, 0)


@pytest.mark.parametrize("many", [2, 8, 9, 40])
def test_any_number_of_streams_changes_together(store: Store, database: Database, many: int) -> None:
    sessions = [new_id() for _ in range(many)]
    store.append(by_the_system(), None, *(Addition(session_id, 0, [started()]) for session_id in sessions))
    guards = [store.load(SESSION, a_session(store)) for _ in range(many)]
    loaded = [store.load(SESSION, session_id) for session_id in sessions]
    assert store.append(by_the_system(), None, *(one.with_events([ENDED]) for one in loaded), guards=guards)
    assert database.value("SELECT count(*) FROM session_list WHERE ended_at IS NOT NULL AND version = 2") == many


@pytest.mark.parametrize("many", [2, 8, 9, 40])
def test_among_any_number_of_guards_one_stale_refuses(store: Store, database: Database, many: int) -> None:
    guards = [store.load(SESSION, a_session(store)) for _ in range(many)]
    session = store.load(SESSION, a_session(store))
    store.append(by_the_system(), None, Addition(guards[many // 2].stream_id, 1, [ENDED]))
    before = counts(database)
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, session.with_events([ENDED]), guards=guards)
    assert counts(database) == before


def test_an_id_of_another_noun_is_no_such_stream(store: Store) -> None:
    session_id = a_session(store)
    with pytest.raises(NoSuchStream):
        store.load(ORGANIZATION, session_id)
    with pytest.raises(NoSuchStream):
        store.load(SESSION, new_id())


def test_a_taken_address_refuses_the_account_and_all_that_comes_with_it(store: Store, database: Database) -> None:
    for user_id, refusal in ((ADA, None), (BO, EmailTaken)):
        subject = store.new_subject(user_id)
        signed_up = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"one", password_version=1)
        additions = Addition(user_id, 0, [signed_up], subject), Addition(new_id(), 0, [started(user_id=user_id)])
        if refusal is None:
            store.append(by_ada(), subject, *additions)
            before = counts(database)
        else:
            with pytest.raises(refusal):
                store.append(by_ada(), subject, *additions)
    assert counts(database) == before
    assert database.value("SELECT count(*) FROM subject_keys") == 1


def test_a_password_hash_changes_with_its_event_or_not_at_all(store: Store, database: Database) -> None:
    ada = store.new_subject(ADA)
    signed_up = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"one", password_version=1)
    first = first_credentials(ADA, password_version=1, password_hash="the first")
    store.append(by_ada(), ada, Addition(ADA, 0, [signed_up], ada), writes=[first])
    session_id = a_session(store)
    user, session = store.load(USER, ADA), store.load(SESSION, session_id)

    def change(number: int) -> bool:
        """As somebody does who read account and session before anybody had changed anything."""
        changed = user.with_events([PasswordChanged(password_version=number)])
        credentials = changed_credentials(ADA, password_version=number, password_hash=f"number {number}")
        return store.append(by_ada(), store.subject(ADA), changed, guards=[session], writes=[credentials])

    kept = "SELECT c.password_version, hash, version FROM credentials c JOIN account_list USING (user_id)"
    store.append(by_the_system(), None, Addition(session_id, 1, [SessionRenewed(expires_at=NOON)]))
    with pytest.raises(StreamMovedOn):
        change(2)
    assert database.rows(kept) == [(1, "the first", 1)]
    session = store.load(SESSION, session_id)
    assert change(3)
    with pytest.raises(StreamMovedOn):
        change(4)
    assert database.rows(kept) == [(3, "number 3", 2)]


def test_a_taken_slug_is_told_apart_from_a_taken_personal_organization(store: Store) -> None:
    subject = store.new_subject(ADA)
    store.append(by_ada(), subject, Addition(new_id(), 0, [founded("ada")], subject))
    ada = store.subject(ADA)
    with pytest.raises(SlugTaken):
        store.append(by_ada(), ada, Addition(new_id(), 0, [founded("ada", BO)], ada))
    with pytest.raises(StreamMovedOn):
        store.append(by_ada(), ada, Addition(new_id(), 0, [founded("another")], ada))


def test_one_person_joins_an_organization_once(store: Store, database: Database) -> None:
    organization_id: UUID = CY
    store.append(by_the_system(), None, Addition(new_id(), 0, [joined(organization_id, BO)]))
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, Addition(new_id(), 0, [joined(organization_id, BO)]))
    assert database.value("SELECT count(*) FROM member_list") == 1


def test_nothing_is_sealed_for_a_person_whose_key_was_destroyed(store: Store, database: Database) -> None:
    ada, session_id = ada_with_a_session(store)
    session = store.load(SESSION, session_id)
    database.rows("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", ADA)
    before = counts(database)
    with pytest.raises(SubjectGone):
        store.append(by_ada(), ada, session.with_events([ENDED]))
    with pytest.raises(SubjectGone):
        store.append(by_ada(), store.subject(ADA), session.with_events([ENDED]))
    assert counts(database) == before


def test_history_of_an_erased_person_stays_readable_without_what_was_personal(store: Store, database: Database) -> None:
    _, session_id = ada_with_a_session(store)
    database.rows("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", ADA)
    [recorded] = store.events.get(session_id)
    command = recorded.command  # type: ignore[attr-defined]  # the library's type for what our mapper returns
    assert (command.actor_id, command.at, command.ip_address, command.user_agent) == (ADA, NOON, None, None)


def test_the_organization_a_device_turned_to_is_part_of_its_one_row(store: Store, database: Database) -> None:
    session_id = new_id()
    events = [started(), OrganizationChosen(organization_id=CY)]
    store.append(by_the_system(), None, Addition(session_id, 0, events))
    [row] = database.rows("SELECT version, organization_id, organization_chosen_at, user_id FROM session_list")
    assert row == (2, CY, NOON, ADA)


def test_a_statement_prepared_before_a_migration_is_prepared_anew(store: Store, database: Database) -> None:
    asked = "SELECT name FROM organization_list"
    for _ in range(20):
        assert store.statements.rows(asked) == []
    database.rows("ALTER TABLE organization_list ALTER COLUMN name TYPE varchar(300)")
    for _ in range(20):
        assert store.statements.rows(asked) == []


def test_connections_do_not_trust_a_role_that_would_acknowledge_too_early(store: Store, database: Database) -> None:
    database.rows("ALTER ROLE daybook SET synchronous_commit = off")
    try:
        store.pool.drain()
        assert store.statements.row("SHOW synchronous_commit") == ("on",)
    finally:
        database.rows("ALTER ROLE daybook RESET synchronous_commit")
