"""account_list: the people who have an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.commands.lookups import Account, Person
from domain.events.catalogue import USER
from domain.store import Subject
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList
from domain.user import (
    AccountUnlocked,
    ApiKeysRevoked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    LanguageChosen,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    SessionsRevoked,
    SignedUp,
    User,
    UserEvent,
)

from .member_list import start_in

TABLE = Table(
    "account_list",
    "user_id",
    {
        "email": "text",
        "email_hash": "bytea",
        "email_slot": "bytea",
        "name": "text",
        "image": "text",
        "language": "text",
        "email_verified": "boolean",
        "email_contested": "boolean",
        "session_epoch": "integer",
        "key_epoch": "integer",
        "password_version": "integer",
        "password_changed_at": "timestamptz",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


PERSONAL = ("email", "name", "image", "language")
"""The columns that are empty once the person is erased."""


def project(event: UserEvent, command: CommandRecord) -> Row | None:
    """What an event means for the person's row; None if nothing."""
    at = command.at
    match event:
        case SignedUp() as signed_up:
            return put(
                email=signed_up.email,
                email_hash=signed_up.email_hash,
                email_slot=signed_up.email_hash,
                name=signed_up.name,
                image=signed_up.image,
                password_version=signed_up.password_version,
                created_at=at,
                updated_at=at,
            )
        case NameChanged(name=name):
            return change(name=name, updated_at=at)
        case ImageChanged(image=image):
            return change(image=image, updated_at=at)
        case LanguageChosen(language=language):
            # no client is told of it: to them the account is as it was
            return change(language=language)
        case PasswordChanged(password_version=password_version) | PasswordReset(password_version=password_version):
            return change(password_version=password_version, password_changed_at=at)
        case EmailVerified():
            return change(email_verified=True, email_contested=False, updated_at=at)
        case EmailContested():
            return change(email_contested=True)
        case EmailChanged(email=email, email_hash=email_hash) | EmailRestored(email=email, email_hash=email_hash):
            return change(
                email=email,
                email_hash=email_hash,
                email_slot=email_hash,
                email_verified=True,
                email_contested=False,
                updated_at=at,
            )
        case SessionsRevoked(epoch=epoch):
            return change(session_epoch=epoch)
        case ApiKeysRevoked(epoch=epoch):
            return change(key_epoch=epoch)
        case AccountUnlocked():
            return None
        case PersonErased(epoch=epoch):
            gone = dict.fromkeys(PERSONAL)
            return change(session_epoch=epoch, email_slot=None, updated_at=at, ended_at=at, **gone)
        case _:
            assert_never(event)


def restore(row: Mapping[str, Any]) -> User:
    """The account's state, which is all in its row; its slot is empty once another account may have the address."""
    return User(
        email_hash=row["email_hash"],
        password_version=row["password_version"],
        session_epoch=row["session_epoch"],
        key_epoch=row["key_epoch"],
        email_verified=row["email_verified"],
        email_contested=row["email_contested"],
        closed=row["ended_at"] is not None,
    )


PROJECTION = Projection(USER.name, TABLE, project, restore=restore, key_owner=lambda row: row["user_id"])

ACCOUNT = SelectList(
    Account,
    person=SelectList(
        Person,
        user_id="a.user_id",
        email="a.email",
        name="a.name",
        image="a.image",
        email_verified="a.email_verified",
        created_at="a.created_at",
        updated_at="a.updated_at",
    ),
    subject=SelectList(Subject, subject_id="a.user_id", wrapped="k.wrapped"),
    session_epoch="a.session_epoch",
    password_version="c.password_version",
    password_hash="c.hash",
    start_in=f"({start_in('a.user_id')})",
)
_ACCOUNT = f"""
SELECT {ACCOUNT.sql}
  FROM account_list a
  LEFT JOIN credentials c ON c.user_id = a.user_id AND c.kind = 'password'
  LEFT JOIN subject_keys k ON k.subject_id = a.user_id
"""


EMAIL_CLAIMED = """
SELECT FROM account_list holder WHERE holder.email_slot = {email_hash} AND holder.user_id IS DISTINCT FROM {besides}
 UNION ALL
SELECT FROM mailed_link_list offer JOIN account_list changed USING (user_id)
 WHERE offer.email_hash = {email_hash} AND offer.slot IS NULL AND offer.ended_at IS NULL AND offer.expires_at > {now}
   AND changed.ended_at IS NULL AND offer.user_id IS DISTINCT FROM {besides}
 LIMIT 1
"""
"""The address of this hash is that of an open account, or its holder may still have it back; except for this person."""
_EMAIL_CLAIMED = EMAIL_CLAIMED.format(email_hash="$1", besides="$2", now="$3")

ACCOUNT_BY_EMAIL = f"{_ACCOUNT} WHERE a.email_slot = {{0}} AND a.ended_at IS NULL"
"""The open account with the address of this hash, for `ACCOUNT`; hash and epoch are of one moment."""


@dataclass
class AccountLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def email_known(self, email_hash: bytes) -> bool:
        return self.read.row("SELECT FROM account_list WHERE email_slot = $1", email_hash) is not None

    def email_claimed(self, email_hash: bytes, *, besides: UUID | None = None, now: datetime) -> bool:
        return self.read.row(_EMAIL_CLAIMED, email_hash, besides, now) is not None

    def account_by_email(self, email_hash: bytes) -> Account | None:
        return ACCOUNT.find(self.read.row(ACCOUNT_BY_EMAIL.format("$1"), email_hash))

    def account(self, user_id: UUID) -> Account | None:
        return ACCOUNT.find(self.read.row(f"{_ACCOUNT} WHERE a.user_id = $1 AND a.ended_at IS NULL", user_id))


class PasswordDates(NamedTuple):
    """When a person first and last set a password."""

    set_at: datetime
    changed_at: datetime


_PASSWORD_DATES = SelectList(
    PasswordDates, set_at="a.created_at", changed_at="coalesce(a.password_changed_at, a.created_at)"
)


def password_dates(read: Statements, user_id: UUID) -> PasswordDates | None:
    """Of an open account; None if it has no password."""
    row = read.row(
        f"SELECT {_PASSWORD_DATES.sql}"
        "  FROM account_list a JOIN credentials c USING (user_id)"
        " WHERE user_id = $1 AND c.kind = 'password' AND a.ended_at IS NULL",
        user_id,
    )
    return _PASSWORD_DATES.find(row)
