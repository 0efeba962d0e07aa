"""Ids, secrets and randomness: the one module that draws them; everybody else is given them."""

from __future__ import annotations

import os
import string
import time
from uuid import UUID

_ALPHABET = string.ascii_letters + string.digits
_UNBIASED = 256 - 256 % len(_ALPHABET)
_TOKEN_LENGTH = 32
_DRAWN = 40


def fraction() -> float:
    """A number from 0 to 1, each as likely."""
    return int.from_bytes(os.urandom(7)) / (1 << 56)


def random_bytes(length: int) -> bytes:
    """`length` bytes from the operating system's generator."""
    return os.urandom(length)


def new_token() -> str:
    """A session secret: 32 characters of `[A-Za-z0-9]`, 190 bits (ASVS 7.2.3 asks for 128)."""
    characters: list[str] = []
    while len(characters) < _TOKEN_LENGTH:
        # bytes past the last multiple of the alphabet are thrown away: they would favour its beginning
        characters += [_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(_DRAWN) if byte < _UNBIASED]
    return "".join(characters[:_TOKEN_LENGTH])


def new_id() -> UUID:
    """An id that sorts by the moment it was made: UUID version 7 (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)
