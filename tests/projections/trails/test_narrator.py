"""The journal in words: who is told what, what is marked, and what is nobody's business."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from domain import ids
from domain.commands.session import expire
from domain.ids import new_id
from domain.membership import Joining, MemberJoined
from domain.roles import Role
from domain.store import Addition
from domain.store.connections import connection_arguments
from domain.store.envelope import ActorKind, CommandRecord
from projections.trails.activity import of_a_person
from projections.trails.cursor import Cursor
from projections.trails.names import Reader
from projections.trails.narrator import Narrator, RenderedEntry
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import NOON
from tests.projections.trails.life import (
    AWAY,
    BRITAIN,
    EVERYWHERE,
    FIREFOX,
    GERMANY,
    OPENED,
    Life,
)


@contextmanager
def rewriting(database: Database, table: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """What only a broken disk or an attacker with the owner's rights can do."""
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only".encode())
        yield owner
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only".encode())


def test_a_person_is_told_what_happened_newest_first(life: Life) -> None:
    session_id = life.opens("Ada")
    life.signs_out(session_id)
    life.signs_in("Ada", AWAY)
    assert life.texts("Ada") == [
        "You signed in with Firefox 132 on Linux, United Kingdom.",
        "You signed out of Chrome 130 on macOS, Germany.",
        *OPENED,
    ]
    newest, ended, *_ = life.told("Ada")
    assert newest == RenderedEntry(
        at=NOON + timedelta(minutes=3),
        event="SessionStarted",
        text="You signed in with Firefox 132 on Linux, United Kingdom.",
        actor="You",
        actor_id=life.people["Ada"],
        actor_email="",
        person="You",
        person_id=life.people["Ada"],
        person_email="",
        device="Firefox 132 on Linux",
        location="United Kingdom",
        ip_address=BRITAIN,
        session_id=life.newest_session("Ada"),
        times=1,
        since=NOON + timedelta(minutes=3),
        new_device=True,
    )
    assert (ended.session_id, ended.ip_address, ended.new_device) == (session_id, GERMANY, False)


def test_a_changed_password_and_what_it_ended_are_one_entry(life: Life) -> None:
    session_id = life.opens("Ada")
    life.signs_in("Ada", AWAY)
    life.changes_password(session_id, revoking=True)
    changed, *_ = life.told("Ada")
    assert changed.text == "You changed your password. All sessions that began with the old password were ended."
    assert (changed.event, changed.session_id) == ("PasswordChanged", session_id)
    assert (changed.actor, changed.device, changed.ip_address, changed.new_device) == (
        "You", "Chrome 130 on macOS", GERMANY, False
    )  # fmt: skip


def test_who_signed_all_others_out_stayed_signed_in(life: Life) -> None:
    life.opens("Ada")
    away = life.signs_in("Ada", AWAY)
    life.signs_out_others(away, AWAY)
    ended, *_ = life.told("Ada")
    assert (ended.text, ended.session_id) == ("You ended all of your other sessions.", away)


def test_a_session_is_named_by_where_it_was_used_last(life: Life) -> None:
    session_id = life.opens("Ada")
    life.does_something(session_id, AWAY)
    by_another = life.signs_in("Ada")
    life.revokes(session_id, by_another)
    [revoked, *_] = life.told("Ada")
    assert revoked.text == "You ended your session on Firefox 132 on Linux, United Kingdom."
    assert (revoked.session_id, revoked.device, revoked.ip_address) == (session_id, "Chrome 130 on macOS", GERMANY)


def test_what_ran_out_ended_by_itself(life: Life) -> None:
    session_id = life.opens("Ada")
    life.passes(days=8)
    assert expire(life.context, session_id=session_id, now=life.now)
    [ended, *_] = life.told("Ada")
    assert ended.text == "Your session on Chrome 130 on macOS, Germany expired."
    assert (ended.actor, ended.actor_id, ended.session_id) == ("Daybook", None, session_id)
    assert (ended.device, ended.location, ended.ip_address) == ("", "", "")


