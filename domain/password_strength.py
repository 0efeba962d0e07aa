"""Passwords worth having: what is refused because it would be guessed (wire.md A13).

Three rules: none of the commonest passwords, none that has the person's name or address in it, and as many guesses as
the operator asks for. How many guesses one takes is estimated as by zxcvbn (Wheeler, USENIX Security 2016); what others
know of whoever chooses it counts for nothing there, and one word with digits and signs around it for no more than that.
"""

from __future__ import annotations

import gzip
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from zxcvbn_rs_py import Warning as Pattern
from zxcvbn_rs_py import zxcvbn

from .decorated_word import decorated_words
from .everyday_words import GUESSES as EVERYDAY_GUESSES
from .everyday_words import everyday_words, on_latin_keys
from .plain_letters import plain, squeezed

LEAST_GUESSES = (0, 10**3, 10**6, 10**8, 10**10)
"""How many guesses a password must take to have zxcvbn's score of 0, 1, 2, 3 and 4."""
_JUDGED = 24
"""Characters, from the first on. The estimator holds up all other threads, and its time grows with their cube: as long
as this is 15 ms at worst, 64 are 300 ms."""
_SHORTEST_WORD = 3
"""Letters of a word that counts for nothing; shorter ones stand in any password by chance."""
_SURELY_MEANT = 6
"""Letters and digits from which on an address or a name is in a password by no chance."""
_MOST_WORDS = 100
_BEYOND_DICTIONARIES = 10.0**5
"""Guesses: the estimator's longest list has 30,000 words. More are letters put together, as by chance."""
_LETTERS = re.compile(r"[^\W\d_]+")


class Weakness(StrEnum):
    """Why a password would be guessed, and what helps, for whoever chose it."""

    COMMON = (
        "This is one of the passwords that are tried first. Choose another one, such as several words that have nothing"
        " to do with each other."
    )
    PERSONAL = "Your name or e-mail address is in this password. Choose one that has nothing to do with you."
    FAMILIAR = (
        "Without your name, your address and other words that are known here, too little is left of this password to be"
        " hard to guess. Add other words."
    )
    KEYBOARD = "Neighbouring keys are easy to guess. Choose several words that have nothing to do with each other."
    REPEATED = "What is repeated is easy to guess. Add other words instead of the same ones again."
    SEQUENCE = "Sequences like abc or 6543 are easy to guess. Add words that have nothing to do with each other."
    DATE = "Dates and years are easy to guess. Add words that have nothing to do with them."
    WORD = (
        "One word or name is easy to guess, also with digits, signs or capital letters in it. Add more words that have"
        " nothing to do with it."
    )
    GUESSABLE = "This password is easy to guess. Make it longer: a few words that have nothing to do with each other."


@dataclass(frozen=True, kw_only=True, slots=True)
class Familiar:
    """What others know of whom a password is for. Names and addresses are as they were typed; None once erased."""

    email: str | None = None
    name: str | None = None
    organization: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """What the operator asks for: zxcvbn's `score`, 0 to 4, and the host of the service, whose words are known."""

    score: int = 2
    host: str = ""


def weakness(password: str, familiar: Familiar, strength: Strength) -> Weakness | None:
    """Why the password is not worth having, None if it is. Takes milliseconds in which no other thread gets on."""
    given = unicodedata.normalize("NFKC", password)
    folded = plain(given)
    if any(f"\n{one}\n".encode() in _commonest() for one in (given.lower(), squeezed(folded))):
        return Weakness.COMMON
    if any(len(whole) >= _SURELY_MEANT and whole in squeezed(folded) for whole in _wholes(familiar)):
        return Weakness.PERSONAL
    known = list(dict.fromkeys(_known_words(familiar, strength)))[:_MOST_WORDS]
    rest, least = _without(known, folded), LEAST_GUESSES[strength.score]
    estimate = zxcvbn(given[:_JUDGED], known)
    if estimate.guesses < least:
        otherwise = Weakness.GUESSABLE if rest == folded else Weakness.FAMILIAR
        warning = None if estimate.feedback is None else estimate.feedback.warning
        return next((reason for pattern, reason in _REASONS if pattern == warning), otherwise)
    if rest != folded and zxcvbn(rest[:_JUDGED], known).guesses < least:
        return Weakness.FAMILIAR
    if any(_guesses_of_word(word) * ways < least for word, ways in decorated_words(given)):
        return Weakness.WORD
    return None


def _guesses_of_word(word: str) -> float:
    """As the language has it that knows it best, or as its keys are on the keyboard of another; endless for what is
    none that anybody knows.
    """
    folded, capital = plain(word), 1 if word.islower() else 2
    if folded in everyday_words():
        return EVERYDAY_GUESSES * capital
    # of capital letters with signs among them the estimator says 2 (S@{K), so all are small
    guesses = min(float(zxcvbn(one).guesses) for one in {word.lower(), folded, on_latin_keys(word)}) * capital
    return guesses if guesses < min(_BEYOND_DICTIONARIES, 10.0 ** len(word)) else math.inf


@cache
def _commonest() -> bytes:
    """The commonest passwords, lower case, each between line ends. To search all of it takes a tenth of a millisecond,
    and a set of them would take ten times the memory."""
    return b"\n" + gzip.decompress(files("domain").joinpath("common_passwords.txt.gz").read_bytes())


def _wholes(familiar: Familiar) -> Iterator[str]:
    """The address, the part of it in front of the host, and the name, as letters and digits."""
    email = familiar.email or ""
    for whole in (email, email.rpartition("@")[0], familiar.name or ""):
        yield squeezed(plain(whole))


def _known_words(familiar: Familiar, strength: Strength) -> Iterator[str]:
    local, _, host = (familiar.email or "").rpartition("@")
    names = (familiar.name, local, familiar.organization)
    for text in ("daybook", *names, _site(host), _site(strength.host)):
        folded = plain(text or "")
        for word in (squeezed(folded), *_LETTERS.findall(folded)):
            if len(word) >= _SHORTEST_WORD:
                yield word


def _site(host: str) -> str:
    """A host without its last label, which many others have too."""
    return host.rpartition(".")[0] or host


def _without(words: list[str], text: str) -> str:
    """The text without these words, wherever they stand in it."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "", text)


_REASONS = (
    (Pattern.ThisIsATop10Password, Weakness.COMMON),
    (Pattern.ThisIsATop100Password, Weakness.COMMON),
    (Pattern.ThisIsACommonPassword, Weakness.COMMON),
    (Pattern.ThisIsSimilarToACommonlyUsedPassword, Weakness.WORD),
    (Pattern.AWordByItselfIsEasyToGuess, Weakness.WORD),
    (Pattern.NamesAndSurnamesByThemselvesAreEasyToGuess, Weakness.WORD),
    (Pattern.CommonNamesAndSurnamesAreEasyToGuess, Weakness.WORD),
    (Pattern.StraightRowsOfKeysAreEasyToGuess, Weakness.KEYBOARD),
    (Pattern.ShortKeyboardPatternsAreEasyToGuess, Weakness.KEYBOARD),
    (Pattern.RepeatsLikeAaaAreEasyToGuess, Weakness.REPEATED),
    (Pattern.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess, Weakness.REPEATED),
    (Pattern.SequencesLikeAbcAreEasyToGuess, Weakness.SEQUENCE),
    (Pattern.RecentYearsAreEasyToGuess, Weakness.DATE),
    (Pattern.DatesAreOftenEasyToGuess, Weakness.DATE),
)
