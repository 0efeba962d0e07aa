"""Races for an invitation: of whatever becomes of it one thing does, and a place in the organization only by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.clock import now
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context
from domain.commands.membership import change_role, leave, remove_member
from domain.commands.organization import close_organization
from domain.commands.user import sign_up
from domain.refusals import (
    AlreadyInvited,
    AlreadyMember,
    Conflict,
    EmailTaken,
    InvitationNotFound,
    InviterGone,
    NotTheRecipient,
)
from domain.roles import Role
from tests.databases import Database
from tests.faults.organizations.facts import Organizations
from tests.faults.organizations.races import ROUNDS, SIDES, Person, Place, Races, bound, founded, invite, people
from tests.faults.owners import HERE
from tests.people import PASSWORD

WEEK = timedelta(days=7)

Ending = Callable[[Context, Place, str, Person, Person, Person], object]
"""What ends an invitation or the right to it: in an organization the owner or the inviter does it, or who is invited,
to the invitation with this id in its link."""


def cancel(context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person) -> None:
    invitations.cancel(context, owner.acts(), link=link)


def reject(context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person) -> None:
    received_invitation.reject(context, invited.acts(tab=1), link=link)


def invite_after_it_ran_out(
    context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person
) -> None:
    invite(context, owner, place, invited.email, at=now() + WEEK)


def remove_the_inviter(
    context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person
) -> None:
    membership_id = place.memberships[inviter]
    remove_member(context, owner.acts(), organization_id=place.organization_id, membership_id=membership_id)


def demote_the_inviter(
    context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person
) -> None:
    change_role(
        context,
        owner.acts(),
        organization_id=place.organization_id,
        membership_id=place.memberships[inviter],
        roles=(Role.MEMBER,),
    )


def inviter_leaves(context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person) -> None:
    leave(context, inviter.acts(), organization_id=place.organization_id)


def close(context: Context, place: Place, link: str, owner: Person, inviter: Person, invited: Person) -> None:
    close_organization(context, owner.acts(), organization_id=place.organization_id)


def sign_up_by(context: Context, link: str, email: str) -> None:
    sign_up(
        context,
        email=email,
        name="",
        image=None,
        password=PASSWORD,
        remembered=True,
        link=link,
        now=now(),
        where_from=HERE,
    )


ENDINGS: dict[str, Ending] = {
    "canceled": cancel,
    "rejected": reject,
    "expired": invite_after_it_ran_out,
    "inviter removed": remove_the_inviter,
    "inviter demoted": demote_the_inviter,
    "inviter left": inviter_leaves,
    "organization closed": close,
}
STATUSES = {"canceled": {"canceled"}, "rejected": {"rejected"}, "expired": {"expired"}}
"""What an invitation nobody accepted is in the end; pending, if only the right to it ended."""
LOST = {InvitationNotFound, InviterGone, AlreadyMember, Conflict}
"""What who accepts too late is told."""


@pytest.mark.parametrize("resend", [False, True])
def test_of_invitations_to_one_address_at_once_one_is_pending(
    races: Races, database: Database, book: Organizations, *, resend: bool
) -> None:
    owner, *admins = people(races.nodes[0], 4)
    here = founded(races.nodes[0], owner, owner=admins[:1], admin=admins[1:]).organization_id
    for number in range(ROUNDS):
        email = f"Somebody{number}@example.com"
        told = races.run(
            [
                bound(invitations.invite, by.acts(), organization_id=here, email=email, role=role, resend=resend)
                for by in (owner, *admins)
                for role in ("admin", "member")
            ]
        )
        assert set(told) <= {None, AlreadyInvited, Conflict}
        assert told.count(None) == 1 or (resend and None in told)
    sent = database.rows(
        "SELECT count(*), count(DISTINCT pending_slot) FROM invitation_list"
        " WHERE organization_id = %s AND status = 'pending' AND email LIKE 'somebody%%'",
        here,
    )
    assert sent == [(ROUNDS, ROUNDS)]


def test_an_invitation_accepted_in_two_tabs_at_once_is_one_membership(races: Races, book: Organizations) -> None:
    owner, invited = people(races.nodes[0], 2)
    for _ in range(ROUNDS):
        place = founded(races.nodes[0], owner)
        link = invite(races.nodes[0], owner, place, invited.email)
        told = races.run(
            [bound(received_invitation.accept, invited.acts(tab=side % 2), link=link) for side in range(SIDES)]
        )
        assert told.count(None) == 1
        assert set(told) <= {None, *LOST}


@pytest.mark.parametrize("ending", ENDINGS)
def test_who_accepts_joins_while_the_invitation_holds_or_not_at_all(
    races: Races, database: Database, book: Organizations, ending: str
) -> None:
    end = ENDINGS[ending]
    owner, inviter, invited = people(races.nodes[0], 3)
    for _ in range(ROUNDS):
        place = founded(races.nodes[0], owner, admin=[inviter])
        link = invite(races.nodes[0], inviter, place, invited.email)
        accepts = [bound(received_invitation.accept, invited.acts(tab=tab), link=link) for tab in (0, 1, 0, 1)]
        ends = [bound(end, place, link, owner, inviter, invited)] * len(accepts)
        accepted = races.run(accepts, late=ends)[: len(accepts)]
        assert accepted.count(None) <= 1
        assert set(accepted) <= {None, *LOST}
        [[status]] = database.rows(
            "SELECT status FROM invitation_list WHERE link_hash = %s", races.nodes[0].keyring.link_hash(link)
        )
        joined = database.value(
            "SELECT count(*) FROM member_list WHERE organization_id = %s AND live_user_id = %s",
            place.organization_id,
            invited.user_id,
        )
        assert joined == (None in accepted) == (status == "accepted")
        assert status in {"accepted", *STATUSES.get(ending, {"pending"})}
        races.told[f"it is {status}"] += 1


def test_who_has_just_joined_is_not_invited_again(races: Races, database: Database, book: Organizations) -> None:
    owner, invited = people(races.nodes[0], 2)
    for _ in range(ROUNDS):
        place = founded(races.nodes[0], owner)
        link = invite(races.nodes[0], owner, place, invited.email)
        accepts = [bound(received_invitation.accept, invited.acts(tab=tab), link=link) for tab in (0, 1)]
        again = [bound(invite, owner, place, invited.email)] * (SIDES - len(accepts))
        told = races.run(accepts, late=again)
        assert set(told[len(accepts) :]) <= {AlreadyInvited, AlreadyMember, Conflict}
        pending = "SELECT count(*) FROM invitation_list WHERE organization_id = %s AND status = 'pending'"
        assert database.value(pending, place.organization_id) == 0


@pytest.mark.parametrize("same", [True, False])
def test_of_sign_ups_by_one_link_at_once_one_joins(
    races: Races, database: Database, book: Organizations, *, same: bool
) -> None:
    [owner] = people(races.nodes[0], 1)
    place = founded(races.nodes[0], owner)
    for number in range(ROUNDS):
        addresses = [f"new{number}.{0 if same else side // 2}@example.com" for side in range(SIDES)]
        link = invite(races.nodes[0], owner, place, addresses[0])
        told = races.run([bound(sign_up_by, link, email) for email in addresses])
        assert told.count(None) == 1
        invited = told if same else told[:2]
        assert None in invited
        assert set(invited) <= {None, EmailTaken, InvitationNotFound, Conflict}
        assert same or set(told[2:]) <= {NotTheRecipient, InvitationNotFound}
        assert database.value("SELECT count(*) FROM account_list WHERE email = ANY(%s)", addresses) == 1
    members = database.value(
        "SELECT count(*) FROM member_list m JOIN account_list a ON a.user_id = m.live_user_id"
        " WHERE m.organization_id = %s AND a.email LIKE 'new%%'",
        place.organization_id,
    )
    assert members == ROUNDS
