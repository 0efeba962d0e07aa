"""Who gives a command: how the log names them, and that what they act by narrows their rights everywhere."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import domain.commands
from domain.clock import now
from domain.commands import invitation, membership, organization, principal
from domain.commands.context import Context
from domain.commands.principal import Operator, PersonBySession, System, load_principal, record_of
from domain.refusals import (
    LastOwner,
    MayNotCancel,
    MayNotChangeRole,
    MayNotClose,
    MayNotInvite,
    MayNotInviteAs,
    MayNotRemove,
    MayNotUpdateOrganization,
    Refusal,
)
from domain.roles import Permissions, Role
from domain.store import Loaded
from domain.store.envelope import WhereFrom
from tests.databases import Database
from tests.faults.organizations.races import Person, Place, founded, invite, new_slug, people
from tests.lived import context_over
from tests.people import ADA, NOON

SESSION = UUID("01890000-0000-7000-8000-00000000005e")
AT_HOME = WhereFrom("203.0.113.7", "Firefox")
ADMIN: Permissions = {
    "organization": frozenset({"update"}),
    "member": frozenset({"create", "update", "delete"}),
    "invitation": frozenset({"create", "cancel"}),
    "team": frozenset({"create", "update", "delete"}),
    "ac": frozenset({"create", "read", "update", "delete"}),
}
OWNER: Permissions = {**ADMIN, "organization": frozenset({"update", "delete"})}
"""wire.md §10.1."""


def test_a_person_is_named_with_their_session_and_where_they_are() -> None:
    record = record_of(PersonBySession(user_id=ADA, session_id=SESSION, at=NOON, where_from=AT_HOME))
    assert (record.actor_kind, record.actor_id, record.session_id) == ("user", ADA, SESSION)
    assert (record.at, record.ip_address, record.user_agent) == (NOON, "203.0.113.7", "Firefox")


def test_where_a_session_is_known_to_be_used_is_not_said_again() -> None:
    record = record_of(PersonBySession(user_id=ADA, session_id=SESSION, at=NOON, where_from=None))
    assert (record.ip_address, record.user_agent) == (None, None)


@pytest.mark.parametrize(("by", "kind"), [(Operator(at=NOON), "operator"), (System(at=NOON), "system")])
def test_the_operator_and_the_system_are_named_by_their_kind_alone(by: Operator | System, kind: str) -> None:
    record = record_of(by)
    assert (record.actor_kind, record.at) == (kind, NOON)
    assert {record.actor_id, record.session_id, record.acting_for, record.ip_address, record.user_agent} == {None}


def test_each_append_is_a_command_of_its_own() -> None:
    ada = PersonBySession(user_id=ADA, session_id=SESSION, at=NOON, where_from=AT_HOME)
    assert record_of(ada).command_id != record_of(ada).command_id


def imported_by_commands(names: set[str]) -> dict[str, set[str]]:
    """Which modules of the commands import which of these names."""
    found: dict[str, set[str]] = {}
    for source in Path(domain.commands.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom) and (used := {alias.name for alias in node.names} & names):
                found.setdefault(source.name, set()).update(used)
    return found


def test_only_a_principal_says_how_the_log_names_who_gave_a_command() -> None:
    assert imported_by_commands({"CommandRecord"}) == {"principal.py": {"CommandRecord"}}


def test_no_command_asks_roles_what_somebody_may_who_acts_by_something() -> None:
    assert imported_by_commands({"allow", "cover"}) == {"acting_member.py": {"allow", "cover"}}


@dataclass(frozen=True)
class Scene:
    """Ada and Bo own a place where Cy is a member. Dee was invited as a member, by Ada."""

    ada: Person
    bo: Person
    cy: Person
    place: Place
    dee: str
    dees: str


Act = Callable[[Context, Scene], object]


def renames(context: Context, scene: Scene) -> object:
    return organization.update_organization(
        context, scene.ada.acts(), organization_id=scene.place.organization_id, changes={"name": "Mallory's"}
    )


def closes(context: Context, scene: Scene) -> object:
    return organization.close_organization(context, scene.ada.acts(), organization_id=scene.place.organization_id)


def promotes(context: Context, scene: Scene) -> object:
    return membership.change_role(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.cy],
        roles=(Role.ADMIN,),
    )


def removes(context: Context, scene: Scene, *, whom: str = "cy") -> object:
    return membership.remove_member(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[getattr(scene, whom)],
    )


def removes_an_owner(context: Context, scene: Scene) -> object:
    return removes(context, scene, whom="bo")


def passes_on(context: Context, scene: Scene) -> object:
    return membership.transfer_ownership(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[scene.cy],
    )


def invites(context: Context, scene: Scene, *, role: str = "member") -> object:
    return invite(context, scene.ada, scene.place, f"{new_slug()}@example.com", role=role)


def invites_an_admin(context: Context, scene: Scene) -> object:
    return invites(context, scene, role="admin")


def resends(context: Context, scene: Scene) -> object:
    return invitation.invite(
        context,
        scene.ada.acts(),
        organization_id=scene.place.organization_id,
        email=scene.dee,
        role="member",
        resend=True,
    )


def cancels(context: Context, scene: Scene) -> object:
    return invitation.cancel(context, scene.ada.acts(), link=scene.dees)


INVITING_MEMBERS: Permissions = {"invitation": frozenset({"create"}), "ac": frozenset({"read"})}
TAKES: list[tuple[Act, Permissions, tuple[str, str], type[Refusal]]] = [
    (renames, {"organization": frozenset({"update"})}, ("organization", "update"), MayNotUpdateOrganization),
    (closes, {"organization": frozenset({"delete"})}, ("organization", "delete"), MayNotClose),
    (promotes, ADMIN, ("member", "update"), MayNotChangeRole),
    (promotes, ADMIN, ("team", "create"), MayNotChangeRole),
    (removes, {"member": frozenset({"delete"})}, ("member", "delete"), MayNotRemove),
    (removes_an_owner, OWNER, ("organization", "delete"), LastOwner),
    (passes_on, OWNER, ("organization", "delete"), MayNotChangeRole),
    (invites, INVITING_MEMBERS, ("invitation", "create"), MayNotInvite),
    (invites, INVITING_MEMBERS, ("ac", "read"), MayNotInviteAs),
    (invites_an_admin, ADMIN, ("member", "update"), MayNotInviteAs),
    (resends, INVITING_MEMBERS, ("invitation", "create"), MayNotInvite),
    (resends, INVITING_MEMBERS, ("ac", "read"), MayNotInviteAs),
    (cancels, {"invitation": frozenset({"cancel"})}, ("invitation", "cancel"), MayNotCancel),
]
"""What somebody does, the least it takes, one right among them, and how they are refused without that one."""
IDS = [f"{act.__name__}-{resource}-{action}" for act, _, (resource, action), _ in TAKES]


def without(permissions: Permissions, resource: str, action: str) -> Permissions:
    return {**permissions, resource: permissions[resource] - {action}}


@pytest.fixture(scope="module")
def context(module_database: Database) -> Iterator[Context]:
    with context_over(module_database) as context:
        yield context


@pytest.fixture
def scene(context: Context) -> Scene:
    ada, bo, cy = people(context, 3)
    place = founded(context, ada, owner=[bo], member=[cy])
    dee = f"{new_slug()}@example.com"
    return Scene(ada, bo, cy, place, dee, invite(context, ada, place, dee))


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[Permissions], None]:
    """From now on whoever acts may do at most so much, as the row of what they act by will say once there is one."""
    loads = principal.load_by_session

    def to(at_most: Mapping[str, frozenset[str]]) -> None:
        def limited(context: Context, given: PersonBySession, *beside: Any) -> tuple[Any, list[Loaded[Any] | None]]:
            loaded, others = loads(context, given, *beside)
            return replace(loaded, at_most=at_most), others

        monkeypatch.setattr(principal, "load_by_session", limited)

    return to


def length(database: Database) -> Any:
    return database.value("SELECT count(*) FROM events")


@pytest.mark.parametrize(("act", "_", "lacking", "refusal"), TAKES, ids=IDS)
def test_who_acts_by_something_without_a_right_is_refused_though_their_role_has_it(
    context: Context,
    scene: Scene,
    limit: Callable[[Permissions], None],
    module_database: Database,
    act: Act,
    _: Permissions,
    lacking: tuple[str, str],
    refusal: type[Refusal],
) -> None:
    before = length(module_database)
    limit(without(OWNER, *lacking))
    with pytest.raises(refusal):
        act(context, scene)
    assert length(module_database) == before


@pytest.mark.parametrize(("act", "least", "_", "__"), TAKES, ids=IDS)
def test_who_acts_by_something_with_the_least_that_it_takes_does_it(
    context: Context,
    scene: Scene,
    limit: Callable[[Permissions], None],
    module_database: Database,
    act: Act,
    least: Permissions,
    _: tuple[str, str],
    __: type[Refusal],
) -> None:
    before = length(module_database)
    limit(least)
    act(context, scene)
    assert length(module_database) > before


def test_what_somebody_acts_by_gives_no_right_that_their_role_has_not(
    context: Context, scene: Scene, limit: Callable[[Permissions], None]
) -> None:
    limit(OWNER)
    with pytest.raises(MayNotInvite):
        invite(context, scene.cy, scene.place, f"{new_slug()}@example.com")


def test_whoever_resends_must_hold_by_what_they_act_the_role_as_it_was_sent(
    context: Context, scene: Scene, limit: Callable[[Permissions], None]
) -> None:
    as_admin = replace(scene, dee=f"{new_slug()}@example.com")
    invite(context, scene.ada, scene.place, as_admin.dee, role="admin")
    limit(INVITING_MEMBERS)
    with pytest.raises(MayNotInviteAs):
        resends(context, as_admin)
    limit(ADMIN)
    resends(context, as_admin)


def test_a_session_limits_nobody(context: Context, scene: Scene) -> None:
    loaded, _ = load_principal(context, scene.ada.acts(at=now()))
    assert loaded.at_most is None
