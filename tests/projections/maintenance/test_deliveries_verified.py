"""A message that got lost from the queue is found out by verify, which cannot tell whether it was sent."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from domain.store.connections import Statements, connection_arguments
from domain.store.mapper import SealingMapper
from projections.deliveries.ended import forget
from projections.maintenance.verify import verify
from tests.databases import Database
from tests.inviting import ADAS, BOS, Acme, acme_in
from tests.keeping import caught_up

LOST = "each message that was due has its delivery"


@pytest.fixture
def acme(database: Database) -> Iterator[Acme]:
    with acme_in(database) as acme:
        yield acme


def findings(acme: Acme) -> dict[str, tuple[int, str]]:
    mapper = SealingMapper(acme.context.keyring)
    with psycopg.connect(acme.database.application_url, **connection_arguments("tests")) as connection:
        result = verify(connection, mapper, lambda *_: None)
    return {one.rule: (one.times, one.first) for one in result.findings}


def as_a_superuser(database: Database, sql: str) -> None:
    database.rows("SET session_replication_role = replica")
    database.rows(sql)
    database.rows("SET session_replication_role = origin")


def test_one_that_is_gone(acme: Acme, database: Database) -> None:
    invitation_id = acme.invites()
    acme.invites(resend=True)
    assert findings(acme) == {}
    database.rows("DELETE FROM deliveries WHERE version = 2")
    assert findings(acme) == {LOST: (1, f"{invitation_id} 2")}
    database.rows("DELETE FROM deliveries")
    assert findings(acme) == {LOST: (2, f"{invitation_id} 1")}


def test_one_whose_event_was_not_read_yet_is_not_missing(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("DELETE FROM deliveries")
    database.rows("UPDATE followers SET position = began_after WHERE name = 'deliveries'")
    assert findings(acme) == {}


def test_one_whose_event_is_set_aside_is_known_by_that(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("DELETE FROM deliveries")
    database.rows(
        "INSERT INTO set_aside (follower, position, error) SELECT 'deliveries', max(position), 'UnknownEvent' FROM log"
    )
    assert findings(acme).keys() == {"nothing is set aside"}


def test_what_was_forgotten_in_time_is_not_missing(acme: Acme, database: Database) -> None:
    acme.invites()
    as_a_superuser(database, "UPDATE log SET recorded_at = recorded_at - interval '8 days'")
    database.rows("UPDATE deliveries SET state = 'sent', ended_at = clock_timestamp() - interval '8 days'")
    acme.invites("cy@example.com")
    assert forget(Statements(acme.context.store.pool)) == 1
    assert findings(acme) == {}


def test_what_happened_before_there_were_messages_is_not_missing(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("DELETE FROM deliveries")
    database.rows("DELETE FROM followers WHERE name = 'deliveries'")
    assert findings(acme) == {}
    caught_up(database)
    assert findings(acme) == {}
    invitation_id = acme.invites("cy@example.com")
    database.rows("DELETE FROM deliveries")
    assert findings(acme) == {LOST: (1, f"{invitation_id} 1")}


def test_of_a_follower_that_a_release_before_began_what_came_since_is_known(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("DELETE FROM deliveries")
    database.rows("UPDATE followers SET began_after = NULL WHERE name = 'deliveries'")
    assert findings(acme) == {}
    invitation_id = acme.invites("cy@example.com")
    assert findings(acme) == {}
    database.rows("DELETE FROM deliveries")
    assert findings(acme) == {LOST: (1, f"{invitation_id} 1")}


def test_a_sign_in_that_is_gone(acme: Acme, database: Database) -> None:
    acme.signs_in(ADAS)
    acme.signs_in(ADAS)
    acme.changes_password(ADAS)
    acme.signs_up(BOS)
    caught_up(database)
    assert findings(acme) == {}
    [(first,), (second,)] = database.rows(
        "SELECT stream_id FROM deliveries JOIN log USING (stream_id, version)"
        " WHERE kind = 'new-device' ORDER BY position"
    )
    database.rows("DELETE FROM deliveries WHERE stream_id = %s", second)
    assert findings(acme) == {LOST: (1, f"{second} 1")}
    assert first != second


def test_what_happened_before_a_release_knew_its_kind_is_not_missing(acme: Acme, database: Database) -> None:
    """A message of a kind is due from its first on: of the sign-ins before, there never were any."""
    acme.signs_in(ADAS)
    database.rows("DELETE FROM deliveries")
    assert findings(acme) == {}
    acme.signs_in(ADAS)
    assert findings(acme) == {}
