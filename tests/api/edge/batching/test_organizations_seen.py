"""Organizations as members see them, in one query for all who ask meanwhile; unharmed by what is killed and freezes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from api.edge.batching.organizations_seen import OrganizationsSeen
from domain.ids import new_id
from domain.store.conflicts import StoreUnavailable
from tests.databases import Database
from tests.people import ADA, BO, CY

ACME, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def acme(database: Database) -> Database:
    """Ada owns Acme, where Bo is, and is a member of the other one."""
    for organization_id, name in ((ACME, "Acme"), (OTHER, "Other")):
        database.rows(
            "INSERT INTO organization_list (organization_id, version, name, slug, created_at)"
            " VALUES (%s, 1, %s, 'slug', '2026-03-14 12:00Z')",
            organization_id,
            name,
        )
    for person, name in ((ADA, "Ada"), (BO, "Bo")):
        database.rows(
            "INSERT INTO account_list (user_id, version, email_hash, name, email, created_at, updated_at)"
            " VALUES (%s, 1, '', %s, 'somebody@example.com', now(), now())",
            person,
            name,
        )
    joins(database, ACME, ADA, "owner")
    joins(database, ACME, BO, "admin")
    joins(database, OTHER, ADA, "member")
    database.rows(
        "INSERT INTO invitation_list (invitation_id, version, organization_id, email, email_hash, role, status,"
        " inviter_id, link_hash, created_at, expires_at) SELECT gen_random_uuid(), 1, organization_id,"
        " 'dee@example.com', '', 'member', 'pending', %s, organization_id::text::bytea, now(), now()"
        " FROM organization_list",
        ADA,
    )
    return database


def joins(database: Database, organization_id: UUID, person: UUID, role: str) -> None:
    database.rows(
        "INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)"
        " VALUES (%s, 1, %s, %s, %s, %s, clock_timestamp())",
        new_id(),
        organization_id,
        person,
        person,
        role,
    )


@asynccontextmanager
async def looking(database: Database) -> AsyncIterator[OrganizationsSeen]:
    organizations = OrganizationsSeen(database.application_url)
    try:
        yield organizations
    finally:
        await organizations.close()


def backend(database: Database) -> int:
    asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'daybook-organizations'"
    return int(database.value(f"{asked} AND datname = current_database()"))


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_all_who_ask_at_once_see_their_own(acme: Database) -> None:
    async def story() -> None:
        async with looking(acme) as organizations:
            asked = [
                (ACME, ADA, True), (ACME, BO, True), (ACME, BO, False), (OTHER, ADA, True),
                (OTHER, BO, True), (ACME, CY, True), (new_id(), ADA, True),
            ] * 10  # fmt: skip
            found = await asyncio.gather(*(organizations.seen(at, who, invitations=all) for at, who, all in asked))
            told = [
                seen
                and (
                    seen.full.organization.name,
                    seen.full.role,
                    [member.name for member in seen.full.members],
                    [invitation.email for invitation in seen.full.invitations],
                )
                for seen in found
            ]
            both = ["Ada", "Bo"]
            assert told == [
                ("Acme", "owner", both, ["dee@example.com"]), ("Acme", "admin", both, ["dee@example.com"]),
                ("Acme", "admin", both, []), ("Other", "member", ["Ada"], []), None, None, None,
            ] * 10  # fmt: skip

    play(story)


def test_the_same_rows_are_the_same_object_and_others_another(acme: Database) -> None:
    async def story() -> None:
        async with looking(acme) as organizations:
            first = await organizations.seen(ACME, ADA, invitations=True)
            assert first is not None
            assert await organizations.seen(ACME, ADA, invitations=True) is first
            acme.rows("UPDATE account_list SET name = 'Augusta' WHERE name = 'Ada'")
            second = await organizations.seen(ACME, ADA, invitations=True)
            assert second is not None
            assert [member.name for member in second.full.members] == ["Augusta", "Bo"]
            acme.rows("UPDATE invitation_list SET status = 'canceled'")
            third = await organizations.seen(ACME, ADA, invitations=True)
            assert third is not None
            assert [invitation.status for invitation in third.full.invitations] == ["canceled"]
            acme.rows("UPDATE organization_list SET ended_at = now()")
            assert await organizations.seen(ACME, ADA, invitations=True) is None

    play(story)


@pytest.mark.parametrize(("many", "crowded"), [(98, False), (99, True)])
def test_more_than_a_hundred_are_a_crowd(acme: Database, many: int, *, crowded: bool) -> None:
    for _ in range(many):
        joins(acme, ACME, stranger := new_id(), "member")
        acme.rows(
            "INSERT INTO account_list (user_id, version, email_hash, created_at, updated_at)"
            " VALUES (%s, 1, '', now(), now())",
            stranger,
        )

    async def story() -> None:
        async with looking(acme) as organizations:
            seen = await organizations.seen(ACME, ADA, invitations=True)
            assert seen is not None
            assert seen.crowded is crowded
            again = await organizations.seen(ACME, ADA, invitations=True)
            assert (again is seen) is not crowded, "a crowd is not kept"

    play(story)


def test_what_is_kept_is_bounded(acme: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.edge.batching.organizations_seen._KEPT", 600)

    async def story() -> None:
        async with looking(acme) as organizations:
            first = await organizations.seen(ACME, ADA, invitations=True)
            assert await organizations.seen(ACME, ADA, invitations=True) is first
            await organizations.seen(ACME, BO, invitations=True)
            again = await organizations.seen(ACME, ADA, invitations=True)
            assert first is not None
            assert again is not None
            assert (again is not first, again.full) == (True, first.full)

    play(story)


def test_a_killed_connection_is_followed_by_another(acme: Database) -> None:
    async def story() -> None:
        async with looking(acme) as organizations:
            for _ in range(5):
                assert await organizations.seen(ACME, ADA, invitations=True) is not None
                acme.rows("SELECT pg_terminate_backend(%s)", backend(acme))
                assert await organizations.seen(ACME, ADA, invitations=True) is not None

    play(story)


def test_a_frozen_server_is_given_up_in_time(acme: Database) -> None:
    async def story() -> None:
        async with looking(acme) as organizations:
            assert await organizations.seen(ACME, ADA, invitations=True) is not None
            frozen = backend(acme)
            os.kill(frozen, signal.SIGSTOP)
            try:
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await organizations.seen(ACME, ADA, invitations=True)
                assert time.monotonic() - began < 9
                assert await organizations.seen(ACME, ADA, invitations=True) is not None
            finally:
                os.kill(frozen, signal.SIGCONT)

    play(story)
