"""Whatever becomes of a key, or of whose it is, while a command by it is decided: nothing of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.clock import now
from domain.commands import invitation as invitations
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
    use_key,
)
from domain.commands.context import Context
from domain.commands.erasure import delete_account
from domain.commands.membership import change_role, leave, remove_member
from domain.commands.organization import close_organization, found_organization, update_organization
from domain.commands.principal import PersonByKey
from domain.commands.user import update_user
from domain.key_refusals import InvalidKey, KeyDisabled, KeyExpired
from domain.refusals import MemberNotFound, NotAMember, Refusal, SubjectGone
from domain.roles import Role
from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database
from tests.domain.commands.test_guards_of_acting_members import Meanwhile
from tests.faults.organizations.races import Person, Place, founded, invite, new_slug, people
from tests.faults.owners import HERE
from tests.lived import context_over
from tests.people import PASSWORD, SECRET


@dataclass(frozen=True)
class Scene:
    """Ada owns a place where Bo is an admin and Cy a member, and Dee is invited; a program has a key of Bo's."""

    ada: Person
    bo: Person
    cy: Person
    dee: Person
    place: Place
    link: str
    key: MadeKey

    @property
    def program(self) -> PersonByKey:
        """Acts a moment after whatever happens meanwhile."""
        at = now() + timedelta(seconds=1)
        return PersonByKey(user_id=self.bo.user_id, api_key_id=self.key.api_key_id, at=at, where_from=HERE)

    @property
    def organization_id(self) -> UUID:
        return self.place.organization_id


Act = Callable[[Context, Scene], object]


def renaming_its_owner(context: Context, scene: Scene) -> object:
    return update_user(context, scene.program, name="Mallory", image=None)


def founding(context: Context, scene: Scene) -> object:
    return found_organization(
        context, scene.program, name="Acme", slug=new_slug(), logo=None, metadata=None, turning=False
    )


def leaving(context: Context, scene: Scene) -> object:
    return leave(context, scene.program, organization_id=scene.organization_id)


def renaming(context: Context, scene: Scene) -> object:
    changes = {"name": "Mallory's"}
    return update_organization(context, scene.program, organization_id=scene.organization_id, changes=changes)


def promoting(context: Context, scene: Scene) -> object:
    return change_role(
        context,
        scene.program,
        organization_id=scene.organization_id,
        membership_id=scene.place.memberships[scene.cy],
        roles=(Role.ADMIN,),
    )


def removing(context: Context, scene: Scene) -> object:
    return remove_member(
        context,
        scene.program,
        organization_id=scene.organization_id,
        membership_id=scene.place.memberships[scene.cy],
    )


def inviting(context: Context, scene: Scene) -> object:
    return _invites(context, scene, "eve@example.com", resend=False)


def resending(context: Context, scene: Scene) -> object:
    return _invites(context, scene, scene.dee.email, resend=True)


def canceling(context: Context, scene: Scene) -> object:
    return invitations.cancel(context, scene.program, link=scene.link)


def _invites(context: Context, scene: Scene, email: str, *, resend: bool) -> object:
    return invitations.invite(
        context, scene.program, organization_id=scene.organization_id, email=email, role="member", resend=resend
    )


AS_ADMIN = [renaming, promoting, removing, inviting, resending, canceling]
"""What Bo may as an admin, and as a member no more."""
ACTS = [renaming_its_owner, founding, leaving, *AS_ADMIN]


def deleted(context: Context, scene: Scene) -> object:
    return delete_key(context, scene.bo.acts(), scene.key.api_key_id)


def reported(context: Context, scene: Scene) -> object:
    assert report_key(context, scene.key.secret, now=now(), where_from=HERE)
    return None


def disabled(context: Context, scene: Scene) -> object:
    assert change_key(context, scene.bo.acts(), scene.key.api_key_id, KeyChanges(enabled=False))
    return None


def rotated(context: Context, scene: Scene) -> object:
    return rotate_key(context, scene.bo.acts(), scene.key.api_key_id)


def all_revoked(context: Context, scene: Scene) -> object:
    return revoke_keys(context, scene.bo.acts())


