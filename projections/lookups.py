"""The look-ups of commands, answered by the queries of the lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.commands.lookups import Account, Facts
from domain.session import Seen
from domain.store.connections import Statements

from .lists import account_list, invitation_list, member_list, organization_list, session_list


class ListLookups:
    """`domain.commands.lookups.Lookups` over the tables of `projections/lists`."""

    def __init__(self, read: Statements) -> None:
        self._read = read

    def email_known(self, email_hash: bytes) -> bool:
        """Whether an account has this address."""
        return account_list.email_known(self._read, email_hash)

    def account_by_email(self, email_hash: bytes) -> Account | None:
        """The account with this address."""
        return account_list.account_by_email(self._read, email_hash)

    def account(self, user_id: UUID) -> Account | None:
        """A person's account."""
        return account_list.account(self._read, user_id)

    def last_seen(self, session_id: UUID) -> Seen | None:
        """From where a session was last seen; None if its account has left it behind."""
        return session_list.last_seen(self._read, session_id)

    def authenticated_at(self, session_id: UUID) -> datetime | None:
        """When the person last proved through a session who they are; None if there is no such session."""
        return session_list.authenticated_at(self._read, session_id)

    def live_session(self, user_id: UUID, *, session_id: UUID | None, token_hash: bytes) -> UUID | None:
        """Which live session of the person has this id or this secret."""
        return session_list.live_session(self._read, user_id, session_id, token_hash)

    def oldest_sessions(self, user_id: UUID, *, keep: int, now: datetime, started_after: datetime | None) -> list[UUID]:
        """The live sessions of a person beyond the `keep` newest ones, oldest first, a hundred at most."""
        return session_list.oldest_sessions(
            self._read, user_id, keep=keep, now=now, started_after=started_after, limit=100
        )

    def organization_to_start_in(self, user_id: UUID) -> UUID | None:
        """The organization last chosen if the person still belongs to it, else the one joined first, else None."""
        return member_list.organization_to_start_in(self._read, user_id)

    def recipient(self, organization_id: UUID, email_hash: bytes) -> tuple[UUID | None, UUID | None]:
        """Whose account has this address, and which living membership of an organization is theirs."""
        return member_list.recipient(self._read, organization_id, email_hash)

    def member_with_email(self, organization_id: UUID, email_hash: bytes) -> UUID | None:
        """Which living membership of an organization is that of who has this address."""
        return member_list.member_with_email(self._read, organization_id, email_hash)

    def facts(self, organization_id: UUID) -> Facts | None:
        """What an organization is called and shows."""
        row = organization_list.organization(self._read, organization_id)
        return None if row is None else Facts(name=row.name, slug=row.slug, logo=row.logo, metadata=row.metadata)

    def slug_known(self, slots: Sequence[bytes]) -> bool:
        """Whether an open organization has the slug with these slots."""
        return organization_list.organization_by_slug(self._read, slots) is not None

    def free_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        """The seats for members that are free, of `limit`."""
        return member_list.free_seats(self._read, organization_id, limit=limit)

    def free_invitation_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        """The places for pending invitations that are free, of `limit`."""
        return invitation_list.free_invitation_seats(self._read, organization_id, limit=limit)

    def run_out_invitations(self, *, organization_id: UUID | None = None, now: datetime) -> list[UUID]:
        """Pending invitations that have run out, of one organization or of all, a hundred at most."""
        if organization_id is None:
            return invitation_list.run_out_anywhere(self._read, now=now, limit=100)
        return invitation_list.run_out(self._read, organization_id, now=now, limit=100)
