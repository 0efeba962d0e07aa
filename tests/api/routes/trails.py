"""Organizations whose journal is read, and what is done behind the application's back while it has no route for it."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

from tests.api.browser import Browser
from tests.databases import Database

TRAIL = "/organization/activity"
NOT_A_MEMBER = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
NOT_ALLOWED = (403, "YOU_ARE_NOT_ALLOWED_TO_READ_THE_ACTIVITY_OF_THIS_ORGANIZATION")
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}

_memberships = (UUID(int=0x01890000_0000_7000_9000_0000_0000_0000 + number) for number in count(1))


class Owner(Browser):
    """A device of somebody who has just opened an account, and with it an organization."""

    def __init__(self, url: str, email: str, name: str = "Ada") -> None:
        super().__init__(url)
        self.email = email
        form = {"name": name, "email": email, "password": "correct horse 1"}
        self.user_id = self.post("/sign-up/email", form, FIREFOX).json()["user"]["id"]
        self.organization_id = self.session()["activeOrganizationId"]


def make_member(database: Database, user_id: str, organization_id: str, role: str) -> None:
    """Behind the application's back, also with roles that it would refuse."""
    database.rows(
        "INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)"
        " VALUES (%s, 1, %s, %s, %s, %s, now())",
        next(_memberships),
        UUID(organization_id),
        UUID(user_id),
        UUID(user_id),
        role,
    )


def make_entries(database: Database, organization_id: str, number: int) -> None:
    """As many entries more, whose events nobody finds; further up than the log will come."""
    database.rows(
        "INSERT INTO journal (position, at, event, stream_id, version, command_id, actor_kind, organization_id)"
        " SELECT greatest((SELECT max(position) FROM journal), 1000000000000) + n,"
        "        timestamptz '2026-03-14 13:00Z' + n * interval '1 second', 'MemberJoined', gen_random_uuid(), 1,"
        "        gen_random_uuid(), 'system', %s FROM generate_series(1, %s) n",
        UUID(organization_id),
        number,
    )


def page(browser: Browser, query: str = "") -> Any:
    answer = browser.get(f"{TRAIL}{query}")
    assert (answer.status, answer.header("content-type")) == (200, "application/json"), answer.content
    assert set(answer.json()) == {"entries", "nextCursor"}
    return answer.json()
