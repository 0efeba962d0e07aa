"""What commands look up before they decide. What is found is a hint: versions, guards and constraints decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.api_key import KeySeen
from domain.organization import Facts
from domain.session import Seen
from domain.store import Blanked, Reading, Subject

AT_ONCE = 100
"""As many sessions, or invitations, as one look-up finds to be ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An account as its owner sees it; personal fields are None once erased."""

    user_id: UUID
    email: str | None
    name: str | None
    image: str | None
    email_verified: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a check of a password and a sign-in need, read in one query. `start_in` as `organization_to_start_in`.

    A hash of one moment and the epoch of another would let a session begun with the old password outlive its change.
    """

    person: Person
    subject: Subject
    session_epoch: int
    password_version: int | None
    password_hash: str | None
    start_in: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Whose account has an address, and which living membership of an organization is theirs; None if none."""

    user_id: UUID | None
    membership_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """An organization that a person belongs to, or once did.

    `membership_id` is that of their living membership; `others` says whether others belong to it now, `shared` whether
    others ever did; `theirs` whether its key is the person's; `named_after` whether it came with their account.
    """

    organization_id: UUID
    membership_id: UUID | None
    open: bool
    name: str | None
    others: bool
    shared: bool
    theirs: bool
    named_after: bool

    @property
    def goes(self) -> bool:
        """Whether it ends with the person: it is open, and nobody else belongs to it."""
        return self.open and self.membership_id is not None and not self.others


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferToUndo:
    """A change of address that can be undone: by which offer, and the keyed hash of the address it was made to."""

    mailed_link_id: UUID
    email_hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyTexts:
    """What a person wrote of an API key, None once erased; and how long it was made to be good, None for ever."""

    name: str | None
    prefix: str | None
    metadata: str | None
    lifetime: timedelta | None


class Lookups(Protocol):
    """Questions to the read side, answered by the queries of `projections/lists`."""

    def email_known(self, email_hash: bytes) -> bool:
        """Whether an account has this address."""

    def email_claimed(self, email_hash: bytes, *, besides: UUID | None = None, now: datetime) -> bool:
        """Whether an account `besides` that one has this address, or may have it back (`domain.mailed_link`)."""

    def account_by_email(self, email_hash: bytes) -> Account | None:
        """The open account with this address; hash and epoch are of one moment."""

    def account(self, user_id: UUID) -> Account | None:
        """A person's open account; hash and epoch are of one moment."""

    def oldest_offer_to_undo(
        self, user_id: UUID, *, now: datetime, reading: Reading | None = None
    ) -> OfferToUndo | None:
        """Of the offers to undo a change of address that are open, the one to who had the account before all others."""

    def offer_to_undo_to(self, user_id: UUID, email_hash: bytes, *, now: datetime) -> UUID | None:
        """The first of the open offers to undo a change of address that were made to this address."""

    def offers_to_undo_after(self, mailed_link_id: UUID) -> list[UUID]:
        """The offers to undo a change of address of the same account that were made after this one, and are open."""

    def open_links_of(self, user_id: UUID, *, now: datetime) -> list[UUID]:
        """The links of an account that may still open something, offers to undo a change of its address among them."""

    def last_seen(self, session_id: UUID) -> Seen | None:
        """From where a session was last seen; None if its account has left it behind."""

    def authenticated_at(self, session_id: UUID) -> datetime | None:
        """When the person last proved through a session who they are; None if there is no such session."""

    def live_session(self, user_id: UUID, *, session_id: UUID | None, token_hash: bytes) -> UUID | None:
        """Which live session of the person has this id or this secret; also one that has run out unnoticed."""

    def oldest_sessions(self, user_id: UUID, *, keep: int, now: datetime, started_after: datetime | None) -> list[UUID]:
        """The live sessions of a person beyond the `keep` newest ones, oldest first, `AT_ONCE` at most.

        Those that did not start after `started_after` have lived for as long as any may.
        """

    def organization_to_start_in(self, user_id: UUID) -> UUID | None:
        """The organization last chosen if the person still belongs to it, else the one joined first, else None."""

    def recipient(self, organization_id: UUID, email_hash: bytes) -> Recipient:
        """Who has this address, as seen by an organization."""

    def member_with_email(self, organization_id: UUID, email_hash: bytes) -> UUID | None:
        """Which living membership of an organization is that of who has this address."""

    def facts(self, organization_id: UUID) -> Facts | None:
        """What an open organization is called and shows."""

    def slug_known(self, slots: Sequence[bytes]) -> bool:
        """Whether an open organization has the slug with these slots (`Keyring.slug_slots`)."""

    def free_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        """The seats for members that are free, of `limit` less the members who joined without one."""

    def free_invitation_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        """The places for pending invitations that are free, of `limit` less those that were sent without one."""

    def run_out_invitations(self, *, organization_id: UUID | None = None, now: datetime) -> list[UUID]:
        """Pending invitations that have run out, of one organization or of all, oldest first, `AT_ONCE` at most."""

    def belongings(self, user_id: UUID, *, reading: Reading) -> list[Belonging]:
        """The organizations a person ever belonged to. `reading` is where this and what follows are asked."""

    def keys_of_a_person(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        """Whose keys are the person's: their own, and of what is nobody else's."""

    def invitations_ever_to(
        self, user_id: UUID, email_hashes: Mapping[bytes, datetime | None], *, reading: Reading
    ) -> list[UUID]:
        """The invitations to addresses that the person had, of which nobody's are the data: whatever became of them.

        To each address all that were sent, or those that were sent before the moment that stands with it. Where
        somebody else has the address by now, only those that were over before they came.
        """

    def invitations_pending_from(self, user_id: UUID, *, since: datetime | None = None, reading: Reading) -> list[UUID]:
        """The pending invitations that the person stands for, or those of them that were sent `since` then."""

    def rows_of_a_person(self, user_id: UUID, *, reading: Reading) -> list[Blanked]:
        """The rows, but for the account's, that show something sealed under a key of the person's."""

    def sessions_ever_of(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        """Every session that a person ever had."""

    def keys_ever_of(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        """Every API key that a person ever had."""

    def key_texts(self, api_key_id: UUID) -> KeyTexts | None:
        """What is written of an API key."""

    def key_seen(self, api_key_id: UUID) -> KeySeen | None:
        """From where an API key was last known to be used."""

    def pictures_of(self, subject_ids: Collection[UUID], *, reading: Reading) -> int:
        """How many pictures are kept that are sealed under these keys."""
