"""Races for what organizations have but once: a slug, a seat, a place; and of a tab that turns to one just left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context, Rules
from domain.commands.membership import leave, remove_member
from domain.commands.organization import (
    choose_organization,
    close_organization,
    found_organization,
    update_organization,
)
from domain.refusals import (
    Conflict,
    InvitationLimitReached,
    InvitationNotFound,
    MemberLimitReached,
    MemberNotFound,
    NewSlugTaken,
    NotAMember,
    SlugTaken,
)
from tests.databases import Database
from tests.faults.organizations.facts import Organizations
from tests.faults.organizations.races import (
    LIMIT,
    ROUNDS,
    SIDES,
    Person,
    Place,
    Races,
    bound,
    founded,
    invite,
    new_slug,
    people,
)
from tests.session_lists import sessions_of

Ending = Callable[[Context, Place, Person, Person], object]
"""How a membership ends: by the owner, or by the member."""


def found(context: Context, founder: Person, slug: str) -> None:
    found_organization(context, founder.acts(), name="Races", slug=slug, logo=None, metadata=None, turning=True)


def take_slug(context: Context, owner: Person, place: Place, slug: str) -> None:
    changes = {"slug": slug, "name": "Another"}
    assert update_organization(context, owner.acts(), organization_id=place.organization_id, changes=changes)


def removed(context: Context, place: Place, owner: Person, member: Person) -> None:
    membership_id = place.memberships[member]
    remove_member(context, owner.acts(), organization_id=place.organization_id, membership_id=membership_id)


def left(context: Context, place: Place, owner: Person, member: Person) -> None:
    leave(context, member.acts(tab=1), organization_id=place.organization_id)


def closed(context: Context, place: Place, owner: Person, member: Person) -> None:
    close_organization(context, owner.acts(), organization_id=place.organization_id)


ENDINGS: dict[str, Ending] = {"removed": removed, "left": left, "closed": closed}


def test_of_organizations_that_want_one_slug_at_once_one_has_it(
    races: Races, database: Database, book: Organizations
) -> None:
    owners = people(races.nodes[0], SIDES)
    places = [founded(races.nodes[0], owner) for owner in owners[:4]]
    for _ in range(ROUNDS):
        slug = new_slug()
        updates = [bound(take_slug, owner, place, slug) for owner, place in zip(owners, places, strict=False)]
        founds = [bound(found, owner, slug) for owner in owners[4:]]
        told = races.run([*updates, *founds])
        assert told.count(None) == 1
        assert set(told[:4]) <= {None, NewSlugTaken}
        assert set(told[4:]) <= {None, SlugTaken}
        assert database.value("SELECT count(*) FROM organization_list WHERE slug = %s AND ended_at IS NULL", slug) == 1


def test_two_organizations_that_swap_their_slugs_at_once_do_not_wait_for_each_other(
    races: Races, book: Organizations
) -> None:
    owners = people(races.nodes[0], 2)
    for _ in range(ROUNDS):
        places, slugs = [founded(races.nodes[0], owner) for owner in owners], [new_slug(), new_slug()]
        for owner, place, slug in zip(owners, places, slugs, strict=True):
            take_slug(races.nodes[0], owner, place, slug)
        swaps = [
            bound(take_slug, owner, place, slug)
            for owner, place, slug in zip(owners, places, reversed(slugs), strict=True)
        ]
        assert set(races.run(swaps * 4)) <= {None, NewSlugTaken, Conflict}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_tab_that_turns_to_an_organization_just_left_is_not_in_it(
    races: Races, database: Database, book: Organizations, ending: str
) -> None:
    owner, member = people(races.nodes[0], 2)
    end = ENDINGS[ending]
    for _ in range(ROUNDS):
        place = founded(races.nodes[0], owner, member=[member])
        turns = [
            bound(choose_organization, member.acts(tab=tab), organization_id=place.organization_id)
            for tab in (0, 1, 0, 1)
        ]
        told = races.run(turns, late=[bound(end, place, owner, member)] * len(turns))
        assert set(told[: len(turns)]) <= {None, NotAMember, Conflict}
        ended = told[len(turns) :]
        assert ended.count(None) == 1
        assert set(ended) <= {None, NotAMember, MemberNotFound, Conflict}
        shown = {
            row.active_organization_id
            for node in races.nodes
            for row in sessions_of(
                node.store.statements,
                member.user_id,
                first=member.tabs[0],
                now=member.acts().at,
                started_after=None,
                limit=None,
                offset=0,
            )
        }
        assert place.organization_id not in shown


def test_a_limit_of_members_is_never_exceeded(limited: Races, database: Database, book: Organizations) -> None:
    owner, *others = people(limited.nodes[0], 9)
    first, others = others[0], others[1:]
    unlimited, book.members = replace(limited.nodes[0], rules=Rules()), LIMIT
    for _ in range(ROUNDS):
        place = founded(unlimited, owner, member=[first])
        links = [invite(unlimited, owner, place, other.email) for other in others]
        accepts = [
            bound(received_invitation.accept, other.acts(), link=link)
            for other, link in zip(others, links, strict=True)
        ]
        leaves = bound(leave, first.acts(), organization_id=place.organization_id)
        told = limited.run([*accepts, leaves])
        assert set(told[:-1]) <= {None, MemberLimitReached, Conflict}
        assert told[-1] is None
        assert None in told[:-1]
        have = database.value(
            "SELECT count(*) FROM member_list WHERE organization_id = %s AND live_user_id IS NOT NULL",
            place.organization_id,
        )
        assert have == 1 + told[:-1].count(None) <= LIMIT


def test_a_limit_of_pending_invitations_is_never_exceeded(
    limited: Races, database: Database, book: Organizations
) -> None:
    owner, admin, invited = people(limited.nodes[0], 3)
    book.pending = LIMIT
    for number in range(ROUNDS):
        place = founded(replace(limited.nodes[0], rules=Rules()), owner, admin=[admin])
        link = invite(limited.nodes[0], owner, place, invited.email)
        sends = [
            bound(invite, who, place, f"limited{number}.{side}@example.com")
            for side, who in enumerate([owner, admin] * ((SIDES - 2) // 2))
        ]
        frees = [
            bound(invitations.cancel, admin.acts(), link=link),
            bound(received_invitation.reject, invited.acts(), link=link),
        ]
        told = limited.run([*sends, *frees])
        assert set(told[:-2]) <= {None, InvitationLimitReached, Conflict}
        assert set(told[-2:]) <= {None, InvitationNotFound, Conflict}
        assert None in told[-2:]
        have = database.value(
            "SELECT count(*) FROM invitation_list WHERE organization_id = %s AND status = 'pending'",
            place.organization_id,
        )
        assert have == told[:-2].count(None) <= LIMIT
