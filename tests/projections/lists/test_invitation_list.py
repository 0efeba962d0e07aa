"""invitation_list: what became of each, who has a place, and how one is found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.commands.queries import invitation_pending
from domain.ids import new_id
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
)
from domain.organization import OrganizationClosed
from domain.refusals import AlreadyInvited
from domain.store import Addition, Store
from domain.store.conflicts import StreamMovedOn
from domain.user import SignedUp
from projections.lists.invitation_list import (
    InvitationLookups,
    invitation,
    invitation_with_id,
    invitations_of,
    invitations_to,
)
from tests.databases import Database
from tests.domain.store.entries import by_ada, founded
from tests.people import ADA, BO, NOON

ACME = UUID("01890000-0000-7000-8000-00000000ac3e")
WEEK = timedelta(days=7)
A_MOMENT = timedelta(milliseconds=1)
DEE, EVE = b"hash of dee's address", b"hash of eve's address"
ENDS: dict[str, Any] = {
    "accepted": InvitationAccepted(user_id=BO, membership_id=BO),
    "rejected": InvitationRejected(user_id=BO),
    "canceled": InvitationCanceled(),
    "expired": InvitationExpired(),
}


@dataclass
class Invitations:
    """Those of an organization, told one event after the other."""

    store: Store
    versions: dict[UUID, int] = field(default_factory=dict)

    def sent(self, to: bytes = DEE, *, at: datetime = NOON, place: int | None = None, role: str = "member") -> UUID:
        """One is sent."""
        invitation_id = new_id()
        recipient = self.store.new_subject(invitation_id)
        sent = InvitationSent(
            organization_id=ACME,
            email="dee@example.com" if to == DEE else "eve@example.com",
            email_hash=to,
            role=role,
            inviter_id=ADA,
            link_hash=invitation_id.bytes,
            expires_at=at + WEEK,
            place=place,
        )
        addition = Addition(invitation_id, 0, [sent], recipient)
        self.store.append(by_ada(at=at), self.store.subject(ADA), addition)
        self.versions[invitation_id] = 1
        return invitation_id

    def then(self, invitation_id: UUID, event: Any, *, at: datetime = NOON) -> None:
        """What happens next to one."""
        addition = Addition(invitation_id, self.versions[invitation_id], [event])
        self.store.append(by_ada(at=at), self.store.subject(ADA), addition)
        self.versions[invitation_id] += 1

    def pending(self, organization_id: UUID) -> UUID | None:
        """Which holds Dee's place in an organization."""
        [found] = self.store.find(invitation_pending(organization_id, DEE))
        return None if found is None else found.stream_id

    def statuses(self) -> list[tuple[UUID, str]]:
        """What became of all of them, oldest first."""
        rows = invitations_of(self.store.statements, ACME, limit=None, offset=0)
        return [(row.invitation_id, row.status) for row in rows]


@pytest.fixture
def invitations(store: Store) -> Invitations:
    """None, of an organization of Ada's."""
    subject = store.new_subject(ADA)
    signed_up = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=ADA.bytes, password_version=1)
    store.append(
        by_ada(), subject, Addition(ADA, 0, [signed_up], subject), Addition(ACME, 0, [founded("acme")], subject)
    )
    return Invitations(store)


def test_one_is_found_by_its_link_and_comes_with_its_organization(invitations: Invitations) -> None:
    sent, read = invitations.sent(role="admin"), invitations.store.statements
    row = invitation(read, sent.bytes)
    assert row is not None
    assert row == invitation_with_id(read, sent)
    assert (row.invitation_id, row.organization_id, row.email, row.role) == (sent, ACME, "dee@example.com", "admin")
    assert (row.status, row.inviter_id, row.created_at, row.expires_at) == ("pending", ADA, NOON, NOON + WEEK)
    assert (row.organization_name, row.organization_slug, row.organization_open) == (
        "Ada's Organization", "acme", True
    )  # fmt: skip
    assert row.inviter_email == "ada@example.com"
    assert invitation(read, b"") is None


def test_resending_moves_its_end_and_who_stands_for_it(invitations: Invitations) -> None:
    sent, later = invitations.sent(), NOON + timedelta(days=1)
    before = invitation_with_id(invitations.store.statements, sent)
    invitations.then(sent, InvitationResent(inviter_id=BO, expires_at=later + WEEK), at=later)
    assert before is not None
    assert invitation_with_id(invitations.store.statements, sent) == before._replace(
        inviter_id=BO, expires_at=later + WEEK, inviter_email=None
    )


