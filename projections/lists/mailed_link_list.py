"""mailed_link_list: the links that went to people by mail, as far as they may still open something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.commands.lookups import OfferToUndo
from domain.events.catalogue import MAILED_LINK
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLink,
    MailedLinkEvent,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    Purpose,
    SignUpAttempted,
)
from domain.store import Reading
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, restate
from domain.store.select_list import SelectList

from .account_list import EMAIL_CLAIMED

TABLE = Table(
    "mailed_link_list",
    "mailed_link_id",
    {
        "user_id": "uuid",
        "purpose": "text",
        "slot": "text",
        "email_hash": "bytea",
        "password_version": "integer",
        "session_epoch": "integer",
        "account_version": "integer",
        "link_hash": "bytea",
        "callback_url": "text",
        "sent_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)
"""`slot` is its purpose, where an account has one link of it at most. The address that a link is about, where that is
not the account's, stands in the event alone: it may be somebody else's, who may be erased."""

PERSONAL = ("callback_url",)
"""The columns that are empty once the person is erased."""


def project(event: MailedLinkEvent, command: CommandRecord) -> Row:
    """What an event means for the link's row; a link that is sent anew has nothing of the one before."""
    match event:
        case PasswordResetRequested() as requested:
            return _sent(
                command,
                requested.user_id,
                Purpose.PASSWORD_RESET,
                email_hash=requested.email_hash,
                password_version=requested.password_version,
                link_hash=requested.link_hash,
                callback_url=requested.callback_url,
                expires_at=requested.expires_at,
            )
        case EmailVerificationRequested() as requested:
            return _sent(
                command,
                requested.user_id,
                Purpose.EMAIL_VERIFICATION,
                email_hash=requested.email_hash,
                link_hash=requested.link_hash,
                callback_url=requested.callback_url,
                expires_at=requested.expires_at,
            )
        case EmailChangeRequested() as requested:
            return _sent(
                command,
                requested.user_id,
                Purpose.EMAIL_CHANGE,
                email_hash=requested.email_hash,
                session_epoch=requested.session_epoch,
                link_hash=requested.link_hash,
                callback_url=requested.callback_url,
                expires_at=requested.expires_at,
            )
        case EmailChangeUndoOffered() as offered:
            return _sent(
                command,
                offered.user_id,
                Purpose.EMAIL_CHANGE_UNDO,
                slot=None,
                email_hash=offered.email_hash,
                account_version=offered.account_version,
                link_hash=offered.link_hash,
                expires_at=offered.expires_at,
            )
        case AccountDeletionRequested() as requested:
            return _sent(
                command,
                requested.user_id,
                Purpose.ACCOUNT_DELETION,
                email_hash=requested.email_hash,
                session_epoch=requested.session_epoch,
                link_hash=requested.link_hash,
                callback_url=requested.callback_url,
                expires_at=requested.expires_at,
            )
        case SignUpAttempted() as attempted:
            return _sent(command, attempted.user_id, Purpose.SIGN_UP_NOTICE, email_hash=attempted.email_hash)
        case MailedLinkUsed() | MailedLinkWithdrawn() | EmailChangeUndoLapsed():
            return change(ended_at=command.at)
        case _:
            assert_never(event)


_NOTHING = dict.fromkeys(TABLE.columns)


def _sent(command: CommandRecord, user_id: UUID, purpose: Purpose, **values: Any) -> Row:
    values = {"slot": purpose, **values}
    return restate(**_NOTHING | {"user_id": user_id, "purpose": purpose, "sent_at": command.at} | values)


def restore(row: Mapping[str, Any]) -> MailedLink:
    """The link's state, which is all in its row."""
    return MailedLink(
        user_id=row["user_id"],
        purpose=Purpose(row["purpose"]),
        email_hash=row["email_hash"],
        expires_at=row["expires_at"],
        password_version=row["password_version"],
        session_epoch=row["session_epoch"],
        ended=row["ended_at"] is not None,
    )


PROJECTION = Projection(MAILED_LINK.name, TABLE, project, restore=restore)


class LinkToMail(NamedTuple):
    """A link, and its account as it is now: what a message is made of. Personal fields are None once erased.

    `holds` says whether the account still stands as it did, as far as that matters to the link; `claimed`, whether the
    address that shall become the account's is somebody else's, who is not asked then; `offer_id`, if it does not go to
    the account's address, to that of which offer to undo a change; `email_contested`, whether another account was to be
    opened with the account's address, which is not proved.
    """

    purpose: Purpose
    callback_url: str | None
    sent_at: datetime
    expires_at: datetime | None
    ended: bool
    account_email: str | None
    holds: bool
    claimed: bool
    offer_id: UUID | None
    user_id: UUID
    email_contested: bool