def test_a_session_too_many_ends_another(life: Life) -> None:
    session_id = life.opens("Ada")
    life.context = replace(life.context, sessions_per_user=1)
    life.signs_in("Ada", AWAY)
    ended, signed_in, *_ = life.told("Ada")
    assert signed_in.text == "You signed in with Firefox 132 on Linux, United Kingdom."
    assert ended.text == "Your session on Chrome 130 on macOS, Germany was ended to make room for a newer one."
    assert (ended.session_id, ended.actor) == (session_id, "Daybook")


def test_nobody_is_told_what_others_did(life: Life) -> None:
    life.opens("Ada")
    life.opens("Bo")
    life.is_refused("Bo")
    assert life.texts("Ada") == OPENED
    assert [one.text for one in life.told_to_admins()] == ["“Ada” founded “Ada's Organization”."]


def by_an_operator(at: datetime) -> CommandRecord:
    return CommandRecord(
        command_id=ids.new_id(), at=at, actor_kind=ActorKind.OPERATOR, ip_address=BRITAIN, user_agent=FIREFOX
    )


def test_where_an_operator_acted_from_is_not_shown(life: Life) -> None:
    session_id = life.opens("Ada")
    life.ends(session_id, by_an_operator, sealed_for=life.people["Ada"])
    [ended, *_] = life.told("Ada")
    assert ended.text == "An operator ended your session on Chrome 130 on macOS, Germany."
    assert (ended.actor, ended.actor_id, ended.session_id) == ("An operator", None, session_id)
    assert (ended.device, ended.location, ended.ip_address) == ("", "", "")


def test_nor_is_it_to_those_who_read_the_trail_of_an_organization(life: Life) -> None:
    life.opens("Ada")
    life.opens("Bo")
    joined = MemberJoined(
        organization_id=life.organization_of("Ada"),
        user_id=life.people["Bo"],
        role=Role.MEMBER,
        joining=Joining.FOUNDED,
    )
    store = life.context.store
    store.append(by_an_operator(life.now), store.subject(life.people["Bo"]), Addition(ids.new_id(), 0, [joined]))
    [told, *_] = life.told_to_admins()
    assert (told.actor, told.text) == ("An operator", "“Bo” became member of “Ada's Organization”.")
    assert (told.device, told.location, told.ip_address, told.session_id) == ("", "", "", None)


def test_both_are_told_what_one_did_to_the_other_but_only_the_one_from_where(life: Life) -> None:
    session_id = life.opens("Ada")
    at_work = life.opens("Bo", AWAY)

    def by_bo(at: datetime) -> CommandRecord:
        return CommandRecord.by_user(life.people["Bo"], session_id=at_work, at=at, where_from=AWAY)

    life.ends(session_id, by_bo, sealed_for=life.people["Bo"])
    [to_ada, *_], [to_bo, *_] = life.told("Ada"), life.told("Bo")
    assert to_ada.text == "“Bo” ended your session on Chrome 130 on macOS, Germany."
    assert (to_ada.actor, to_ada.actor_id) == ("Bo", life.people["Bo"])
    assert (to_ada.device, to_ada.location, to_ada.ip_address) == ("", "", "")
    assert to_bo.text == "You ended “Ada”'s session on Chrome 130 on macOS, Germany."
    assert (to_bo.device, to_bo.location, to_bo.ip_address) == ("Firefox 132 on Linux", "United Kingdom", BRITAIN)
    assert to_ada.session_id == to_bo.session_id == session_id