@pytest.mark.parametrize("status", ENDS)
def test_an_ended_one_is_listed_with_its_end_and_holds_no_place(invitations: Invitations, status: str) -> None:
    read, sent = invitations.store.statements, invitations.sent(place=1)
    assert (invitations.pending(ACME), InvitationLookups(read).free_invitation_seats(ACME, limit=1)) == (sent, [])
    invitations.then(sent, ENDS[status])
    assert invitations.statuses() == [(sent, status)]
    assert (invitations.pending(ACME), InvitationLookups(read).free_invitation_seats(ACME, limit=1)) == (None, [1])
    again = invitations.sent(at=NOON + A_MOMENT, place=1)
    assert invitations.statuses() == [(sent, status), (again, "pending")]
    assert invitations.pending(ACME) == again


def test_an_address_has_one_pending_in_an_organization(invitations: Invitations) -> None:
    first, other = invitations.sent(DEE), invitations.sent(EVE, at=NOON + A_MOMENT)
    with pytest.raises(AlreadyInvited):
        invitations.sent(DEE)
    assert invitations.statuses() == [(first, "pending"), (other, "pending")]
    assert invitations.pending(new_id()) is None


def test_places_are_free_up_to_the_limit(invitations: Invitations) -> None:
    def free(limit: int) -> list[int]:
        return InvitationLookups(invitations.store.statements).free_invitation_seats(ACME, limit=limit)

    assert free(3) == [1, 2, 3]
    invitations.sent(DEE, place=2)
    assert (free(3), free(1)) == ([1, 3], [1])
    invitations.sent(EVE)
    assert (free(3), free(2), free(1)) == ([1], [1], [])


def test_the_same_place_is_not_taken_twice(invitations: Invitations) -> None:
    first = invitations.sent(DEE, place=1)
    with pytest.raises(StreamMovedOn):
        invitations.sent(EVE, place=1)
    assert invitations.statuses() == [(first, "pending")]


def test_those_that_ran_out_are_named_oldest_first(invitations: Invitations) -> None:
    ran_out = partial(InvitationLookups(invitations.store.statements).run_out_invitations, organization_id=ACME)
    later = invitations.sent(DEE, at=NOON + A_MOMENT)
    first = invitations.sent(EVE)
    assert ran_out(now=NOON + WEEK - A_MOMENT) == []
    assert ran_out(now=NOON + WEEK) == [first]
    assert ran_out(now=NOON + WEEK + A_MOMENT) == [
        first,
        later,
    ]
    assert ran_out(now=NOON + WEEK + A_MOMENT, limit=1) == [first]
    invitations.then(first, InvitationExpired())
    assert ran_out(now=NOON + WEEK + A_MOMENT) == [later]


def test_ones_own_are_those_nobody_ended_into_open_organizations(invitations: Invitations) -> None:
    read, own = invitations.store.statements, list[UUID]()
    for number, end in enumerate(ENDS.values()):
        own.append(invitations.sent(at=NOON + number * A_MOMENT))
        invitations.then(own[-1], end)
    own.append(invitations.sent(at=NOON + 4 * A_MOMENT))
    invitations.sent(EVE)
    assert [row.invitation_id for row in invitations_to(read, DEE)] == [own[3], own[4]]
    invitations.store.append(by_ada(), invitations.store.subject(ADA), Addition(ACME, 1, [OrganizationClosed()]))
    assert invitations_to(read, DEE) == []
    row = invitation(read, own[4].bytes)
    assert row is not None
    assert not row.organization_open


def test_pages_of_the_list_follow_each_other(invitations: Invitations) -> None:
    sent = [invitations.sent(f"{number}".encode(), at=NOON + number * A_MOMENT) for number in range(5)]
    read = invitations.store.statements
    for limit in (1, 2, 5):
        pages = [invitations_of(read, ACME, limit=limit, offset=offset) for offset in range(0, 5, limit)]
        assert [row.invitation_id for page in pages for row in page] == sent


def test_of_an_erased_recipient_the_rest_is_known(invitations: Invitations, database: Database) -> None:
    sent = invitations.sent()
    database.rows("UPDATE invitation_list SET email = NULL")
    row = invitation_with_id(invitations.store.statements, sent)
    assert row is not None
    assert (row.email, row.status, row.role) == (None, "pending", "member")
