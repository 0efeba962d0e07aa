"""Ids, secrets and randomness: the one module that draws them; everybody else is given them."""

from __future__ import annotations

import os
import string
import time
from uuid import UUID

from .key_format import SECRET_LENGTH

_ALPHABET = string.ascii_letters + string.digits
_UNBIASED = 256 - 256 % len(_ALPHABET)
_TOKEN_LENGTH = 32
_AT_ONCE = 40


def fraction() -> float:
    """A number from 0 to 1, each as likely."""
    return int.from_bytes(os.urandom(7)) / (1 << 56)


def random_bytes(length: int) -> bytes:
    """`length` bytes from the operating system's generator."""
    return os.urandom(length)


def new_token() -> str:
    """A session secret: 32 characters of `[A-Za-z0-9]`, 190 bits (ASVS 7.2.3 asks for 128)."""
    return _drawn(_TOKEN_LENGTH)


def new_key_secret() -> str:
    """The secret part of an API key: 64 characters of `[A-Za-z0-9]`, 381 bits, so that a plain hash keeps it."""
    return _drawn(SECRET_LENGTH)


def _drawn(length: int) -> str:
    characters: list[str] = []
    while len(characters) < length:
        # bytes past the last multiple of the alphabet are thrown away: they would favour its beginning
        characters += [_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(_AT_ONCE) if byte < _UNBIASED]
    return "".join(characters[:length])


def new_id() -> UUID:
    """An id that sorts by the moment it was made: UUID version 7 (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)
