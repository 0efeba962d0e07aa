"""Refused attempts as a journal tells them: rows of attempts, newest first, opened for whose account it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.events.keys import Keyring
from domain.store.attempts import opened_place
from domain.store.connections import Statements
from domain.store.envelope import WhereFrom
from domain.store.select_list import SelectList

from .cursor import Cursor


@dataclass(slots=True)
class Attempts:
    """Refused commands of one kind: the newest stands for all. `where_from` is None if unknown or of many places."""

    cursor: Cursor
    since: datetime
    at: datetime
    command: str
    code: str
    where_from: WhereFrom | None
    session_id: UUID | None
    times: int

    @property
    def alike(self) -> Any:
        """What it shares with those it may be folded with."""
        return self.command, self.code, self.where_from

    def fold(self, other: Attempts) -> None:
        """Take in an older one of the same kind; attempts at one position stand in no order of time."""
        self.times += other.times
        self.since, self.at = min(self.since, other.since), max(self.at, other.at)


class AttemptRow(NamedTuple):
    """Attempts of one kind as stored, with the key of whose account it was."""

    after_position: int
    key: bytes
    first_at: datetime
    last_at: datetime
    command: str
    code: str
    sealed: bytes | None
    wrapped: bytes | None
    session_id: UUID | None
    times: int


_ATTEMPT = SelectList(
    AttemptRow,
    after_position="a.after_position",
    key="a.key",
    first_at="a.first_at",
    last_at="a.last_at",
    command="a.command",
    code="a.code",
    sealed="a.sealed",
    wrapped="k.wrapped",
    session_id="a.session_id",
    times="a.times",
)
About = tuple[UUID | None, datetime | None, datetime | None]
"""Of which session, from when (included) until when (excluded); None each if that does not matter."""
_ATTEMPTS = f"""
SELECT {_ATTEMPT.sql}
  FROM attempts a LEFT JOIN subject_keys k ON k.subject_id = a.person_id
 WHERE a.person_id = $1 AND (a.after_position, a.key) < ($2, $3)
   AND a.after_position <= coalesce((SELECT position FROM followers WHERE name = 'journal'), -1)
   AND ($5::uuid IS NULL OR a.session_id = $5)
   AND ($6::timestamptz IS NULL OR a.last_at >= $6) AND ($7::timestamptz IS NULL OR a.first_at < $7)
 ORDER BY a.after_position DESC, a.key DESC LIMIT $4
"""


def attempts_on(
    read: Statements, keyring: Keyring, user_id: UUID, about: About, *, before: Cursor, chunk: int
) -> Iterator[Attempts]:
    """The attempts on a person's account, newest first; so many are read at once."""
    while rows := _ATTEMPT.read_all(read.rows(_ATTEMPTS, user_id, before.position, before.key, chunk, *about)):
        for row in rows:
            before = Cursor(row.after_position, row.key)
            yield Attempts(
                cursor=before,
                since=row.first_at,
                at=row.last_at,
                command=row.command,
                code=row.code,
                where_from=opened_place(keyring, row.key, row.sealed, user_id, row.wrapped),
                session_id=row.session_id,
                times=row.times,
            )
