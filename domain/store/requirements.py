"""What a database must be before anything is written to it, and the keys it is read with."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from psycopg import Connection

from domain.events.keys import KEY_LENGTH, Keyring, WrongSecret, unwrap_data_key, wrap_data_key
from domain.ids import random_bytes

from .conflicts import StoreUnavailable
from .connections import Pool, Statements, Values
from .envelope import Subject

OLDEST_SERVER = 15
_logger = logging.getLogger("daybook")
_TRIED_EACH = 1.0
"""Seconds for which the keys of a node count as tried."""
_TOLD_EACH = 60.0
"""Seconds between two lines in the log about a lost key."""
_KEY_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('daybook first key', 0))"
_EMPTY = """
SELECT NOT (EXISTS (SELECT FROM commands) OR EXISTS (SELECT FROM events)
            OR EXISTS (SELECT FROM subject_keys) OR EXISTS (SELECT FROM credentials))
"""
# The oldest people and the newest: of a log that was restored over another, one end is the other's.
# Bounded, since many of the oldest may have been erased.
_SAMPLE = """
SELECT 'data' AS sample, generation, NULL::uuid, wrapped FROM data_keys
UNION ALL
SELECT * FROM (SELECT 'oldest', NULL::integer, subject_id, wrapped
                 FROM (SELECT * FROM subject_keys ORDER BY subject_id LIMIT 100) AS oldest
                WHERE wrapped IS NOT NULL LIMIT 5) AS a
UNION ALL
SELECT * FROM (SELECT 'newest', NULL::integer, subject_id, wrapped
                 FROM (SELECT * FROM subject_keys ORDER BY subject_id DESC LIMIT 100) AS newest
                WHERE wrapped IS NOT NULL LIMIT 5) AS b
UNION ALL
SELECT 'none', NULL, NULL, NULL
 WHERE CASE WHEN NOT EXISTS (SELECT FROM subject_keys)
            THEN EXISTS (SELECT FROM commands WHERE sealed IS NOT NULL)
                 OR EXISTS (SELECT FROM events WHERE sealed IS NOT NULL) END
