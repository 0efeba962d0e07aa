"""Attempts: refused commands, alike ones of an hour in one row; never in anybody's stream, never many.

Whoever is refused may try again as often as they like, and must not grow more than a number with it. What was tried on
one account, with one refusal, within one hour is a family: it has a row for each of the first twenty places it was
tried from, and one without a place for all others. Places are sealed under the key of whose account it is; of what
concerns nobody's they are only counted apart, since nobody may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from psycopg import RawCursor

from domain.events.keys import Keyring, seal, unseal

from .connections import Pool, Values
from .envelope import WhereFrom
from .session_settings import NOT_AWAITED

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(WhereFrom).decode

PLACES = 20
HELD = 1_000
"""Rows that may wait to be written; as many again once they go without their places."""

_LOCK = f"SELECT pg_advisory_xact_lock(hashtextextended('daybook attempts', 0)), {NOT_AWAITED}"
# The row of all others has its family's own key.
_RECORD = """
WITH given AS (
    SELECT * FROM unnest($2::bytea[], $3::bytea[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::bytea[],
                         $9::integer[], $10::timestamptz[], $11::timestamptz[]) WITH ORDINALITY
        AS given (key, family, person_id, session_id, command, code, sealed, times, first_at, last_at, n)
), places AS (
    SELECT family, count(*) AS used FROM attempts WHERE family = ANY($3) AND key <> family GROUP BY family
), ranked AS (
    SELECT given.*, known.key IS NOT NULL AS known, coalesce(places.used, 0) + row_number() OVER (
               PARTITION BY given.family, known.key IS NULL, given.key = given.family ORDER BY n) AS place
      FROM given
      LEFT JOIN attempts known ON known.key = given.key
      LEFT JOIN places ON places.family = given.family
), fitted AS (
    SELECT *, CASE WHEN known OR place <= $1 THEN key ELSE family END AS row_key FROM ranked
)
INSERT INTO attempts AS old (key, family, after_position, person_id, session_id, command, code, sealed,
                             times, first_at, last_at)
SELECT row_key, family, coalesce((SELECT max(position) FROM log), -1), person_id,
       (array_agg(session_id ORDER BY n))[1], command, code,
       (array_agg(sealed ORDER BY n) FILTER (WHERE row_key <> family))[1],
       sum(times), min(first_at), max(last_at)
  FROM fitted GROUP BY row_key, family, person_id, command, code
ON CONFLICT (key) DO UPDATE
   SET times = old.times + excluded.times,
       first_at = least(old.first_at, excluded.first_at),
       last_at = greatest(old.last_at, excluded.last_at)
"""
# in share, and before all else: whoever destroys one is waited for, and what is written about them is found by who does
_KEYS = """
SELECT subject_id, wrapped FROM subject_keys WHERE subject_id = ANY(%s) ORDER BY subject_id FOR SHARE
"""
_FORGET = f"DELETE FROM attempts WHERE last_at < %s RETURNING {NOT_AWAITED}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A command that was refused, with which code.

    `person_id` is whose account it concerned, None if nobody's or unknown; `command` is its name.
    """

    person_id: UUID | None
    session_id: UUID | None
    command: str
    code: str
    where_from: WhereFrom
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptKind:
    """What attempts of one row have in common; from many places if `where_from` is None."""

    person_id: UUID | None
    command: str
    code: str
    where_from: WhereFrom | None
    hour: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How often, when first and last, and through which session first."""

    times: int
    first_at: datetime
    last_at: datetime
    session_id: UUID | None


class Folded:
    """Attempts that are not written yet, alike ones as one; bounded, whoever tries whatever.

    With a thousand kinds at hand, new ones go without their places; with two thousand they are let go of.
    """

    def __init__(self) -> None:
        self.tallies: dict[AttemptKind, Tally] = {}

    def add(self, attempt: Attempt) -> None:
        """One more."""
        hour = attempt.at.replace(minute=0, second=0, microsecond=0)
        kind = AttemptKind(attempt.person_id, attempt.command, attempt.code, attempt.where_from, hour)
        if kind not in self.tallies and len(self.tallies) >= HELD:
            kind = AttemptKind(attempt.person_id, attempt.command, attempt.code, None, hour)
        known = self.tallies.get(kind)
        if known is not None:
            first_at, last_at = min(known.first_at, attempt.at), max(known.last_at, attempt.at)
            self.tallies[kind] = Tally(known.times + 1, first_at, last_at, known.session_id)
        elif len(self.tallies) < 2 * HELD:
            self.tallies[kind] = Tally(1, attempt.at, attempt.at, attempt.session_id)


class Attempts:
    """The table of them. What is recorded again because the answer got lost counts twice."""

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool, self._keyring = pool, keyring

    def record(self, tallies: Mapping[AttemptKind, Tally]) -> None:
        """Add all to what is there, or nothing.

        A new row remembers how far the log had come: that is its place in a journal, and never changes. Raises
        psycopg.OperationalError.
        """
        if not tallies:
            return
        people = list({kind.person_id for kind in tallies if kind.person_id is not None})
        with self._pool.connection() as connection, connection.transaction(), RawCursor(connection) as cursor:
            keys: dict[UUID, bytes | None] = dict(connection.execute(_KEYS, (people,)).fetchall()) if people else {}
            rows = [
                self._row(kind, tally, keys)
                for kind, tally in tallies.items()
                # of an account that is no more nothing is kept
                if kind.person_id not in keys or keys[kind.person_id] is not None
            ]
            if not rows:
                return
            columns = [list(column) for column in zip(*rows, strict=True)]
            # one writer at a time, and in a snapshot taken after the lock: else several find the same place free
            cursor.execute(_LOCK)
            cursor.execute(_RECORD, (PLACES, *columns))

    def forget(self, before: datetime) -> int:
        """Drop what was not tried again since then; how many rows there were. Raises psycopg.OperationalError."""
        with self._pool.connection() as connection:
            return connection.execute(_FORGET, (before,)).rowcount

    def _row(self, kind: AttemptKind, tally: Tally, keys: Mapping[UUID, bytes | None]) -> Values:
        person = "" if kind.person_id is None else kind.person_id.hex
        shared = (person, kind.command, kind.code, kind.hour.isoformat())
        # the hour in front: where several stand at one place of the log, they are in the order of their hours
        hour = int(kind.hour.timestamp() // 3600).to_bytes(4)
        family = key = hour + self._keyring.attempt_key(*shared)
        sealed = None
        if kind.where_from is not None:
            # the browser's name comes last, since whoever tries may write into it what they like
            key = hour + self._keyring.attempt_key(*shared, kind.where_from.ip_address, kind.where_from.user_agent)
            if kind.person_id is not None and (wrapped := keys.get(kind.person_id)) is not None:
                sealed = seal(self._keyring.open(kind.person_id, wrapped), _encode(kind.where_from), key)
        who_and_what = (kind.person_id, tally.session_id, kind.command, kind.code)
        return (key, family, *who_and_what, sealed, tally.times, tally.first_at, tally.last_at)


def opened_place(
    keyring: Keyring, key: bytes, sealed: bytes | None, person_id: UUID, wrapped: bytes | None
) -> WhereFrom | None:
    """Where an attempt with this row key on a person's account came from.

    None where it came from many places, if the person was erased, or if it cannot be opened.
    """
    if sealed is None or wrapped is None:
        return None
    try:
        return _decode(unseal(keyring.open(person_id, wrapped), sealed, key))
    except InvalidTag:
        return None
