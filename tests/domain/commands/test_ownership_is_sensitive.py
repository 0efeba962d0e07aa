"""What grants, takes or destroys ownership takes a fresh session, whichever command does it (wire.md A3)."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest

import domain.commands
from domain.clock import now
from domain.commands import (
    credential,
    membership,
    organization,
)
from domain.commands.context import Context
from domain.events.keys import token_hash
from domain.refusals import SessionNotFresh
from tests.databases import Database
from tests.domain.commands.every_command import HARMLESS, LATER, SENSITIVE, Act, Scene, new_email, signs_up_as_owner
from tests.faults.organizations.races import Person, founded, invite, people
from tests.lived import context_over
from tests.people import PASSWORD


def names(rows: list[tuple[str, str, Act]]) -> list[str]:
    """What the rows of a table are called."""
    return [f"{command} {what}" for command, what, _ in rows]


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


@pytest.fixture
def scene(context: Context) -> Scene:
    ada, bo, cy, dee, eve = people(context, 5)
    place = founded(context, ada, owner=[bo], member=[cy])
    dees = invite(context, ada, place, dee.email, role="owner")
    return Scene(ada, bo, cy, dee, eve, place, dees, invite(context, ada, place, eve.email))


def length(database: Database) -> object:
    """How much has happened."""
    return database.value("SELECT count(*) FROM events")


def test_every_command_stands_in_one_of_the_tables() -> None:
    modules = [
        import_module(f"{domain.commands.__name__}.{module.name}")
        for module in pkgutil.iter_modules(domain.commands.__path__)
    ]
    commands = {
        name
        for module in modules
        for name, found in vars(module).items()
        if hasattr(found, "__wrapped__") and found.__module__ == module.__name__
    }
    assert len(commands) >= 24
    assert {command for command, _, _ in SENSITIVE + HARMLESS} == commands


@pytest.mark.parametrize("act", [act for _, _, act in SENSITIVE], ids=names(SENSITIVE))
def test_what_changes_who_owns_an_organization_takes_a_fresh_session(
    context: Context, scene: Scene, act: Act, module_database: Database
) -> None:
    before = length(module_database)
    with pytest.raises(SessionNotFresh):
        act(context, scene, now() + LATER)
    assert length(module_database) == before
    act(context, scene, now())
    assert length(module_database) != before


@pytest.mark.parametrize("act", [act for _, _, act in SENSITIVE], ids=names(SENSITIVE))
def test_a_password_confirmed_opens_it(context: Context, scene: Scene, act: Act, module_database: Database) -> None:
    at = now() + LATER
    credential.reauthenticate(context, scene.ada.acts(at=at), password=PASSWORD)
    before = length(module_database)
    act(context, scene, at + timedelta(hours=23))
    assert length(module_database) != before


@pytest.mark.parametrize("act", [act for _, _, act in HARMLESS], ids=names(HARMLESS))
def test_everything_else_does_not(context: Context, scene: Scene, act: Act, module_database: Database) -> None:
    before = length(module_database)
    act(context, scene, now() + LATER)
    assert length(module_database) != before


def test_another_session_of_the_same_person_is_not_fresh_by_that(context: Context, scene: Scene) -> None:
    at = now() + LATER
    credential.reauthenticate(context, scene.ada.acts(at=at), password=PASSWORD)
    with pytest.raises(SessionNotFresh):
        organization.close_organization(
            context, scene.ada.acts(tab=1, at=at), organization_id=scene.place.organization_id
        )


def test_where_freshness_is_switched_off_nobody_is_asked(context: Context, scene: Scene) -> None:
    open_to_all = replace(context, lifetimes=replace(context.lifetimes, fresh=timedelta(0)))
    organization.close_organization(
        open_to_all, scene.ada.acts(at=now() + LATER), organization_id=scene.place.organization_id
    )


def test_the_session_of_a_sign_up_is_as_fresh_as_any(context: Context, scene: Scene) -> None:
    at = now()
    signed_in = signs_up_as_owner(context, scene, at)
    user_id = signed_in.person.user_id
    session_id = context.lookups.live_session(user_id, session_id=None, token_hash=token_hash(signed_in.token))
    assert session_id is not None
    fay = Person(new_email(scene), user_id, (session_id, session_id))
    with pytest.raises(SessionNotFresh):
        membership.leave(context, fay.acts(at=at + LATER), organization_id=scene.place.organization_id)
    membership.leave(context, fay.acts(at=at + timedelta(hours=23)), organization_id=scene.place.organization_id)
