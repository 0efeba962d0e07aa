"""Judging: which sessions live, told from the log alone, and what the log may never say of them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from domain.events.keys import token_hash
from tests.databases import Database

_PATIENCE = 10.0
"""Seconds for the sequencer to put everything in order."""

_ENTRIES = """
SELECT l.position, e.stream_id, e.name, e.body, e.command_id, c.session_id
  FROM events e JOIN commands c USING (command_id) LEFT JOIN log l USING (stream_id, version)
 WHERE (e.stream_id = %s OR e.stream_id IN (SELECT session_id FROM session_list WHERE user_id = %s))
   AND coalesce(l.position > %s, true)
 ORDER BY l.position NULLS LAST
"""
_TAKES_LIFE = {"SessionReauthenticated", "SessionKept", "SessionsRevoked", "PasswordChanged"}
"""What takes a session that lives: through any other it is refused, however close the race."""


class Entry(NamedTuple):
    """One event of an account or of one of its sessions, by which command, and through which session it was given."""

    position: int
    stream_id: UUID
    name: str
    fields: dict[str, Any]
    command_id: UUID
    through: UUID | None


@dataclass
class Sessions:
    """The sessions of one account as the log has them, up to a position, and what it says that should not be.

    `began` are the epochs they are in, `ended` the positions at which they were ended one by one, `by_token` is by what
    is stored of their secrets, `revoked` the positions at which the epoch rose.
    """

    epoch: int = 0
    began: dict[UUID, int] = field(default_factory=dict)
    ended: dict[UUID, int] = field(default_factory=dict)
    by_token: dict[str, UUID] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    read_to: int = -1
    _gave_alive: dict[UUID, bool] = field(default_factory=dict)

    def apply(self, entries: Iterable[Entry]) -> None:
        """These too, in their order."""
        for entry in entries:
            self._object(entry)
            self._apply(entry)
            self.read_to = entry.position

    def lives(self, session_id: UUID) -> bool:
        """Whether it was neither ended nor left behind by its account's epoch."""
        return session_id not in self.ended and self.began[session_id] == self.epoch

    def of(self, token: str) -> UUID:
        """The session with this secret."""
        return self.by_token[b64encode(token_hash(token)).decode()]

    def _object(self, entry: Entry) -> None:
        if entry.stream_id in self.ended:
            self.wrong.append(f"{entry.name} of a session that was ended, at {entry.position}")
        if entry.name not in _TAKES_LIFE or entry.through is None:
            return
        # its own session may end by the very command, so the first of its events decides
        if not self._gave_alive.setdefault(entry.command_id, self.lives(entry.through)):
            self.wrong.append(f"{entry.name} through a session that was over, at {entry.position}")

    def _apply(self, entry: Entry) -> None:
        match entry.name:
            case "SessionStarted":
                self.began[entry.stream_id] = entry.fields["epoch"]
                self.by_token[entry.fields["token_hash"]] = entry.stream_id
            case "SessionKept":
                self.began[entry.stream_id] = entry.fields["epoch"]
            case "SessionEnded":
                self.ended[entry.stream_id] = entry.position
            case "SessionsRevoked":
                self.epoch = entry.fields["epoch"]
                self.revoked.append(entry.position)


def entries_of(database: Database, user_id: UUID, *, after: int = -1) -> list[Entry]:
    """What there is about a person's account and sessions `after` this position, once all of it stands in the log."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        rows = database.rows(_ENTRIES, user_id, user_id, after)
        if all(position is not None for position, *_ in rows):
            return [Entry(at, stream, name, json.loads(body), *by) for at, stream, name, body, *by in rows]
        assert time.monotonic() < deadline, "the sequencer stands still"
        time.sleep(0.01)
