"""Passwords: how long they may be, and their judging and hashing in a small pool of its own.

Argon2id (RFC 9106) with the parameters OWASP's Password Storage Cheat Sheet asks for. Hashing is meant to be slow, so
it may not run where it would keep others waiting: while those are busy it has a lower priority, and past a bound nobody
may queue. But it gives way to us only, not to whoever else has a process on the machine.
"""

from __future__ import annotations

import contextlib
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from .ids import new_token
from .password_strength import Familiar, Strength, Weakness, weakness
from .refusals import PasswordCompromised, PasswordTooLong, PasswordTooShort

T = TypeVar("T")

SHORTEST = 8
"""What no operator goes below."""
LONGEST = 128
_NICENESS = 5
"""A third of the weight of others."""


class HashingBusy(Exception):
    """So many passwords wait to be hashed that one more would wait too long; try again in a second."""


@dataclass(frozen=True, kw_only=True)
class Argon2Parameters:
    """The cost of one hash: `memory` in KiB, `time` in passes, `lanes`. OWASP: 19,456, 2, 1 or stronger."""

    memory: int = 19_456
    time: int = 2
    lanes: int = 1


def require_length(password: str, shortest: int = SHORTEST) -> None:
    """So many to 128 UTF-16 code units (wire.md §1). Raises PasswordTooShort or PasswordTooLong."""
    if _length(password) < shortest:
        raise PasswordTooShort
    require_not_too_long(password)


def require_not_too_long(password: str) -> None:
    """At most 128 UTF-16 code units, asked before anything is hashed. Raises PasswordTooLong."""
    if _length(password) > LONGEST:
        raise PasswordTooLong


def _length(password: str) -> int:
    return len(password.encode("utf-16-le")) // 2


class Hasher(Protocol):
    """What makes hashes of passwords, and compares; and says before which passwords may be set."""

    def require_length(self, password: str) -> None:
        """As many UTF-16 code units as are asked for, and 128 at most (wire.md §1). Asks nobody, and costs nothing.

        Raises PasswordTooShort, PasswordTooLong.
        """

    def require_worthy(self, password: str, familiar: Familiar) -> None:
        """What may be set as a password by who is known to others by this (wire.md A13); never for one that is given.

        Raises PasswordTooShort, PasswordTooLong, PasswordCompromised, HashingBusy.
        """

    def hash(self, password: str) -> str:
        """The encoded hash, parameters and salt in it. Raises HashingBusy."""

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the hash is of this password; None, for nobody, is never right. Raises HashingBusy."""

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""


class Remembered:
    """A hasher that judges, hashes and compares nothing twice, for one command: to decide it again costs nothing."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._hashes: dict[str, str] = {}
        self._verdicts: dict[tuple[str | None, str], bool] = {}
        self._worthy: set[tuple[str, Familiar]] = set()

    def require_length(self, password: str) -> None:
        """Raises PasswordTooShort, PasswordTooLong."""
        self._hasher.require_length(password)

    def require_worthy(self, password: str, familiar: Familiar) -> None:
        """Raises PasswordTooShort, PasswordTooLong, PasswordCompromised, HashingBusy."""
        if (password, familiar) not in self._worthy:
            self._hasher.require_worthy(password, familiar)
            self._worthy.add((password, familiar))

    def hash(self, password: str) -> str:
        """The encoded hash, the same for the same password. Raises HashingBusy."""
        if password not in self._hashes:
            self._hashes[password] = self._hasher.hash(password)
        return self._hashes[password]

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the hash is of this password. Raises HashingBusy."""
        asked = encoded, password
        if asked not in self._verdicts:
            self._verdicts[asked] = self._hasher.verify(encoded, password)
        return self._verdicts[asked]

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.outdated(encoded)


class Passwords:
    """Judges, hashes and verifies in `threads` threads; at most `waiting` more may queue for them.

    What may be set has `shortest` UTF-16 code units, and this `strength`.

    While those are `busy` whom it should not keep waiting, each lets a twin of lower priority do its work: a thread may
    lower its own, but not raise it again.
    """

    def __init__(
        self,
        parameters: Argon2Parameters,
        *,
        threads: int,
        waiting: int,
        busy: Callable[[], bool] = lambda: False,
        shortest: int = SHORTEST,
        strength: Strength = Strength(),  # noqa: B008  frozen
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.time, memory_cost=parameters.memory, parallelism=parameters.lanes, type=Type.ID
        )
        self.places = threads + waiting
        self._taken, self._taking = 0, threading.Lock()
        self._busy = busy
        self._pool = ThreadPoolExecutor(threads, "password-hashing")
        self._polite = ThreadPoolExecutor(threads, "polite-password-hashing", initializer=_give_way)
        self._nobody = self._hasher.hash(new_token())
        self._shortest, self._strength = shortest, strength
        # loads the word lists, which takes longer than one who sets a password may hold up the others
        weakness(self._nobody, Familiar(), strength)

    @property
    def full(self) -> bool:
        """Whether one more would be refused, at this moment."""
        return self._taken >= self.places

    def require_length(self, password: str) -> None:
        """Raises PasswordTooShort, PasswordTooLong."""
        require_length(password, self._shortest)

    def require_worthy(self, password: str, familiar: Familiar) -> None:
        """Raises PasswordTooShort, PasswordTooLong, PasswordCompromised, HashingBusy."""
        self.require_length(password)
        reason = self._in_pool(self._weakness, password, familiar)
        if reason is not None:
            raise PasswordCompromised(reason)

    def hash(self, password: str) -> str:
        """The encoded hash, parameters and salt in it. Raises HashingBusy."""
        return self._in_pool(self._hasher.hash, _normal(password))

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the hash is of this password; None, for nobody, costs as much and is never right.

        Raises HashingBusy.
        """
        right = self._in_pool(self._matches, encoded or self._nobody, _normal(password))
        return right and encoded is not None

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let what is being hashed finish, and stop."""
        self._pool.shutdown()
        self._polite.shutdown()

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def _weakness(self, password: str, familiar: Familiar) -> Weakness | None:
        return weakness(password, familiar, self._strength)

    def _in_pool(self, work: Callable[..., T], *arguments: object) -> T:
        self._take_place()
        try:
            return self._pool.submit(self._fairly, work, *arguments).result()
        finally:
            with self._taking:
                self._taken -= 1

    def _fairly(self, work: Callable[..., T], *arguments: object) -> T:
        return self._polite.submit(work, *arguments).result() if self._busy() else work(*arguments)

    def _take_place(self) -> None:
        with self._taking:
            if self.full:
                raise HashingBusy
            self._taken += 1


def _normal(password: str) -> str:
    """The same characters typed on another keyboard are the same password (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _give_way() -> None:
    # Linux gives each thread its own niceness; elsewhere the pool is merely small.
    with contextlib.suppress(OSError, AttributeError):
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + _NICENESS)
