"""Replay: the story of a person, an organization or a session, and what was true after each of its events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from domain.commands.context import Context
from domain.commands.session import sign_out
from domain.commands.user import sign_up, update_user
from domain.ids import new_id
from domain.session import EndReason, SessionEnded, SessionRenewed
from domain.store import Addition, Store
from domain.store.connections import connection_arguments
from domain.store.envelope import WhereFrom
from domain.store.sequencer import sequence
from domain.user import SignedUp
from projections.trails.replay import JournalBehind, NoStory, Step, story
from tests.databases import Database
from tests.domain.store.entries import AT_HOME, WEEK, by_ada, by_the_system, founded, joined, started
from tests.keeping import caught_up
from tests.lived import comes_back, context_over, through
from tests.people import ADA, BO, NOON, PASSWORD

END = 2**62
DAY = timedelta(days=1)
IMAGE = "https://x.io/a.png"


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    """What commands work with."""
    with context_over(database) as context:
        yield context


def signed_up(context: Context, email: str = "ada@example.com") -> UUID:
    """Ada, or whoever's address it is, opens an account at noon."""
    signed_in = sign_up(
        context,
        email=email,
        name="Ada",
        image=None,
        password=PASSWORD,
        remembered=True,
        now=NOON,
        where_from=AT_HOME,
    )
    return signed_in.person.user_id


def session_of(database: Database, user_id: UUID) -> UUID:
    found: UUID = database.value("SELECT session_id FROM session_list WHERE user_id = %s", user_id)
    return found


