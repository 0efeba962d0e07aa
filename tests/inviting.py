"""Ada has an organization and invites people into it, by the real commands; what is due of that is in the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.commands import invitation as invitations
from domain.commands.context import Context
from domain.commands.credential import change_password
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.session import sign_in
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.store.envelope import WhereFrom
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.people import NOON, PASSWORD

AT_HOME = WhereFrom("192.0.2.1", "Chrome")
ADAS, BOS, CYS = "ada@example.com", "bo@example.com", "cy@example.com"
STATES = "SELECT version, state, reason FROM deliveries ORDER BY first_due_at, version"


class Acme:
    """Ada's organization. All that happens in it happens at noon, unless somebody says otherwise."""

    def __init__(self, context: Context, database: Database, name: str) -> None:
        self.context, self.database = context, database
        self.ada = self.signs_up(ADAS)
        self.organization_id, _ = found_organization(
            context, self.by(ADAS), name=name, slug="acme", logo=None, metadata=None, turning=False
        )

    def invites(
        self, email: str = BOS, *, role: str = "member", resend: bool = False, now: datetime = NOON, by: str = ADAS
    ) -> UUID:
        """Somebody is invited, or invited again; which invitation that is. What is due is in the queue."""
        invitation_id = invitations.invite(
            self.context,
            self.by(by, now=now),
            organization_id=self.organization_id,
            email=email,
            role=role,
            resend=resend,
        )
        caught_up(self.database)
        return invitation_id

    def link(self, invitation_id: UUID) -> str:
        """The id that stands in its link."""
        return self.context.keyring.invitation_link(invitation_id)

    def joins(self, email: str, link: str) -> UUID:
        """Somebody signs up by an invitation's link."""
        return self.signs_up(email, link=link)

    def by(self, email: str, *, now: datetime = NOON) -> PersonBySession:
        """What somebody does who has signed up."""
        [(user_id, session_id)] = self.database.rows(
            "SELECT user_id, session_id FROM session_list s JOIN account_list USING (user_id) WHERE email = %s"
            " ORDER BY s.created_at, session_id LIMIT 1",
            email,
        )
        return PersonBySession(user_id=user_id, session_id=session_id, at=now, where_from=AT_HOME)

    def states(self) -> list[tuple[Any, ...]]:
        """Version, state and reason of each delivery there is."""
        return self.database.rows(STATES)

    def signs_in(self, email: str, where_from: WhereFrom = AT_HOME, *, now: datetime = NOON) -> None:
        """On a device, somewhere; what is due of that is in the queue."""
        verified = verified_account(self.context, email=email, password=PASSWORD, now=now)
        sign_in(self.context, verified, remembered=True, now=now, where_from=where_from)
        caught_up(self.database)

    def changes_password(self, email: str, new: str = "another " + PASSWORD) -> None:
        """And stays signed in everywhere."""
        change_password(self.context, self.by(email), current=PASSWORD, new=new, revoking=False, organization_id=None)
        caught_up(self.database)

    def signs_up(self, email: str, link: str | None = None) -> UUID:
        """Somebody opens an account."""
        signed_in = sign_up(
            self.context, email=email, name="", image=None, password=PASSWORD, remembered=True, link=link, now=NOON,
            where_from=AT_HOME,
        )  # fmt: skip
        return signed_in.person.user_id


@contextmanager
def acme_in(database: Database, name: str = "Analytical Engines") -> Iterator[Acme]:
    """The organization, in an empty database."""
    with context_over(database) as context:
        yield Acme(context, database, name)
