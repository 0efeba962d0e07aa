"""The look-ups of commands, answered by the queries of the lists."""

from __future__ import annotations

from uuid import UUID

from domain.commands.lookups import Account
from domain.store.connections import Statements

from .lists import account_list, member_list, session_list


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

    def organization_to_start_in(self, user_id: UUID) -> UUID | None:
        """The organization last chosen if the person still belongs to it, else the one joined first, else None."""
        return member_list.organization_to_start_in(self._read, user_id)

    def signed_in_from(self, user_id: UUID, ip_address: str) -> bool:
        """Whether a session of this account was ever started from this address."""
        return session_list.signed_in_from(self._read, user_id, ip_address)
