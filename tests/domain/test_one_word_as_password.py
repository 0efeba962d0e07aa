"""One word with digits and signs around it is a weak password, in whatever language; with other words it is none."""

# ruff: noqa: RUF001  Russian letters are meant

from __future__ import annotations

import re
import string
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run

import pytest
from zxcvbn_rs_py import zxcvbn

from domain.everyday_words import GUESSES, everyday_words
from domain.password_strength import LEAST_GUESSES, Familiar, Strength, Weakness, weakness

ROOT = Path(__file__).parent.parent.parent


def why(password: str, score: int = 2) -> Weakness | None:
    return weakness(password, Familiar(email="ada@example.com", name="Ada"), Strength(score=score))


@pytest.mark.parametrize(
    "password",
    [
        "Summer2026!",
        "Welkom2026!",
        "пароль123",
        "Sommer2026!",
        "Qwerty2026!",
        "2026Summer!",
        "!Monkey2026",
        "Liverpool.2026",
        "Heron2026!",
        "Printemps2026!",
        "Janvier2026!",
        "Février2026!",
        "Contraseña2026",
        "Wachtwoord1!",
        "Donnerstag1!",
        "Poniedziałek1!",
        "Czwartek2026!",
        "лето2026!",
        "ПРИВЕТ123!",
        "ktnj2026!",  # лето
        "gfhjkm2026!",  # пароль
        "$ummer2026!",
        "P@ssw0rd2026!",
        "W3lc0me2026!",
    ],
)
def test_a_word_with_a_year_or_digits_and_signs_is_refused_for_that(password: str) -> None:
    assert why(password) is Weakness.WORD


@pytest.mark.parametrize("password", ["Summer2026!", "Welkom2026!", "пароль123", "Qwerty2026!", "Printemps2026!"])
def test_the_estimate_alone_would_let_them_through(password: str) -> None:
    """Else there is no need of the rule."""
    assert zxcvbn(password).guesses >= LEAST_GUESSES[2]


@pytest.mark.parametrize(
    "password",
    [
        "Heron4821?",  # digits that are no year
        "monkey839201746583",
        "cuthbert4821!",
        "Tr0ub4dor&3",
        "correct horse 1",
        "correct-horse-2026!",
        "summerheron2026!",
        "международный2026",
        "🐎summer🦊🐙🦉",
    ],
)
def test_a_rare_word_or_more_than_a_word_is_accepted(password: str) -> None:
    assert why(password) is None


def test_it_counts_as_the_operator_asks() -> None:
    assert [why("Heron482!", score) for score in (2, 3)] == [None, Weakness.WORD]
    assert why("Summer2026!", 0) is None


def test_there_are_about_as_many_everyday_words_as_it_takes_guesses() -> None:
    assert 0.5 * GUESSES < len(everyday_words()) < 1.2 * GUESSES
    assert {"fevrier", "wtorek", "sroda", "ktnj"} <= everyday_words()


def test_of_random_passwords_and_phrases_of_three_words_none_is_refused() -> None:
    """Words of our own documentation, with and without anything between and behind; always the same ten thousand."""
    chance = Random(2026)
    text = " ".join(file.read_text() for file in sorted((ROOT / "docs").rglob("*.md")))
    # "example" is a word of the person's address
    words = sorted(set(re.findall(r"\b[a-z]{4,9}\b", text)) - {"example"})
    assert len(words) > 1_000
    refused = []
    for _ in range(10_000):
        phrase = [chance.choice(words) for _ in range(chance.choice((3, 4)))]
        if chance.random() < 0.5:
            phrase = [word.capitalize() for word in phrase]
        behind = chance.choice(("", "1", "!", "42", "2026", "2026!"))
        characters = string.ascii_letters + string.digits + chance.choice(("", string.punctuation))
        drawn = "".join(chance.choice(characters) for _ in range(10))
        refused += [one for one in (chance.choice(("", " ", "-", ".")).join(phrase) + behind, drawn) if why(one)]
    assert refused == []
