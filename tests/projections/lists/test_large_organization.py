"""What happens in an organization costs the same however many belong to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from domain.commands import received_invitation
from domain.commands.acting_member import member_context
from domain.commands.context import Context
from domain.commands.membership import change_role, leave, remove_member, transfer_ownership
from domain.commands.organization import close_organization, update_organization
from domain.roles import Role
from tests.databases import Database
from tests.faults.organizations.races import Place, invite
from tests.lived import context_over
from tests.projections.lists.large import MEMBERS, SMALL, World, built

CHANGED = 6
"""Rows: versions of those that commands have changed before."""
_PATIENCE = 10.0
"""Seconds until the database has counted what closed connections did."""

_COUNTED = """
SELECT relname, seq_tup_read, idx_tup_fetch, n_tup_ins, n_tup_upd FROM pg_stat_user_tables
 WHERE schemaname = 'daybook' ORDER BY relname
"""


class Cost(NamedTuple):
    """How often a connection was asked for, and what each table was read and written, in rows."""

    statements: int
    rows: dict[str, tuple[int, ...]]


def cost_of(database: Database, act: Callable[[Context], object]) -> Cost:
    """What a command costs, by what the database counted once its connections are closed."""
    before = counted(database)
    with context_over(database) as context:
        connected = counted_requests(context)
        act(context)
        statements = counted_requests(context) - connected
    after = counted(database)
    return Cost(statements, {table: tuple(map(int.__sub__, after[table], before[table])) for table in after})


def counted(database: Database) -> dict[str, tuple[int, ...]]:
    """Rows read and written so far, by table; nobody is counting any more."""
    deadline = time.monotonic() + _PATIENCE
    connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'daybook'"
    while database.value(connected):
        assert time.monotonic() < deadline, "somebody is still connected"
        time.sleep(0.01)
    # what the owner asked before is counted before, too
    database.rows("SELECT pg_stat_force_next_flush()")
    return {table: tuple(counts) for table, *counts in database.rows(_COUNTED)}


def counted_requests(context: Context) -> int:
    """How often a connection was asked for: each statement is one."""
    return context.store.pool.get_stats().get("requests_num", 0)


def promoted(context: Context, world: World, place: Place) -> None:
    membership_id = place.memberships[world.member]
    assert change_role(
        context,
        world.admin.acts(),
        organization_id=place.organization_id,
        membership_id=membership_id,
        roles=(Role.ADMIN,),
    )


def removed(context: Context, world: World, place: Place) -> None:
    membership_id = place.memberships[world.member]
    remove_member(context, world.admin.acts(), organization_id=place.organization_id, membership_id=membership_id)


def invited(context: Context, world: World, place: Place) -> None:
    invite(context, world.owner, place, world.outsider.email)


def accepted(context: Context, world: World, place: Place) -> None:
    [[invitation_id]] = context.store.statements.rows(
        "SELECT invitation_id FROM invitation_list WHERE organization_id = $1 AND status = 'pending'",
        place.organization_id,
    )
    tab = int(place is world.large)
    received_invitation.accept(
        context, world.outsider.acts(tab=tab), link=context.keyring.invitation_link(invitation_id)
    )


def renamed(context: Context, world: World, place: Place) -> None:
    changes = {"name": "Another", "slug": f"another-{place.organization_id.hex}"}
    assert update_organization(context, world.admin.acts(), organization_id=place.organization_id, changes=changes)


def transferred(context: Context, world: World, place: Place) -> None:
    membership_id = place.memberships[world.admin]
    transfer_ownership(context, world.owner.acts(), organization_id=place.organization_id, membership_id=membership_id)


def left(context: Context, world: World, place: Place) -> None:
    leave(context, world.owner.acts(), organization_id=place.organization_id)


def closed(context: Context, world: World, place: Place) -> None:
    close_organization(context, world.admin.acts(), organization_id=place.organization_id)


STORY = (promoted, removed, invited, accepted, renamed, transferred, left, closed)
"""In this order, since each goes on from where the one before ended."""


def require_same(small: Cost, large: Cost) -> None:
    """As many statements and rows written, and but for what an index still says of rows that have changed as many
    read."""
    assert large.statements == small.statements
    for table, (scanned, fetched, *written) in large.rows.items():
        scanned_of_small, fetched_of_small, *written_of_small = small.rows[table]
        assert written == written_of_small, table
        assert abs(scanned + fetched - scanned_of_small - fetched_of_small) <= CHANGED, table


def test_what_is_done_in_an_organization_costs_the_same_however_many_belong_to_it(
    module_database: Database,
) -> None:
    world = built(module_database)
    sizes = "SELECT count(*) FROM member_list WHERE organization_id = %s AND live_user_id IS NOT NULL"
    assert module_database.value(sizes, world.large.organization_id) == MEMBERS
    assert module_database.value(sizes, world.small.organization_id) == SMALL
    # what is read once by each process
    cost_of(module_database, lambda context: member_context(context, world.small.organization_id, world.owner.user_id))
    for act in STORY:
        costs = [
            cost_of(module_database, partial(act, world=world, place=place)) for place in (world.small, world.large)
        ]
        print(act.__name__, costs[1].statements, {table: rows for table, rows in costs[1].rows.items() if any(rows)})
        require_same(*costs)
