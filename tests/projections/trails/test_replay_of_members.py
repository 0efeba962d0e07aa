"""A member's story says what became of the organizations they belong to, whoever did it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.membership import change_role, remove_member
from domain.commands.organization import close_organization, update_organization
from domain.roles import Role
from projections.trails.replay import Step, story
from tests.databases import Database
from tests.faults.organizations.races import founded, new_slug, people
from tests.keeping import caught_up
from tests.lived import context_over

END = 2**62


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    with context_over(database) as context:
        yield context


def seen(steps: list[Step], organization_id: UUID) -> list[tuple[str, Any, Any]]:
    """What the person's steps about it are called, what it was called then, and what they were in it."""
    told: list[tuple[str, Any, Any]] = []
    for step in steps:
        row = step.state["organizations"].get(organization_id)
        own = [one for one in step.state["memberships"].values() if one["organization_id"] == organization_id]
        roles = [one["role"] if one["ended_at"] is None else None for one in own]
        if row is not None and (not told or told[-1][1:] != (row["name"], roles)):
            told.append((step.entry.name, row["name"], roles))
    return told


def test_names_and_roles_are_those_of_the_moment(context: Context, database: Database) -> None:
    ada, bo, cy = people(context, 3)
    place = founded(context, ada, member=[bo])
    acme = place.organization_id
    update_organization(context, ada.acts(), organization_id=acme, changes={"name": "Acme", "slug": new_slug()})
    for roles in ((Role.ADMIN,), (Role.ADMIN, Role.MEMBER)):
        change_role(context, ada.acts(), organization_id=acme, membership_id=place.memberships[bo], roles=roles)
    remove_member(context, ada.acts(), organization_id=acme, membership_id=place.memberships[bo])
    update_organization(context, ada.acts(), organization_id=acme, changes={"name": "Acme Works"})
    close_organization(context, ada.acts(), organization_id=acme)
    caught_up(database)

    steps = list(story(context.store, user_id=bo.user_id, position=END))
    assert seen(steps, acme) == [
        ("OrganizationFounded", "Races", []),
        ("MemberJoined", "Races", ["member"]),
        ("OrganizationRenamed", "Acme", ["member"]),
        ("MemberRoleChanged", "Acme", ["admin"]),
        ("MemberRoleChanged", "Acme", ["admin,member"]),
        ("MemberRemoved", "Acme", [None]),
        ("OrganizationRenamed", "Acme Works", [None]),
    ]
    assert steps[-1].entry.name == "OrganizationClosed"
    assert steps[-1].state["organizations"][acme]["ended_at"] == steps[-1].entry.at
    positions = [step.entry.position for step in steps]
    assert positions == sorted(set(positions))
    renamed = next(step.entry.position for step in steps if step.entry.name == "OrganizationRenamed")
    for until, name in ((renamed - 1, "Races"), (renamed, "Acme")):
        assert seen(list(story(context.store, user_id=bo.user_id, position=until)), acme)[-1][1] == name
    # what came later is not known yet: not even which organizations they would belong to
    joined = next(step.entry.position for step in steps if step.entry.name == "MemberJoined" and seen([step], acme))
    before = list(story(context.store, user_id=bo.user_id, position=joined - 1))
    assert seen(before, acme) == []
    assert before != []
    # nothing of places they never were in
    assert seen(list(story(context.store, user_id=cy.user_id, position=END)), acme) == []
    streams = {step.entry.stream_id for step in story(context.store, user_id=bo.user_id, position=END)}
    assert place.memberships[ada] not in streams
