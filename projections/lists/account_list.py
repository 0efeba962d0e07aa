"""account_list: the people who have an account."""

from __future__ import annotations

from domain.commands.lookups import Account, Person
from domain.events.catalogue import USER
from domain.store import Subject
from domain.store.connections import Statements
from domain.store.envelope import Recorded
from domain.store.rows import Projection, Row, Table, put
from domain.user import SignedUp

TABLE = Table(
    "account_list",
    "user_id",
    {
        "email": "text",
        "email_slot": "bytea",
        "name": "text",
        "image": "text",
        "email_verified": "boolean",
        "session_epoch": "integer",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


def project(recorded: Recorded) -> Row | None:
    """What an event means for the person's row."""
    match recorded.event:
        case SignedUp(email=email, name=name, image=image, email_hash=email_hash):
            return put(
                email=email,
                email_slot=email_hash,
                name=name,
                image=image,
                created_at=recorded.at,
                updated_at=recorded.at,
            )
        case _:
            return None


PROJECTION = Projection(USER.name, TABLE, project)


def email_known(read: Statements, email_hash: bytes) -> bool:
    """Whether an account has this address."""
    return read.row("SELECT FROM account_list WHERE email_slot = $1", email_hash) is not None


def account_by_email(read: Statements, email_hash: bytes) -> Account | None:
    """The open account with this address; hash and epoch are of one moment."""
    row = read.row(
        "SELECT a.user_id, a.email, a.name, a.image, a.email_verified, a.created_at, a.updated_at,"
        "       k.wrapped, a.session_epoch, c.password_version, c.hash"
        "  FROM account_list a"
        "  LEFT JOIN credentials c ON c.user_id = a.user_id"
        "  LEFT JOIN subject_keys k ON k.subject_id = a.user_id"
        " WHERE a.email_slot = $1 AND a.ended_at IS NULL",
        email_hash,
    )
    if row is None:
        return None
    user_id, email, name, image, email_verified, created_at, updated_at, wrapped, *sign_in = row
    session_epoch, password_version, password_hash = sign_in
    return Account(
        person=Person(
            user_id=user_id,
            email=email,
            name=name,
            image=image,
            email_verified=email_verified,
            created_at=created_at,
            updated_at=updated_at,
        ),
        subject=Subject(user_id, wrapped),
        session_epoch=session_epoch,
        password_version=password_version,
        password_hash=password_hash,
    )