"""


class UnfitDatabase(Exception):
    """The database cannot keep the promises of the store; the message says why in one sentence."""


class OtherKeys(UnfitDatabase):
    """What stands in the log was sealed with other keys than those that stand beside it."""

    def __init__(self) -> None:
        super().__init__(
            "The keys are not those of this log: put the rows of data_keys and subject_keys back from the backup the"
            " rest came from."
        )


class NoKeyYet(UnfitDatabase):
    """The log is empty and has no key, and whoever only serves may not make one."""

    def __init__(self) -> None:
        super().__init__("This log is new and has no key yet: run `daybook migrate` with DAYBOOK_OWNER_DATABASE_URL.")


def require_fitting(connection: Connection[Values]) -> None:
    """Raises UnfitDatabase for a server that is too old, may lose what it acknowledged, or cannot hold every text."""
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise UnfitDatabase(f"PostgreSQL {version} is too old: Daybook needs {OLDEST_SERVER} or newer.")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnfitDatabase(
            f"The database's encoding is {encoding}, which cannot hold everybody's name: make one with"
            " CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is not None and row[0] == "off":
            raise UnfitDatabase(f"The database runs with {name} = off and may lose what it acknowledged: switch it on.")
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
        raise UnfitDatabase(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: the eventsourcing library would bypass the store. Unset it."
        )


def needs_first_key(connection: Connection[Values]) -> bool:
    """Whether this migrated log has no data key. Raises OtherKeys if it has none, but something was written."""
    if connection.execute("SELECT FROM data_keys LIMIT 1").fetchone() is not None:
        return False
    if connection.execute(_EMPTY).fetchone() != (True,):
        raise OtherKeys
    return True


def make_first_key(connection: Connection[Values], secret: str) -> bool:
    """Give an empty log its data key, as the role that owns the tables; whether it got it here and now.

    Raises OtherKeys where something was written with a key that is not there.
    """
    with connection.transaction():
        # of nodes that start together one makes it
        connection.execute(_KEY_LOCK)
        if not needs_first_key(connection):
            return False
        first = wrap_data_key(random_bytes(KEY_LENGTH), secret=secret, generation=1)
        connection.execute("INSERT INTO data_keys (generation, wrapped) VALUES (1, %s)", (first,))
    return True


def open_keyring(connection: Connection[Values], secret: str) -> Keyring:
    """The keys of this log, opened with the server's secret and tried on what they sealed.

    Raises WrongSecret if they were wrapped under another one, UnfitDatabase if one of them does not open, if they are
    not this log's (OtherKeys) or if there is none yet (NoKeyYet).
    """
    stored: dict[int, bytes] = dict(
        connection.execute("SELECT generation, wrapped FROM data_keys ORDER BY generation").fetchall()
    )
    if not stored:
        needs_first_key(connection)
        raise NoKeyYet
    opened, shut = dict[int, bytes](), list[int]()
    malformed = False
    for generation, wrapped in stored.items():
        try:
            opened[generation] = unwrap_data_key(wrapped, secret=secret, generation=generation)
        except WrongSecret:
            shut.append(generation)
        except (ValueError, OverflowError):
            malformed = True
            shut.append(generation)
    if not opened and not malformed:
        raise WrongSecret
    if shut:
        raise UnfitDatabase(
            f"Generation {shut[0]} in data_keys is no key that this secret opens:"
            " put back what stood there, or take it away if it was never Daybook's."
        )
    keyring = Keyring(opened, stored=stored)
    if not _open_all_ends(keyring, connection.execute(_SAMPLE).fetchall()):
        raise OtherKeys
    return keyring


def keys_still_fit(statements: Statements, keyring: Keyring) -> bool:
    """Whether the keys a running node holds are those of the log it is connected to; cheap.

    Raises StoreUnavailable.
    """
    rows = statements.rows(_SAMPLE)
    stored = {generation: wrapped for sample, generation, _, wrapped in rows if sample == "data"}
    return keyring.stand_in(stored) and _open_all_ends(keyring, rows)


class KeyTrial:
    """Whether a running node still writes with the keys of the log it is connected to.

    Tried before the first append over a new connection, which may lead to another log, and once a second: what is
    sealed with a key that stands nowhere is lost with the process.
    """

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool, self._keyring = pool, keyring
        self._statements = Statements(pool)
        self._passed = (-1, 0.0)
        self._told: float | None = None

    def require_fit(self, subjects: Iterable[Subject]) -> None:
        """Raises StoreUnavailable, also where a subject's key got lost: a second one would hide
        that, and split a history.
        """
        if any(one.lost for one in subjects):
            self._tell_lost()
            raise StoreUnavailable
        opened, now = self._pool.opened, time.monotonic()
        if self._passed[0] == opened and now < self._passed[1] + _TRIED_EACH:
            return
        if not keys_still_fit(self._statements, self._keyring):
            raise StoreUnavailable
        self._passed = (opened, now)

    def _tell_lost(self) -> None:
        now = time.monotonic()
        if self._told is None or now > self._told + _TOLD_EACH:
            self._told = now
            _logger.error(
                "Something is sealed with a key that is not in subject_keys, and is not written on:"
                " `daybook verify` names it; put its row back from a backup."
            )


def _open_all_ends(keyring: Keyring, sample: Iterable[Values]) -> bool:
    """Whether some key of each end opens: a single damaged one is `daybook verify`'s to find.

    An erased subject's row stays: a log in which something is sealed, and without one, lacks a table.
    """
    ends: dict[str, list[bool]] = {}
    for end, _, subject_id, wrapped in sample:
        if end == "none":
            return False
        if end != "data":
            ends.setdefault(end, []).append(_opens(keyring, subject_id, wrapped))
    return all(any(opens) for opens in ends.values())


def _opens(keyring: Keyring, subject_id: UUID, wrapped: bytes) -> bool:
    try:
        keyring.open(subject_id, wrapped)
    except (InvalidTag, ValueError):
        return False
    return True
