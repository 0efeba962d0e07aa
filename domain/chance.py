"""The one place where time and randomness come in; everybody else is given them."""

from __future__ import annotations

import os
import secrets
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

Clock = Callable[[], datetime]

_TOKEN_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 32


def now() -> datetime:
    """The moment, aware, in UTC, in whole milliseconds: what is stored is what the wire shows (wire.md §1)."""
    milliseconds = time.time_ns() // 1_000_000
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def random_bytes(length: int) -> bytes:
    """`length` bytes from the operating system's generator."""
    return os.urandom(length)


def new_token() -> str:
    """A session secret: 32 characters of `[A-Za-z0-9]`, 190 bits (ASVS 7.2.3 asks for 128)."""
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_LENGTH))


def new_id() -> UUID:
    """An id that sorts by the moment it was made: UUID version 7 (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)