def test_through_which_session_another_person_acted_is_not_told(life: Life) -> None:
    life.opens("Ada")
    at_work, membership_id = life.opens("Bo", AWAY), new_id()

    def by_bo(at: datetime) -> CommandRecord:
        return CommandRecord.by_user(life.people["Bo"], session_id=at_work, at=at, where_from=AWAY)

    store = life.context.store
    joined = MemberJoined(
        organization_id=life.organization_of("Bo"),
        user_id=life.people["Ada"],
        role=Role.MEMBER,
        joining=Joining.FOUNDED,
    )
    store.append(by_bo(life.passes()), store.subject(life.people["Bo"]), Addition(membership_id, 0, [joined]))
    [to_ada, *_], [to_bo, *_] = life.told("Ada"), life.told("Bo")
    assert to_ada.text == "You became member of “Bo's Organization”."
    assert (to_ada.session_id, to_ada.device, to_ada.location, to_ada.ip_address) == (None, "", "", "")
    assert (to_bo.text, to_bo.session_id) == ("“Ada” became member of “Bo's Organization”.", at_work)


def test_of_an_erased_person_nothing_is_told_but_that_there_was_one(life: Life) -> None:
    life.opens("Ada")
    life.database.rows("UPDATE subject_keys SET wrapped = NULL WHERE person_id = %s", life.people["Ada"])
    life.database.rows("UPDATE organization_list SET name = NULL")
    told = life.told_to_admins()
    assert [one.text for one in told] == ["A removed person founded a former organization."]
    for one in told:
        assert (one.actor, one.device, one.location, one.ip_address) == ("a removed person", "", "", "")
    life.opens("Bo")
    caught_up(life.database)
    store = life.context.store
    everything = of_a_person(
        store.statements, life.context.keyring, life.people["Ada"], before=Cursor.of(""), limit=100
    )
    entries = everything.entries
    [session, *_] = Narrator(store, EVERYWHERE, entries, reader=Reader(user_id=life.people["Bo"])).rendered()
    assert session.text.endswith("A removed person signed in with Chrome 130 on macOS, Germany.")
    assert session.device == ""
    life.database.rows("UPDATE session_list SET user_agent = NULL, ip_address = NULL")
    admins = Reader(organization_id=life.organization_of("Ada"))
    [session, *_] = Narrator(store, EVERYWHERE, entries, reader=admins).rendered()
    assert session.text.endswith("A removed person signed in with an unknown device.")


def test_an_entry_that_cannot_be_read_does_not_hide_the_others(life: Life) -> None:
    life.opens("Ada")
    with rewriting(life.database, "events") as owner:
        owner.execute("UPDATE events SET sealed = sealed || 'x' WHERE name = 'SignedUp'")
    life.signs_in("Ada")
    [other, unreadable] = life.told("Ada")
    assert other.text == "You signed in with Chrome 130 on macOS, Germany."
    assert unreadable.text.startswith("This entry cannot be read. ")
    assert (unreadable.event, unreadable.actor, unreadable.at) == ("SignedUp", "You", NOON + timedelta(minutes=1))
    assert (unreadable.device, unreadable.location, unreadable.ip_address) == ("", "", "")


@pytest.mark.parametrize("name", ["You", "daybook", "An Operator", "A removed person", "Somebody", "A service"])
def test_nobody_passes_for_the_reader_or_for_the_service(life: Life, name: str) -> None:
    session_id = life.opens("Ada")
    at_work = life.opens(name)

    def by_them(at: datetime) -> CommandRecord:
        return CommandRecord.by_user(life.people[name], session_id=at_work, at=at, where_from=AWAY)

    life.ends(session_id, by_them, sealed_for=life.people[name])
    assert life.texts("Ada")[0] == f"“{name}” ended your session on Chrome 130 on macOS, Germany."
    assert life.told("Ada")[0].actor == f"“{name}”"
    told = life.told_to_admins(organization=name)[0]
    assert (told.actor, told.person) == (f"“{name}”", f"“{name}”")


@pytest.mark.parametrize("name", ["", "  "])
def test_who_has_no_name_is_called_by_their_address(life: Life, name: str) -> None:
    life.opens(name)
    assert life.told_to_admins(organization=name)[0].actor == "0@example.com"
