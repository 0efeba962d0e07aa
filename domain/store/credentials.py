"""Password hashes: beside the keys, never in an event. An old hash is gone when it is replaced.

They are one kind of credential among others, so whoever reads or writes them says so.
"""

from __future__ import annotations

from uuid import UUID

from .connections import Statements
from .rows import PASSWORDS, Write, change, put
from .session_settings import NOT_AWAITED


def first_credentials(user_id: UUID, *, password_version: int, password_hash: str) -> Write:
    """The row that goes with opening an account."""
    return Write(PASSWORDS, user_id, put(password_version=password_version, hash=password_hash, **PASSWORDS.only))


def changed_credentials(user_id: UUID, *, password_version: int, password_hash: str) -> Write:
    """The row that goes with another password."""
    return Write(PASSWORDS, user_id, change(password_version=password_version, hash=password_hash))


def rehash(statements: Statements, user_id: UUID, *, old: str, new: str) -> None:
    """Store the same password under other parameters, unless it was changed meanwhile.

    No event: nothing happened that a person did or could notice, and the password's version stays.
    """
    statements.rows(
        # promised to nobody: if it gets lost, the old hash is as good
        "UPDATE credentials SET hash = $3 WHERE user_id = $1 AND kind = 'password' AND hash = $2"
        f" RETURNING {NOT_AWAITED}",
        user_id,
        old,
        new,
    )