# What has a slot is the newest link for its purpose: offers to undo have none.
_OLDEST_OFFER = """
SELECT {columns} FROM mailed_link_list offer
 WHERE offer.user_id = {user_id} AND offer.slot IS NULL AND offer.ended_at IS NULL AND offer.expires_at > {now}
 ORDER BY coalesce(offer.account_version, 0), offer.sent_at, offer.mailed_link_id LIMIT 1
"""
_TO_WHOM = _OLDEST_OFFER.format(columns="offer.email_hash", user_id="l.user_id", now="$2::timestamptz")
_LINK = SelectList(
    LinkToMail,
    user_id="l.user_id",
    email_contested="a.email_contested",
    purpose="l.purpose",
    callback_url="l.callback_url",
    sent_at="l.sent_at",
    expires_at="l.expires_at",
    ended="l.ended_at IS NOT NULL",
    account_email="a.email",
    holds=(
        f"CASE WHEN l.purpose IN ('{Purpose.EMAIL_CHANGE}', '{Purpose.EMAIL_CHANGE_UNDO}') THEN true"
        f" WHEN l.purpose = '{Purpose.ACCOUNT_DELETION}' THEN l.email_hash = coalesce(({_TO_WHOM}), a.email_hash)"
        " ELSE l.email_hash = a.email_hash END"
        " AND coalesce(l.password_version = a.password_version, true)"
        " AND coalesce(l.session_epoch = a.session_epoch, true)"
    ),
    claimed=(
        f"l.purpose = '{Purpose.EMAIL_CHANGE}'"
        f" AND EXISTS ({EMAIL_CLAIMED.format(email_hash='l.email_hash', besides='l.user_id', now='$2::timestamptz')})"
    ),
    offer_id=(
        f"CASE WHEN l.purpose = '{Purpose.ACCOUNT_DELETION}' AND l.email_hash <> a.email_hash THEN"
        f" ({_OLDEST_OFFER.format(columns='offer.mailed_link_id', user_id='l.user_id', now='$2::timestamptz')}) END"
    ),
)


def link_to_mail(read: Statements, mailed_link_id: UUID, *, now: datetime) -> LinkToMail | None:
    """The link of this stream, if its account is open."""
    row = read.row(
        f"SELECT {_LINK.sql} FROM mailed_link_list l JOIN account_list a USING (user_id)"
        " WHERE l.mailed_link_id = $1 AND a.ended_at IS NULL",
        mailed_link_id,
        now,
    )
    return _LINK.find(row)


_LATER_OFFERS = """
SELECT later.mailed_link_id FROM mailed_link_list this JOIN mailed_link_list later USING (user_id)
 WHERE this.mailed_link_id = $1 AND later.slot IS NULL AND later.ended_at IS NULL
   AND (coalesce(later.account_version, 0), later.sent_at, later.mailed_link_id)
     > (coalesce(this.account_version, 0), this.sent_at, this.mailed_link_id)
"""
_OFFER = SelectList(OfferToUndo, mailed_link_id="offer.mailed_link_id", email_hash="offer.email_hash")
_OPEN_OFFER = _OLDEST_OFFER.format(columns=_OFFER.sql, user_id="$1", now="$2")
_OFFER_TO = """
SELECT mailed_link_id FROM mailed_link_list
 WHERE user_id = $1 AND slot IS NULL AND ended_at IS NULL AND expires_at > $2 AND email_hash = $3
 ORDER BY coalesce(account_version, 0), sent_at, mailed_link_id LIMIT 1
"""

_OPEN_LINKS = """
SELECT mailed_link_id FROM mailed_link_list
 WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY mailed_link_id
"""


@dataclass
class MailedLinkLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def oldest_offer_to_undo(
        self, user_id: UUID, *, now: datetime, reading: Reading | None = None
    ) -> OfferToUndo | None:
        found = _OFFER.read_all((self.read if reading is None else reading).rows(_OPEN_OFFER, user_id, now))
        return found[0] if found else None

    def offer_to_undo_to(self, user_id: UUID, email_hash: bytes, *, now: datetime) -> UUID | None:
        row = self.read.row(_OFFER_TO, user_id, now, email_hash)
        return None if row is None else row[0]

    def offers_to_undo_after(self, mailed_link_id: UUID) -> list[UUID]:
        rows = self.read.rows(_LATER_OFFERS, mailed_link_id)
        return [row[0] for row in rows]

    def open_links_of(self, user_id: UUID, *, now: datetime) -> list[UUID]:
        rows = self.read.rows(_OPEN_LINKS, user_id, now)
        return [row[0] for row in rows]
