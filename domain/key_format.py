"""What an API key looks like: anybody can tell one by its form, and a mistyped one without asking the store.

[prefix]day_  64 letters and digits (380 random bits)  6 of them that check the rest (CRC-32, base 62)
"""

from __future__ import annotations

import re
import string
import zlib

MARK = "day_"
SECRET_LENGTH = 64
_CHECK_LENGTH = 6
LONGEST_PREFIX = 32
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX_PATTERN = r"[A-Za-z0-9_-]+"
EXPRESSION = rf"[A-Za-z0-9_-]{{0,{LONGEST_PREFIX}}}{MARK}[0-9A-Za-z]{{{SECRET_LENGTH + _CHECK_LENGTH}}}"
"""For scanners that look for keys where they do not belong."""
_KEY = re.compile(EXPRESSION)


def written(prefix: str, secret: str) -> str:
    """The key with this secret of `SECRET_LENGTH` letters and digits; `prefix` is what its owner wants in front."""
    body = f"{prefix}{MARK}{secret}"
    return body + _check(body)


def start_of(key: str) -> str:
    """What may be shown of a key, to tell it from others: what stands in front, and six letters of the secret."""
    return key[: -(SECRET_LENGTH + _CHECK_LENGTH) + 6]


def looks_like_key(text: str) -> bool:
    """Whether it has the form of a key, mistyped or not."""
    return _KEY.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """Whether it is one that was written as keys are: it need not be known."""
    return looks_like_key(text) and _check(text[:-_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    while len(digits) < _CHECK_LENGTH:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def keys_in(text: str) -> list[str]:
    """The keys that stand somewhere in a text: what stands in front of one may be its prefix, or not."""
    return [
        key
        for found in _KEY.finditer(text)
        for start in range(found.start(), found.end() - len(MARK) - SECRET_LENGTH - _CHECK_LENGTH + 1)
        if is_key(key := text[start : found.end()])
    ]
