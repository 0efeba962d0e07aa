"""Whose session ends while what they do in an organization is decided does nothing there any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from domain.clock import now
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context
from domain.commands.membership import change_role, leave, remove_member, transfer_ownership
from domain.commands.organization import (
    choose_organization,
    close_organization,
    found_organization,
    update_organization,
)
from domain.commands.session import revoke_other_sessions, revoke_session, revoke_sessions, sign_out
from domain.refusals import SessionOver
from domain.roles import Role
from domain.store import Store
from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database
from tests.faults.organizations.races import Person, Place, founded, invite, new_slug, people
from tests.faults.owners import HERE
from tests.lived import context_over, through
from tests.people import SECRET


class Meanwhile(Store):
    """The real store, with something that happens once, just before anything is appended."""

    happens: Callable[[], object] | None = None

    def append(self, *given: Any, **named: Any) -> bool:
        """After it happened."""
        if self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return super().append(*given, **named)


@dataclass(frozen=True)
class Scene:
    """Ada owns a place where Bo is; Cy is invited, and owns another one where Ada was invited."""

    ada: Person
    bo: Person
    cy: Person
    place: Place
    cys: str
    adas: str


def turning(context: Context, scene: Scene) -> object:
    return choose_organization(context, scene.ada.acts(), organization_id=scene.place.organization_id)


def turning_away(context: Context, scene: Scene) -> object:
    return choose_organization(context, scene.ada.acts(), organization_id=None)


def founding(context: Context, scene: Scene) -> object:
    return found_organization(
        context, scene.ada.acts(), name="Acme", slug=new_slug(), logo=None, metadata=None, turning=False
    )


def renaming(context: Context, scene: Scene) -> object:
    changes = {"name": "Mallory's"}
    return update_organization(context, scene.ada.acts(), organization_id=scene.place.organization_id, changes=changes)


def closing(context: Context, scene: Scene) -> object:
    return close_organization(context, scene.ada.acts(), organization_id=scene.place.organization_id)


def promoting(context: Context, scene: Scene) -> object:
    return change_role(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.bo],
        roles=(Role.ADMIN,),
    )


def removing(context: Context, scene: Scene) -> object:
    return remove_member(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.bo],
    )


def leaving(context: Context, scene: Scene) -> object:
    return leave(context, scene.bo.acts(), organization_id=scene.place.organization_id)


def transferring(context: Context, scene: Scene) -> object:
    return transfer_ownership(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.bo],
    )


def inviting(context: Context, scene: Scene) -> object:
    return invite(context, scene.ada, scene.place, "dee@example.com")


def resending(context: Context, scene: Scene) -> object:
    return invitations.invite(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        email=scene.cy.email,
        role="member",
        resend=True,
    )


def canceling(context: Context, scene: Scene) -> object:
    return invitations.cancel(context, scene.ada.acts(), link=scene.cys)


def accepting(context: Context, scene: Scene) -> object:
    return received_invitation.accept(context, scene.ada.acts(), link=scene.adas)


def rejecting(context: Context, scene: Scene) -> object:
    return received_invitation.reject(context, scene.ada.acts(), link=scene.adas)


ACTS = [
    turning,
    turning_away,
    founding,
    renaming,
    closing,
    promoting,
    removing,
    leaving,
    transferring,
    inviting,
    resending,
    canceling,
    accepting,
    rejecting,
]


def signed_out(context: Context, whose: Person) -> object:
    return sign_out(context, session_id=whose.tabs[0], now=now(), where_from=HERE)


def revoked(context: Context, whose: Person) -> object:
    return revoke_session(context, through(context, whose.tabs[1], now=now(), where_from=HERE), named=whose.tabs[0].hex)


def all_revoked(context: Context, whose: Person) -> object:
    return revoke_sessions(context, through(context, whose.tabs[1], now=now(), where_from=HERE))


def others_revoked(context: Context, whose: Person) -> object:
    return revoke_other_sessions(context, through(context, whose.tabs[1], now=now(), where_from=HERE))


ENDS = [signed_out, revoked, all_revoked, others_revoked]


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
    ada, bo, cy = people(context, 3)
    place, other = founded(context, ada, member=[bo]), founded(context, cy)
    choose_organization(context, ada.acts(), organization_id=other_than(context, ada, place))
    return Scene(ada, bo, cy, place, invite(context, ada, place, cy.email), invite(context, cy, other, ada.email))


def other_than(context: Context, person: Person, place: Place) -> Any:
    """The organization that came with their account."""
    [[found]] = context.store.statements.rows(
        "SELECT organization_id FROM member_list WHERE user_id = $1 AND organization_id <> $2",
        person.user_id,
        place.organization_id,
    )
    return found


def written(database: Database) -> list[Any]:
    """What happened, but for how sessions end."""
    return database.rows(
        "SELECT stream_id, version, name FROM events"
        " WHERE name NOT IN ('SessionEnded', 'SessionsRevoked', 'SessionKept') ORDER BY 1, 2"
    )


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("act", ACTS)
def test_whose_session_ends_in_the_middle_of_it_does_nothing(
    context: Context,
    store: Meanwhile,
    scene: Scene,
    module_database: Database,
    act: Callable[[Context, Scene], object],
    end: Callable[[Context, Person], object],
) -> None:
    whose, before = scene.bo if act is leaving else scene.ada, written(module_database)
    store.happens = lambda: end(context, whose)
    with pytest.raises(SessionOver):
        act(replace(context, store=store), scene)
    assert written(module_database) == before


@pytest.mark.parametrize("act", ACTS)
def test_without_such_an_end_it_is_done(
    context: Context, store: Meanwhile, scene: Scene, module_database: Database, act: Callable[[Context, Scene], object]
) -> None:
    before = written(module_database)
    act(replace(context, store=store), scene)
    assert len(written(module_database)) > len(before)
