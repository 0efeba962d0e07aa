"""What is due: a row of ids for each message that an event means, once, and none for what happened before."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from domain.events.catalogue import EVENT_BY_NAME, NAME_BY_EVENT
from domain.store.connections import connection_arguments
from domain.store.migrate import migrations
from projections.deliveries.due import FOLLOWER, INVITATION, KIND_BY_EVENT, name_of, named
from projections.maintenance.follow import begin, follow
from tests.databases import Database
from tests.inviting import ADAS, Acme
from tests.keeping import caught_up

DUE = "SELECT kind, stream_id, version, state, attempts FROM deliveries ORDER BY first_due_at, version"


def test_an_invitation_sent_and_sent_again_is_due_each_time(acme: Acme, database: Database) -> None:
    invitation_id = acme.invites()
    acme.invites(resend=True)
    assert database.rows(DUE) == [
        ("invitation", invitation_id, 1, "waiting", 0),
        ("invitation", invitation_id, 2, "waiting", 0),
    ]


def test_nothing_else_that_happens_is_a_message(acme: Acme, database: Database) -> None:
    """That somebody signed up is none, whose first session it is."""
    caught_up(database)
    assert database.rows(DUE) == []
    assert {NAME_BY_EVENT[event] for event in KIND_BY_EVENT} == {
        "InvitationSent",
        "InvitationResent",
        "SessionStarted",
        "PasswordChanged",
        "PasswordReset",
        "EmailRestored",
        "PasswordResetRequested",
        "EmailVerificationRequested",
        "EmailChangeRequested",
        "EmailChangeUndoOffered",
        "SignUpAttempted",
        "AccountDeletionRequested",
        "PersonErased",
        "EmailChangeUndoLapsed",
    }


def test_a_sign_in_and_another_password_are_due(acme: Acme, database: Database) -> None:
    acme.signs_in(ADAS)
    signed_in = database.value(
        "SELECT stream_id FROM log JOIN events USING (stream_id, version) WHERE name = 'SessionStarted'"
        " ORDER BY position DESC LIMIT 1"
    )
    acme.changes_password(ADAS)
    caught_up(database)
    assert [(kind, stream_id) for kind, stream_id, *_ in database.rows(DUE)] == [
        ("new-device", signed_in),
        ("password-changed", acme.ada),
    ]


def test_what_is_read_again_is_not_due_again(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("UPDATE deliveries SET state = 'sent', ended_at = now()")
    database.rows("UPDATE followers SET position = -1 WHERE name = 'deliveries'")
    caught_up(database)
    assert acme.states() == [(1, "sent", None)]


def test_no_address_and_no_link_is_in_the_queue(acme: Acme, database: Database) -> None:
    invitation_id = acme.invites("cy.lovelace@example.com")
    [(row,)] = database.rows("SELECT d::text FROM deliveries d")
    assert "cy.lovelace" not in row
    assert acme.link(invitation_id) not in row.replace("-", "")


def test_a_senders_wake_up_comes_with_what_is_due_and_with_nothing_else(acme: Acme, database: Database) -> None:
    caught_up(database)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as listening:
        listening.execute("LISTEN daybook_deliveries")
        acme.joins("cy@example.com", acme.link(acme.invites("cy@example.com")))
        caught_up(database)
        assert len(list(listening.notifies(timeout=0.5))) == 1


def test_an_event_of_a_newer_release_is_set_aside_since_it_may_mean_a_message(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("SET session_replication_role = replica")
    database.rows("UPDATE events SET name = 'InvitationSentByPigeon' WHERE name = 'InvitationSent'")
    database.rows("SET session_replication_role = origin")
    database.rows("DELETE FROM deliveries")
    database.rows("UPDATE followers SET position = -1 WHERE name = 'deliveries'")
    caught_up(database)
    assert database.rows("SELECT error FROM set_aside WHERE follower = 'deliveries'") == [("UnknownEvent",)]
    assert acme.states() == []


def test_whoever_was_invited_before_there_were_messages_gets_none(acme: Acme, database: Database) -> None:
    """As in a database of the release before: an invitation in its log, no table and no follower."""
    acme.invites()
    database.rows("DROP TABLE deliveries")
    database.rows("DELETE FROM followers WHERE name = 'deliveries'")
    [text] = [one.text for one in migrations() if one.number == 6]
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner:
        owner.execute(text)
        owner.execute("GRANT ALL ON deliveries TO daybook")
        while follow(owner, FOLLOWER):
            pass
    assert acme.states() == []
    acme.invites("cy@example.com")
    assert acme.states() == [(1, "waiting", None)]


def test_every_event_that_means_a_message_is_one_there_is() -> None:
    assert set(KIND_BY_EVENT) <= set(EVENT_BY_NAME.values())


def test_a_deliverys_name_says_which_it_is() -> None:
    which = (INVITATION, UUID(int=0xABC), 7)
    assert name_of(*which) == "invitation.00000000000000000000000000000abc.7"
    assert named(name_of(*which)) == which


@pytest.mark.parametrize(
    "name", ["", "invitation", "invitation.1", "invitation.abc.1", f"a.{UUID(int=1).hex}.x", "...."]
)
def test_what_is_no_deliverys_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each library's own sentence
        named(name)


def begins(database: Database) -> None:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        begin(connection, FOLLOWER)


def test_a_follower_of_a_restored_log_without_its_place_sends_nobody_what_happened_before(
    acme: Acme, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As after restoring the data of a release that knew no messages."""
    acme.invites()
    database.rows("DELETE FROM deliveries")
    database.rows("DELETE FROM followers")
    [(head,)] = database.rows("SELECT max(position) FROM log")
    caught_up(database)
    assert acme.states() == []
    assert f"deliveries begins after position {head} of the log" in caplog.text
    assert database.rows("SELECT name, began_after FROM followers ORDER BY name") == [
        ("deliveries", head),
        ("journal", -1),
    ]
    assert database.value("SELECT count(*) FROM journal WHERE event = 'InvitationSent'") == 1
    acme.invites("cy@example.com")
    assert acme.states() == [(1, "waiting", None)]


def test_a_follower_that_has_its_place_keeps_it(acme: Acme, database: Database) -> None:
    acme.invites()
    database.rows("UPDATE followers SET position = position - 1, began_after = NULL WHERE name = 'deliveries'")
    [before] = database.rows("SELECT position, restarts FROM followers WHERE name = 'deliveries'")
    begins(database)
    begins(database)
    after = database.rows("SELECT position, restarts, began_after FROM followers WHERE name = 'deliveries'")
    assert after == [(before[0], before[1] + 2, before[0])]


def test_what_is_so_old_that_it_may_have_been_sent_and_forgotten_is_not_due_again(
    acme: Acme, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the followers were put back to an older copy and the log was not."""
    acme.invites()
    database.rows("SET session_replication_role = replica")
    database.rows("UPDATE log SET recorded_at = recorded_at - interval '8 days'")
    database.rows("SET session_replication_role = origin")
    acme.invites("cy@example.com")
    database.rows("DELETE FROM deliveries")
    database.rows("UPDATE followers SET position = -1 WHERE name = 'deliveries'")
    caught_up(database)
    assert acme.states() == [(1, "waiting", None)]
    assert "Messages of more than a week ago are not sent any more: 1." in caplog.text
