"""Whose session ends while what they do with a key is decided does nothing; and a key that changes is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from domain.clock import now
from domain.commands.api_key import (
    KeyChanges,
    KeyWanted,
    MadeKey,
    change_key,
    delete_key,
    make_key,
    report_key,
    revoke_keys,
    rotate_key,
)
from domain.commands.context import Context
from domain.commands.credential import change_password
from domain.commands.erasure import delete_account
from domain.commands.membership import leave, remove_member
from domain.commands.organization import close_organization
from domain.commands.session import revoke_other_sessions, revoke_session, revoke_sessions, sign_out
from domain.key_refusals import KeyNotFound, KeyRotated, NotInKeysOrganization
from domain.refusals import Refusal, SessionOver, SubjectGone
from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database
from tests.domain.commands.test_guards_of_acting_members import Meanwhile
from tests.faults.organizations.races import Person, Place, founded, people
from tests.faults.owners import HERE
from tests.lived import context_over
from tests.people import PASSWORD, SECRET


@dataclass(frozen=True)
class Scene:
    """Bo, signed in in two tabs, has a key, and belongs to a place that Ada owns."""

    ada: Person
    bo: Person
    place: Place
    key: MadeKey


Act = Callable[[Context, Scene], object]


def making(context: Context, scene: Scene) -> object:
    return make_key(context, scene.bo.acts(), KeyWanted(name="another"))


def making_for_the_place(context: Context, scene: Scene) -> object:
    wanted = KeyWanted(name="another", organization_id=scene.place.organization_id)
    return make_key(context, scene.bo.acts(), wanted)


def renaming(context: Context, scene: Scene) -> object:
    return change_key(context, scene.bo.acts(), scene.key.api_key_id, KeyChanges(name="build"))


def disabling(context: Context, scene: Scene) -> object:
    return change_key(context, scene.bo.acts(), scene.key.api_key_id, KeyChanges(enabled=False))


def deleting(context: Context, scene: Scene) -> object:
    return delete_key(context, scene.bo.acts(), scene.key.api_key_id)


def rotating(context: Context, scene: Scene) -> object:
    return rotate_key(context, scene.bo.acts(), scene.key.api_key_id)


def revoking(context: Context, scene: Scene) -> object:
    return revoke_keys(context, scene.bo.acts())


OF_THE_KEY = [renaming, disabling, deleting, rotating]
ACTS = [making, making_for_the_place, *OF_THE_KEY, revoking]


def signed_out(context: Context, scene: Scene) -> object:
    return sign_out(context, session_id=scene.bo.tabs[0], now=now(), where_from=HERE)


def revoked(context: Context, scene: Scene) -> object:
    return revoke_session(context, scene.bo.acts(tab=1), named=scene.bo.tabs[0].hex)


def all_revoked(context: Context, scene: Scene) -> object:
    return revoke_sessions(context, scene.bo.acts(tab=1))


def others_revoked(context: Context, scene: Scene) -> object:
    return revoke_other_sessions(context, scene.bo.acts(tab=1))


def another_password(context: Context, scene: Scene) -> object:
    return change_password(
        context, scene.bo.acts(tab=1), current=PASSWORD, new="battery staple 2", revoking=True, organization_id=None
    )


def gone(context: Context, scene: Scene) -> object:
    return delete_account(context, scene.bo.acts(tab=1), password=PASSWORD)


ENDS = [signed_out, revoked, all_revoked, others_revoked, another_password, gone]


def deleted(context: Context, scene: Scene) -> object:
    return delete_key(context, scene.bo.acts(tab=1), scene.key.api_key_id)


def reported(context: Context, scene: Scene) -> object:
    return report_key(context, scene.key.secret, now=now(), where_from=HERE)


def keys_revoked(context: Context, scene: Scene) -> object:
    return revoke_keys(context, scene.bo.acts(tab=1))


def rotated(context: Context, scene: Scene) -> object:
    return rotate_key(context, scene.bo.acts(tab=1), scene.key.api_key_id)


def removed(context: Context, scene: Scene) -> object:
    return remove_member(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.bo],
    )


def left(context: Context, scene: Scene) -> object:
    return leave(context, scene.bo.acts(tab=1), organization_id=scene.place.organization_id)


def closed(context: Context, scene: Scene) -> object:
    return close_organization(context, scene.ada.acts(), organization_id=scene.place.organization_id)


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


@pytest.fixture(scope="module")
def store(context: Context, module_database: Database) -> Meanwhile:
    with psycopg.connect(module_database.application_url, **connection_arguments("tests")) as connection:
        return Meanwhile(context.store.pool, open_keyring(connection, SECRET), INLINE)


@pytest.fixture
def scene(context: Context) -> Scene:
    ada, bo = people(context, 2)
    place = founded(context, ada, member=[bo])
    return Scene(ada, bo, place, make_key(context, bo.acts(), KeyWanted(name="deploy")))


def happened(context: Context) -> list[Any]:
    """What became of keys."""
    sql = "SELECT stream_id, version, name FROM events WHERE name LIKE 'ApiKey%' ORDER BY 1, 2"
    return list(context.store.statements.rows(sql))


def refused(
    context: Context, store: Meanwhile, scene: Scene, act: Act, meanwhile: Act, *refusals: type[Refusal]
) -> tuple[list[Any], list[Any]]:
    """What had happened to keys when something else happened, and what has when the command was refused."""
    before: list[Any] = []

    def happens() -> None:
        meanwhile(context, scene)
        before.extend(happened(context))

    store.happens = happens
    with pytest.raises(refusals):
        act(replace(context, store=store), scene)
    return before, happened(context)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("act", ACTS)
def test_whose_session_ends_in_the_middle_of_it_does_nothing_with_a_key(
    context: Context, store: Meanwhile, scene: Scene, act: Act, end: Act
) -> None:
    before, after = refused(context, store, scene, act, end, SessionOver, SubjectGone)
    assert before == after


@pytest.mark.parametrize("end", [deleted, reported, keys_revoked])
@pytest.mark.parametrize("act", OF_THE_KEY)
def test_nothing_becomes_of_a_key_that_ends_meanwhile(
    context: Context, store: Meanwhile, scene: Scene, act: Act, end: Act
) -> None:
    before, after = refused(context, store, scene, act, end, KeyNotFound)
    assert before == after


def test_of_two_who_make_a_key_anew_the_second_is_refused(context: Context, store: Meanwhile, scene: Scene) -> None:
    before, after = refused(context, store, scene, rotating, rotated, KeyRotated)
    assert before == after


@pytest.mark.parametrize("end", [removed, left, closed])
def test_no_key_is_made_for_an_organization_that_its_owner_goes_from_meanwhile(
    context: Context, store: Meanwhile, scene: Scene, end: Act
) -> None:
    before, after = refused(context, store, scene, making_for_the_place, end, NotInKeysOrganization)
    assert before == after


def test_a_key_that_is_made_while_all_are_ended_is_of_the_time_after_it(
    context: Context, store: Meanwhile, scene: Scene
) -> None:
    store.happens = lambda: keys_revoked(context, scene)
    made = make_key(replace(context, store=store), scene.bo.acts(), KeyWanted(name="another"))
    rows = context.store.statements.rows(
        "SELECT k.epoch, a.key_epoch FROM api_key_list k JOIN account_list a USING (user_id) WHERE api_key_id = $1",
        made.api_key_id,
    )
    assert [tuple(row) for row in rows] == [(1, 1)]


@pytest.mark.parametrize("act", ACTS)
def test_without_such_an_end_it_is_done(context: Context, store: Meanwhile, scene: Scene, act: Act) -> None:
    before = happened(context)
    act(replace(context, store=store), scene)
    assert len(happened(context)) > len(before)
