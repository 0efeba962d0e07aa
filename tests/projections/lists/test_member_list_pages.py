"""member_list: who is listed, where somebody stands, and which seats are free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands.queries import membership_of, the_organization
from domain.ids import new_id
from domain.membership import Joining, MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
from domain.organization import OrganizationClosed
from domain.store import Addition, Store
from domain.store.conflicts import StreamMovedOn
from domain.user import SignedUp
from projections.lists.member_list import MemberLookups, live_role, member
from projections.lists.member_search import Filter, Order, members_of
from tests.databases import Database
from tests.domain.store.entries import by_ada, by_the_system, founded
from tests.people import ADA, BO, CY, NOON

ACME = UUID("01890000-0000-7000-8000-00000000ac3e")
NAMES = {ADA: "Ada Lovelace", BO: "Bo", CY: "Cy"}
ENDS = [MemberLeft(), MemberRemoved()]


@dataclass
class Acme:
    """An organization, told one event after the other."""

    store: Store
    versions: dict[UUID, int] = field(default_factory=lambda: {ACME: 1})

    def joins(self, user_id: UUID, role: str = "member", *, hours: int = 0, seat: int | None = None) -> UUID:
        """Somebody becomes a member."""
        joining = MemberJoined(organization_id=ACME, user_id=user_id, role=role, joining=Joining.INVITED)
        membership_id = new_id()
        self.tell(membership_id, joining, *([] if seat is None else [SeatTaken(seat=seat)]), hours=hours)
        return membership_id

    def tell(self, stream_id: UUID, *events: Any, hours: int = 0) -> None:
        """What happens next in a stream."""
        version = self.versions.get(stream_id, 0)
        command = by_the_system(NOON + timedelta(hours=hours))
        self.store.append(command, None, Addition(stream_id, version, list(events)))
        self.versions[stream_id] = version + len(events)

    def listed(self, **asked: Any) -> list[UUID]:
        """Who is on the list."""
        return [row.user_id for row in members_of(self.store.statements, ACME, **asked)[0]]


@pytest.fixture
def acme(store: Store) -> Acme:
    """Nobody belongs to it; Ada, Bo and Cy have accounts."""
    for user_id, name in NAMES.items():
        subject = store.new_subject(user_id)
        email = f"{name.partition(' ')[0].lower()}@example.com"
        signed_up = SignedUp(email=email, name=name, image=None, email_hash=user_id.bytes, password_version=1)
        store.append(by_ada(), subject, Addition(user_id, 0, [signed_up], subject))
    subject = store.subject(ADA)
    store.append(by_ada(), subject, Addition(ACME, 0, [founded("acme")], subject))
    return Acme(store)


def test_a_member_is_listed_from_joining_to_going(acme: Acme) -> None:
    membership_id = acme.joins(BO, "admin,member", hours=1)
    [row] = members_of(acme.store.statements, ACME)[0]
    assert (row.membership_id, row.organization_id, row.user_id, row.role) == (membership_id, ACME, BO, "admin,member")
    assert (row.joined_at, row.name, row.email, row.image) == (NOON + timedelta(hours=1), "Bo", "bo@example.com", None)
    acme.tell(membership_id, MemberRoleChanged(before="admin,member", role="owner"))
    assert live_role(acme.store.statements, ACME, BO) == "owner"
    acme.tell(membership_id, MemberLeft())
    assert acme.listed() == []


def where_stands(acme: Acme, user_id: UUID) -> UUID | None:
    """The membership by which somebody belongs to it."""
    [found] = acme.store.find(membership_of(user_id, ACME))
    return None if found is None else found.stream_id


@pytest.mark.parametrize("end", ENDS)
def test_who_has_gone_stands_nowhere_but_is_still_known(acme: Acme, end: Any) -> None:
    read, membership_id = acme.store.statements, acme.joins(BO)
    assert where_stands(acme, BO) == membership_id
    assert MemberLookups(read).member_with_email(ACME, BO.bytes) == membership_id
    acme.tell(membership_id, end)
    assert where_stands(acme, BO) is None
    assert MemberLookups(read).member_with_email(ACME, BO.bytes) is None
    assert live_role(read, ACME, BO) is None
    gone = member(read, membership_id)
    assert gone is not None
    assert (gone.user_id, gone.role) == (BO, "member")
    again = acme.joins(BO, hours=1)
    assert where_stands(acme, BO) == again != membership_id


def test_nobody_stands_in_a_closed_organization(acme: Acme) -> None:
    read = acme.store.statements
    acme.joins(BO)
    acme.tell(ACME, OrganizationClosed())
    [organization, membership] = acme.store.find(the_organization(ACME), membership_of(BO, ACME))
    assert organization is not None
    assert (organization.state.closed, membership is None) == (True, False)
    assert live_role(read, ACME, BO) is None


def test_seats_are_free_up_to_the_limit(acme: Acme) -> None:
    def free(limit: int) -> list[int]:
        return MemberLookups(acme.store.statements).free_seats(ACME, limit=limit)

    assert (free(3), free(1)) == ([1, 2, 3], [1])
    acme.joins(ADA, "owner")
    second = acme.joins(BO, seat=2)
    assert (free(3), free(2), free(1)) == ([1], [1], [])
    acme.joins(CY, seat=1)
    assert (free(3), free(4)) == ([], [3])
    acme.tell(second, MemberRemoved())
    assert free(3) == [2]


def test_the_same_seat_is_not_taken_twice(acme: Acme) -> None:
    acme.joins(ADA, seat=1)
    before = MemberLookups(acme.store.statements).free_seats(ACME, limit=3)
    with pytest.raises(StreamMovedOn):
        acme.joins(BO, seat=1)
    assert MemberLookups(acme.store.statements).free_seats(ACME, limit=3) == before == [2, 3]
    assert acme.listed() == [ADA]


def test_those_of_one_moment_are_in_the_same_order_on_every_page(acme: Acme) -> None:
    memberships = {acme.joins(user_id): user_id for user_id in (ADA, BO, CY)}
    order = [memberships[membership_id] for membership_id in sorted(memberships)]
    for by in ("createdAt", "role", "organizationId", "id"):
        ordered, turned = Order(field=by), Order(field=by, descending=True)
        assert acme.listed(order=ordered) == order
        assert [acme.listed(order=ordered, limit=1, offset=place) for place in range(3)] == [[one] for one in order]
        assert acme.listed(order=turned) == order[::-1]


@pytest.mark.parametrize(
    ("asked", "listed", "total"),
    [
        ({}, [ADA, BO, CY], 3),
        ({"limit": 2}, [ADA, BO], 3),
        ({"limit": 2, "offset": 2}, [CY], 3),
        ({"offset": 5}, [], 3),
        ({"search": "ada"}, [ADA], 1),
        ({"search": "love", "limit": 1, "offset": 1}, [], 1),
        ({"filtered": Filter(field="role", operator="ne", value="owner"), "limit": 1}, [BO], 2),
        ({"filtered": Filter(field="userId", operator="in", value=[ADA, CY]), "search": "c"}, [CY], 1),
    ],
)
def test_a_page_comes_with_the_number_of_all(acme: Acme, asked: dict[str, Any], listed: list[UUID], total: int) -> None:
    for hour, (user_id, role) in enumerate(((ADA, "owner"), (BO, "admin"), (CY, "member"))):
        acme.joins(user_id, role, hours=hour)
    rows, number = members_of(acme.store.statements, ACME, **asked)
    assert ([row.user_id for row in rows], number) == (listed, total)


@pytest.mark.parametrize("forget", [lambda row: row.name, lambda row: row.email, lambda row: row.image])
def test_of_an_erased_person_only_the_place_is_known(
    acme: Acme, database: Database, forget: Callable[[Any], object]
) -> None:
    acme.joins(BO)
    database.rows("UPDATE account_list SET name = NULL, email = NULL, image = NULL WHERE user_id = %s", BO)
    [row] = members_of(acme.store.statements, ACME)[0]
    assert (row.user_id, forget(row)) == (BO, None)
    assert acme.listed(search="bo") == []
