"""Letting people's data go in tests, by the door that erasure takes: events, blank rows, destroyed keys."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from domain.commands.queries import the_account
from domain.ids import new_id
from domain.session import EndReason, SessionEnded, SessionRenewed
from domain.store import Addition, Blanked, HeldKeys, Reading, Store
from domain.store.credentials import first_credentials
from domain.user import Revocation, SessionsRevoked, SignedUp
from projections.lists import account_list, session_list
from tests.domain.store.entries import by_ada, by_the_system, started
from tests.people import NOON

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