def sequenced(database: Database) -> None:
    """Everything is in the log, nothing in the journal."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        while sequence(connection):
            pass


def renamed(database: Database, name: str) -> None:
    """As if renewals had been written by a release that calls them so."""
    database.rows("ALTER TABLE events DISABLE TRIGGER append_only")
    database.rows("UPDATE events SET name = %s WHERE name = 'SessionRenewed'", name)


def erase(database: Database, user_id: UUID) -> None:
    database.rows("UPDATE subject_keys SET wrapped = NULL WHERE %s IN (subject_id, person_id)", user_id)


def names(steps: list[Step]) -> list[str]:
    return [step.entry.name for step in steps]


def test_a_person_s_story_begins_with_their_account_and_says_what_became_true(
    context: Context, database: Database
) -> None:
    user_id = signed_up(context)
    signed_up(context, "bo@example.com")
    session_id = session_of(database, user_id)
    comes_back(context, session_id=session_id, now=NOON + DAY, where_from=AT_HOME)
    caught_up(database)

    steps = list(story(context.store, user_id=user_id, position=END))
    assert names(steps) == [
        "SignedUp", "PersonalOrganizationFounded", "MemberJoined", "SessionStarted", "OrganizationChosen",
        "SessionRenewed",
    ]  # fmt: skip
    assert [step.entry.position for step in steps] == [0, 1, 2, 3, 4, 10]
    account = {
        "user_id": user_id,
        "email": "ada@example.com",
        "name": "Ada",
        "image": None,
        "language": None,
        "email_verified": False,
        "email_contested": False,
        "session_epoch": 0,
        "key_epoch": 0,
        "password_version": 1,
        "password_changed_at": None,
        "created_at": NOON,
        "updated_at": NOON,
        "ended_at": None,
    }
    assert steps[0].state == {
        "account": account,
        "sessions": {},
        "organizations": {},
        "memberships": {},
        "invitations": {},
        "api_keys": {},
    }
    assert steps[0].fields == {"email": "ada@example.com", "name": "Ada", "image": None, "password_version": 1}
    last = steps[-1]
    assert last.state["account"] == account
    assert last.state["sessions"][session_id]["expires_at"] == NOON + DAY + WEEK
    assert [row["role"] for row in last.state["memberships"].values()] == ["owner"]
    assert [row["name"] for row in last.state["organizations"].values()] == ["Ada's Organization"]
    assert (last.entry.actor_kind, last.entry.actor_id, last.entry.session_id) == ("user", user_id, session_id)
    assert (last.entry.at, last.entry.stream_id, last.entry.version) == (NOON + DAY, session_id, 3)
    # it was used from where it was known to be
    assert (last.ip_address, last.user_agent) == (None, None)
    assert (steps[0].ip_address, steps[0].user_agent) == ("192.0.2.1", "Chrome")


def test_a_session_s_story_has_every_state_it_was_in(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    session_id = session_of(database, user_id)
    sign_out(context, session_id=session_id, now=NOON + DAY, where_from=AT_HOME)
    sequenced(database)

    # the journal is at its very beginning, and not asked
    steps = list(story(context.store, session_id=session_id, position=END, patience=0))
    assert names(steps) == ["SessionStarted", "OrganizationChosen", "SessionEnded"]
    assert [step.state["session"]["organization_id"] is None for step in steps] == [True, False, False]
    assert [step.state["session"]["ended_at"] for step in steps] == [None, None, NOON + DAY]
    assert [step.state["session"]["end_reason"] for step in steps] == [None, None, "signed_out"]
    assert set(steps[0].state["session"]) == {
        "session_id", "user_id", "way", "epoch", "organization_id", "organization_chosen_at", "ip_address",
        "user_agent", "moved_at", "moved_ip_address", "moved_user_agent", "created_at", "updated_at",
        "authenticated_at", "expires_at", "ended_at", "end_reason",
    }  # fmt: skip


def test_an_organization_s_story_has_its_members_and_nobody_s_sessions(store: Store, database: Database) -> None:
    ada, acme, adas, bos = store.new_subject(ADA), new_id(), new_id(), new_id()
    store.append(by_ada(), ada, Addition(acme, 0, [founded("acme")], ada), Addition(adas, 0, [joined(acme, ADA)]))
    store.append(by_ada(), store.subject(ADA), Addition(new_id(), 0, [started()]))
    store.append(by_the_system(NOON + DAY), None, Addition(bos, 0, [joined(acme, BO)]))
    caught_up(database)

    steps = list(story(store, organization_id=acme, position=END))
    assert names(steps) == ["PersonalOrganizationFounded", "MemberJoined", "MemberJoined"]
    organization = {
        "organization_id": acme,
        "name": "Ada's Organization",
        "slug": "acme",
        "logo": None,
        "metadata": None,
        "created_at": NOON,
        "ended_at": None,
    }
    both = {
        one: {
            "membership_id": one,
            "organization_id": acme,
            "user_id": who,
            "role": "member",
            "joined_at": at,
            "ended_at": None,
        }
        for one, who, at in ((adas, ADA, NOON), (bos, BO, NOON + DAY))
    }
    assert [step.state["organization"] for step in steps] == [organization] * 3
    assert [step.state["memberships"] for step in steps] == [{}, {adas: both[adas]}, both]
    assert (steps[-1].entry.actor_kind, steps[-1].ip_address, steps[-1].user_agent) == ("system", None, None)


def test_a_story_ends_at_the_position_asked_for(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    caught_up(database)
    told = [names(list(story(context.store, user_id=user_id, position=last))) for last in (0, 3, 99)]
    assert [len(one) for one in told] == [1, 4, 5]
    assert told[1] == told[2][:4]


def test_what_was_personal_of_an_erased_person_reads_erased(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    session_id = session_of(database, user_id)
    update_user(context, through(context, session_id, now=NOON, where_from=AT_HOME), name="Ada King", image=IMAGE)
    comes_back(context, session_id=session_id, now=NOON + DAY, where_from=WhereFrom("192.0.2.77", "Firefox"))
    caught_up(database)
    erase(database, user_id)

    steps = list(story(context.store, user_id=user_id, position=END))
    assert steps[0].fields == {"email": "erased", "name": "erased", "image": "erased", "password_version": 1}
    assert [step.fields for step in steps[5:7]] == [{"name": "erased"}, {"image": "erased"}]
    assert {(step.ip_address, step.user_agent) for step in steps} == {("erased", "erased")}
    state = steps[-1].state
    assert [state["account"][name] for name in ("email", "name", "image")] == ["erased"] * 3
    [[organization], [session]] = (state[name].values() for name in ("organizations", "sessions"))
    assert (organization["name"], session["ip_address"], session["user_agent"]) == ("erased", "erased", "erased")
    assert session["moved_at"] == NOON + DAY
    assert (session["moved_ip_address"], session["moved_user_agent"]) == ("erased", "erased")
    told = repr([(step.fields, step.state) for step in steps])
    for personal in ("Ada", "ada@", IMAGE, "192.0.2", "Firefox"):
        assert personal not in told


def test_what_was_never_given_stays_null_when_the_person_is_erased(store: Store, database: Database) -> None:
    ada = store.new_subject(ADA)
    nameless = SignedUp(email=None, name=None, image=None, email_hash=b"keyed", password_version=1)
    store.append(by_ada(), ada, Addition(ADA, 0, [nameless], ada))
    store.append(by_the_system(), None, Addition(new_id(), 0, [started()]))
    caught_up(database)
    erase(database, ADA)

    opened, session = story(store, user_id=ADA, position=END)
    assert opened.fields == {"email": None, "name": None, "image": None, "password_version": 1}
    assert (opened.ip_address, session.ip_address) == ("erased", None)
    assert [opened.state["account"][name] for name in ("email", "name", "image")] == [None] * 3
    assert [row["ip_address"] for row in session.state["sessions"].values()] == [None]


def test_no_hash_of_a_secret_or_of_an_address_is_told(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    caught_up(database)
    hashes = database.rows("SELECT email_slot FROM account_list UNION ALL SELECT token_hash FROM session_list")
    assert len(hashes) == 2
    for step in story(context.store, user_id=user_id, position=END):
        told = repr([step.fields, step.state])
        assert not any(repr(value) in told or value.hex() in told for [value] in hashes)


def test_an_id_that_is_nobody_s_has_no_story(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    caught_up(database)
    session_id = session_of(database, user_id)
    stranger = new_id()
    for user in (stranger, session_id):
        with pytest.raises(NoStory, match=f"^There is no user {user.hex} in the log up to position 4.$"):
            story(context.store, user_id=user, position=END)
    for organization in (stranger, user_id):
        with pytest.raises(NoStory, match=f"^There is no organization {organization.hex} in the log"):
            story(context.store, organization_id=organization, position=END)
    for session in (stranger, user_id):
        with pytest.raises(NoStory, match=f"^There is no session {session.hex} in the log"):
            story(context.store, session_id=session, position=END)
    with pytest.raises(NoStory, match=r"up to position 2\.$"):
        story(context.store, session_id=session_id, position=2)


def test_a_journal_that_stays_behind_is_told(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    caught_up(database)
    signed_up(context, "bo@example.com")
    sequenced(database)
    with pytest.raises(JournalBehind, match=r"at position 4 of 9\."):
        story(context.store, user_id=user_id, position=END, patience=0.1)
    assert len(list(story(context.store, user_id=user_id, position=4, patience=0))) == 5


def test_a_journal_that_is_a_little_behind_is_waited_for(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    sequenced(database)
    later = threading.Timer(0.3, caught_up, [database])
    later.start()
    assert len(list(story(context.store, user_id=user_id, position=END))) == 5
    later.join()


def test_of_a_stream_with_an_event_nobody_can_read_nothing_is_claimed(context: Context, database: Database) -> None:
    user_id = signed_up(context)
    session_id = session_of(database, user_id)
    comes_back(context, session_id=session_id, now=NOON + DAY, where_from=AT_HOME)
    renamed(database, "SessionBlessed")
    over = Addition(session_id, 3, [SessionEnded(reason=EndReason.SIGNED_OUT)])
    context.store.append(by_the_system(NOON + 2 * DAY), None, over)
    caught_up(database)

    *_, chosen, blessed, ended = story(context.store, user_id=user_id, position=END)
    assert (blessed.entry.name, blessed.fields, ended.fields) == ("SessionBlessed", None, {"reason": "signed_out"})
    assert chosen.state["sessions"][session_id] is not None
    assert blessed.state["sessions"] == ended.state["sessions"] == {session_id: None}
    assert blessed.state["account"] == ended.state["account"] == chosen.state["account"] is not None
    alone = list(story(context.store, session_id=session_id, position=END))
    assert [step.state["session"] is None for step in alone] == [False, False, True, True]


def test_a_long_story_is_read_as_it_is_told(store: Store, database: Database) -> None:
    session_id, many = new_id(), 450
    renewals = [SessionRenewed(expires_at=NOON + WEEK + timedelta(minutes=n)) for n in range(1, many)]
    store.append(by_the_system(), None, Addition(session_id, 0, [started(), *renewals]))
    caught_up(database)

    told = story(store, user_id=ADA, position=END)
    first = next(told)
    before = asdict(first)
    # renewals far ahead have not been read yet, and so may still become unreadable
    database.rows("ALTER TABLE events DISABLE TRIGGER append_only")
    database.rows("UPDATE events SET body = 'x' WHERE version = 450")
    rest = list(told)
    assert asdict(first) == before
    assert [step.entry.position for step in rest] == list(range(1, many))
    assert [step.fields is None for step in rest] == [False] * (many - 2) + [True]
    assert rest[-2].state["sessions"][session_id]["expires_at"] == NOON + WEEK + timedelta(minutes=448)
