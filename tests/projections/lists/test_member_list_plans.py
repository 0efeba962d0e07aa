"""What is asked of the lists of organizations costs what is shown, however many people and organizations there are.

Twenty thousand people: ten thousand in one organization, a hundred in another, the rest in one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.store.connections import Statements, Values
from projections.lists.full_organization import FULL_ORGANIZATIONS, full_organization
from projections.lists.invitation_list import InvitationLookups, invitation, invitations_of, invitations_to
from projections.lists.member_list import MemberLookups, live_role
from projections.lists.member_search import Order, members_of
from projections.lists.organization_list import organization_by_slug, organizations_of
from tests.databases import Database
from tests.projections.plans import Overheard, overheard, require_little

_ID = "lpad(to_hex({}), 32, '0')::uuid"
BIG, SMALL, ONE = UUID(int=1), UUID(int=2), UUID(int=15_000)
SOMEBODY = UUID(int=10_050)
"""A member of the small one."""
FEW = 450
"""Rows: a hundred members, each read with their account, and as much again for the ways to them."""

_FILL = (
    f"""
    INSERT INTO account_list (user_id, version, email, email_hash, email_slot, name, created_at, updated_at)
    SELECT {_ID.format("n")}, 1, 'person' || n || '@example.com', sha256(n::text::bytea), sha256(n::text::bytea),
           'Given' || mod(n, 500) || ' Family' || n, now(), now() FROM generate_series(1, 20000) n
    """,
    f"""
    INSERT INTO subject_keys (subject_id, wrapped) SELECT {_ID.format("n")}, '' FROM generate_series(1, 20000) n
    """,
    f"""
    INSERT INTO organization_list (organization_id, version, slug, slug_slot, created_at)
    SELECT {_ID.format("n")}, 1, n::text, n::text::bytea, now() FROM generate_series(1, 20000) n
    """,
    f"""
    INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
    SELECT {_ID.format("n")}, 1,
           {_ID.format("CASE WHEN n <= 10000 THEN 1 WHEN n <= 10100 THEN 2 ELSE n END")},
           {_ID.format("n")}, {_ID.format("n")}, CASE WHEN n > 10100 OR mod(n, 100) = 0 THEN 'owner' ELSE 'member' END,
           timestamptz '2026-03-14 12:00Z' + n * interval '1 second' FROM generate_series(1, 20000) n
    """,
    f"""
    INSERT INTO invitation_list (invitation_id, version, organization_id, email_hash, pending_slot, role, status,
                                 inviter_id, link_hash, created_at, expires_at)
    SELECT {_ID.format("n")}, 1, {_ID.format("CASE WHEN n <= 50 THEN 2 ELSE n END")}, sha256(n::text::bytea),
           sha256(n::text::bytea), 'member', 'pending', {_ID.format("1")}, sha256(n::text::bytea), now(), now()
      FROM generate_series(1, 20000) n
    """,
    "ANALYZE account_list, member_list, organization_list, subject_keys, invitation_list",
)

Question = Callable[[Statements], Any]


def hash_of(read: Statements, number: int) -> bytes:
    return bytes(read.rows("SELECT sha256($1::text::bytea)", str(number))[0][0])


def listed(organization_id: UUID, **asked: Any) -> Question:
    return lambda read: len(members_of(read, organization_id, **asked)[0])


QUESTIONS: dict[str, tuple[Question, Any]] = {
    "the small one's list": (listed(SMALL), 100),
    "a search in it": (listed(SMALL, search="given50"), 1),
    "a search in it for nobody": (listed(SMALL, search="nobody"), 0),
    "one's role": (lambda read: live_role(read, BIG, UUID(int=5_000)), "owner"),
    "what one belongs to": (lambda read: len(organizations_of(read, SOMEBODY)), 1),
    "where one starts": (lambda read: MemberLookups(read).organization_to_start_in(SOMEBODY), SMALL),
    "a slug": (lambda read: organization_by_slug(read, [b"15000", b"none"]), ONE),
    "both as members see them": (
        lambda read: len(
            read.rows(FULL_ORGANIZATIONS, [BIG, SMALL], [UUID(int=5_000), SOMEBODY], [True, True], binary=True)
        ),
        2,
    ),
    "all of the small one": (lambda read: len(getattr(full_organization(read, SMALL, SOMEBODY, most_members=None),
                                                      "members", [])), 100),
    "the small one's invitations": (lambda read: len(invitations_of(read, SMALL, limit=None, offset=0)), 50),
    "its free places": (lambda read: len(InvitationLookups(read).free_invitation_seats(SMALL, limit=60)), 10),
}  # fmt: skip
PAGES: dict[str, Question] = {
    "in the order of joining": listed(BIG, limit=10, offset=20),
    "from the last one on": listed(BIG, limit=10, order=Order(descending=True)),
    "by role": listed(BIG, limit=10, order=Order(field="role")),
}
OF_ADDRESSES: dict[str, tuple[Callable[[Statements, bytes], Any], Any]] = {
    "who in the small one has it": (lambda read, email: MemberLookups(read).member_with_email(SMALL, email), SOMEBODY),
    "what it was invited to": (lambda read, email: len(invitations_to(read, email)), 1),
    "whose link it is": (lambda read, link: getattr(invitation(read, link), "invitation_id", None), SOMEBODY),
}
MODES = ["force_generic_plan", "force_custom_plan"]


@pytest.fixture(scope="module")
def read(module_database: Database) -> Iterator[Overheard]:
    with overheard(module_database, _FILL) as read:
        yield read


def reads_little(explaining: psycopg.Connection[Values], read: Overheard, mode: str) -> None:
    for text, values in read.heard:
        require_little(explaining, text, values, mode, few=FEW)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("mode", MODES)
def test_among_twenty_thousand_no_query_reads_much_more_than_what_is_shown(
    read: Overheard, explaining: psycopg.Connection[Values], question: str, mode: str
) -> None:
    read.heard.clear()
    ask, expected = QUESTIONS[question]
    assert ask(read) == expected
    reads_little(explaining, read, mode)


@pytest.mark.parametrize("question", OF_ADDRESSES)
@pytest.mark.parametrize("mode", MODES)
def test_of_an_address_no_query_reads_more_than_a_few_rows(
    read: Overheard, explaining: psycopg.Connection[Values], question: str, mode: str
) -> None:
    email_hash = hash_of(read, SOMEBODY.int)
    read.heard.clear()
    ask, expected = OF_ADDRESSES[question]
    assert ask(read, email_hash) == expected
    reads_little(explaining, read, mode)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("mode", MODES)
def test_of_ten_thousand_members_a_page_reads_a_page(
    read: Overheard, explaining: psycopg.Connection[Values], page: str, mode: str
) -> None:
    """Their number is counted beside it, in the index alone."""
    read.heard.clear()
    assert PAGES[page](read) == 10
    [(text, values)] = [heard for heard in read.heard if "LIMIT" in heard[0]]
    require_little(explaining, text, values, mode, few=60)


def test_a_whole_list_is_whole(read: Overheard) -> None:
    members, total = members_of(read, BIG)
    assert (len(members), total) == (10_000, 10_000)
    full = full_organization(read, BIG, UUID(int=1), most_members=None)
    assert full is not None
    assert [row.user_id.int for row in full.members] == list(range(1, 10_001))
