"""One word with digits and signs around it, as most make a password that must have some: Summer2026!

An estimator that takes it for three parts multiplies what is guessed together. Whoever guesses goes through the common
words with the common endings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LONGEST_WORD = 14
"""Characters: the estimator's time for what is written to be slow grows with their cube, and this comes on top."""
_STAND_FOR_LETTERS = frozenset("0134578@$!|+")
_DECORATED = re.compile(r"([\W\d_]*)([^\W\d_].*[^\W\d_])([\W\d_]*)", re.DOTALL)
_TOKEN = re.compile(r"\d+|[\W_]", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_YEAR = re.compile(r"19\d\d|20[0-4]\d")
_WAYS_OF_A_YEAR = 20
"""As zxcvbn: whoever takes one takes one of these years."""
_IN_A_ROW = "012345678909876543210"
_COMMON_SIGNS = ".?@#$*-_+&"


def decorated_words(given: str) -> Iterator[tuple[str, float]]:
    """What may be the word, and in how many ways what is around it is tried; nothing where nothing is around it."""
    found = _DECORATED.fullmatch(given)
    if found is None or not (found[1] or found[3]):
        return
    before, word, after = found[1], found[2], found[3]
    yield from _short_enough(before, word, after)
    # a sign beside it may stand for its first or its last letter: $ummer2026
    if before and before[-1] in _STAND_FOR_LETTERS:
        yield from _short_enough(before[:-1], before[-1] + word, after)
    if after and after[0] in _STAND_FOR_LETTERS:
        yield from _short_enough(before, word + after[0], after[1:])


def _short_enough(before: str, word: str, after: str) -> Iterator[tuple[str, float]]:
    if len(word) <= _LONGEST_WORD:
        # two places for what stands in front: there, and as well behind
        yield word, _ways(before) * _ways(after) * (2 if before else 1)


def _ways(decoration: str) -> float:
    """In how many ways this is tried: years and what counts up first, fewer than there could be of short numbers."""
    ways, last = 1.0, ""
    for token in _TOKEN.findall(decoration):
        ways *= 2 if token == last else _ways_of_digits(token) if _DIGITS.fullmatch(token) else _ways_of_sign(token)
        last = token
    return ways


def _ways_of_digits(digits: str) -> float:
    if _YEAR.fullmatch(digits):
        return _WAYS_OF_A_YEAR
    if len(digits) > 1 and (digits in _IN_A_ROW or len(set(digits)) == 1):
        return 10
    return 0.3 * 10.0 ** len(digits)


def _ways_of_sign(sign: str) -> float:
    return 2 if sign == "!" else 10 if sign in _COMMON_SIGNS else 33