def gone(context: Context, scene: Scene) -> object:
    return delete_account(context, scene.bo.acts(), password=PASSWORD)


Refusals = tuple[type[Refusal], ...]
ENDS: list[tuple[Act, Refusals]] = [
    (deleted, (InvalidKey,)),
    (reported, (InvalidKey,)),
    (disabled, (KeyDisabled,)),
    (rotated, (KeyExpired,)),
    (all_revoked, (InvalidKey,)),
    (gone, (InvalidKey, SubjectGone)),
]


def demoted(context: Context, scene: Scene) -> object:
    membership_id = scene.place.memberships[scene.bo]
    return change_role(
        context,
        scene.ada.acts(),
        organization_id=scene.organization_id,
        membership_id=membership_id,
        roles=(Role.MEMBER,),
    )


def removed(context: Context, scene: Scene) -> object:
    membership_id = scene.place.memberships[scene.bo]
    return remove_member(context, scene.ada.acts(), organization_id=scene.organization_id, membership_id=membership_id)


def closed(context: Context, scene: Scene) -> object:
    return close_organization(context, scene.ada.acts(), organization_id=scene.organization_id)


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
    ada, bo, cy, dee = people(context, 4)
    place = founded(context, ada, admin=[bo], member=[cy])
    link = invite(context, ada, place, dee.email)
    return Scene(ada, bo, cy, dee, place, link, make_key(context, bo.acts(), KeyWanted(name="deploy")))


def written(database: Database, scene: Scene) -> Any:
    """How many events there are of commands by the key."""
    return database.value(
        "SELECT count(*) FROM events JOIN commands USING (command_id) WHERE api_key_id = %s", scene.key.api_key_id
    )


@pytest.mark.parametrize(("end", "refusals"), ENDS)
@pytest.mark.parametrize("act", ACTS)
def test_whose_key_ends_in_the_middle_of_it_does_nothing(
    context: Context,
    store: Meanwhile,
    scene: Scene,
    module_database: Database,
    act: Act,
    end: Act,
    refusals: Refusals,
) -> None:
    store.happens = lambda: end(context, scene)
    with pytest.raises(refusals):
        act(replace(context, store=store), scene)
    assert written(module_database, scene) == 0


@pytest.mark.parametrize("less", [demoted, removed, closed])
@pytest.mark.parametrize("act", AS_ADMIN)
def test_whose_owner_is_less_in_the_middle_of_it_does_no_more_than_the_owner_may(
    context: Context, store: Meanwhile, scene: Scene, module_database: Database, act: Act, less: Act
) -> None:
    store.happens = lambda: less(context, scene)
    with pytest.raises(Refusal):
        act(replace(context, store=store), scene)
    assert written(module_database, scene) == 0


@pytest.mark.parametrize("less", [removed, closed])
def test_nobody_leaves_by_a_key_what_they_are_no_more_in(
    context: Context, store: Meanwhile, scene: Scene, module_database: Database, less: Act
) -> None:
    store.happens = lambda: less(context, scene)
    with pytest.raises((NotAMember, MemberNotFound)):
        leaving(replace(context, store=store), scene)
    assert written(module_database, scene) == 0


@pytest.mark.parametrize("act", ACTS)
def test_without_such_an_end_it_is_done(
    context: Context, store: Meanwhile, scene: Scene, module_database: Database, act: Act
) -> None:
    act(replace(context, store=store), scene)
    assert written(module_database, scene) > 0


@pytest.mark.parametrize("end", [deleted, reported, gone])
def test_no_use_is_told_of_a_key_that_ends_meanwhile(
    context: Context, store: Meanwhile, scene: Scene, module_database: Database, end: Act
) -> None:
    store.happens = lambda: end(context, scene)
    try:
        told = use_key(
            replace(context, store=store),
            api_key_id=scene.key.api_key_id,
            user_id=scene.bo.user_id,
            now=now(),
            where_from=HERE,
        )
    except SubjectGone:
        told = False
    assert not told
    assert written(module_database, scene) == 0
