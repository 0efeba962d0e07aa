"""Passwords worth having: which are refused, why, and which are not."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from zxcvbn_rs_py import zxcvbn

from domain.ids import new_token
from domain.password_strength import LEAST_GUESSES, Familiar, Strength, Weakness, weakness

ADA = Familiar(email="ada.king@engines.example", name="Ada Lovelace", organization="Analytical Engine Society")
HERE = Strength(host="accounts.somewhere.example")


def why(password: str, familiar: Familiar = ADA, strength: Strength = HERE) -> Weakness | None:
    return weakness(password, familiar, strength)


# those of eight and more in the yearly lists of NordPass and SplashData, and in the NCSC's, whatever their case
@pytest.mark.parametrize(
    "password",
    ["password", "12345678", "123456789", "1234567890", "qwerty123", "iloveyou", "sunshine", "princess", "football",
     "baseball", "superman", "password1", "1q2w3e4r", "qwertyuiop", "trustno1", "Password", "SUNSHINE", "liverpool"],
)  # fmt: skip
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert why(password, Familiar()) is Weakness.COMMON


@pytest.mark.parametrize(
    "password", ["I love you", "pass word 1", "p.a.s.s.w.o.r.d", "123 456 789", "hello, world!", "p\u200bassword1"]
)
def test_blanks_and_signs_between_make_no_other_password_of_one(password: str) -> None:
    assert zxcvbn(password).guesses >= LEAST_GUESSES[HERE.score]
    assert why(password) is Weakness.COMMON


@pytest.mark.parametrize("password", ["cuthbert", "muirhead", "guernsey"])
def test_so_are_common_ones_that_the_estimate_alone_lets_through(password: str) -> None:
    assert zxcvbn(password).guesses >= LEAST_GUESSES[HERE.score]
    assert why(password) is Weakness.COMMON
    assert why(password, strength=Strength(score=0)) is Weakness.COMMON


def test_the_list_is_of_tens_of_thousands_in_small_letters_none_twice() -> None:
    packed = Path("domain/common_passwords.txt.gz").read_bytes()
    common = gzip.decompress(packed).decode().splitlines()
    assert len(common) == len(set(common)) == 38_452
    assert min(map(len, common)) == 8
    assert common == sorted(map(str.lower, common))


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",  # xkcd 936
        "correct horse 1",
        "Tr0ub4dor&3",
        "jx4p9wqk",
        "ключ от всех дверей",
        "🐎🦊🐙🦉🐝🦋🐞",
    ],
)
def test_phrases_and_random_ones_are_accepted(password: str) -> None:
    assert why(password) is None


def test_generated_ones_are_accepted_whatever_is_asked_for() -> None:
    for _ in range(100):
        assert why(new_token(), strength=Strength(score=4)) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("mnbvcxzlkjhgfd", Weakness.KEYBOARD),
        ("abcabcabcabc", Weakness.REPEATED),
        ("x" * 128, Weakness.REPEATED),
        ("1987-03-04", Weakness.DATE),
        ("P@ssw0rd123", Weakness.WORD),
        ("bcdefghijklmn", Weakness.SEQUENCE),
        ("🐎🦊🐙🦉", Weakness.GUESSABLE),
    ],
)
def test_what_follows_a_pattern_is_refused_for_that(password: str, reason: Weakness) -> None:
    assert why(password) is reason


@pytest.mark.parametrize(
    "password",
    [
        "ada lovelace 1815",
        "correct horse AdaLovelace battery",
        "x9!Ada_LOVELACE!9x",
        "my ada.king@engines.example is it",
        "adaking correct horse",
        "\uff21\uff44\uff41 Lovelace 1815 horse",  # full width
        "Adá Lövelace, correct horse",
        "correct horse " * 5 + "ada lovelace",  # behind what is judged
    ],
)
def test_the_persons_name_and_address_are_refused_wherever_they_stand(password: str) -> None:
    assert why(password) is Weakness.PERSONAL
    assert why(password, Familiar()) is None


@pytest.mark.parametrize(
    "password", ["Lovelace1815!", "Lovelace2024!", "Daybook2024!", "Engine Society 1", "Somewhere99!", "engines.king.1"]
)
def test_words_that_are_known_here_count_for_nothing(password: str) -> None:
    assert why(password) is Weakness.FAMILIAR


def test_they_are_no_hindrance_beside_what_is_hard_to_guess() -> None:
    assert why("correct horse lovelace") is None
    assert why("the society of seventeen herons") is None


def test_a_short_name_may_stand_in_a_phrase_by_chance() -> None:
    al = Familiar(email="al@example.com", name="Al")
    assert why("also correct horses walk", al) is None
    will = Familiar(email="will@example.com", name="Will")
    assert why("herons will never guess", will) is None
    assert why("will2024!", will) is Weakness.FAMILIAR


def test_nobodys_password_may_be_their_address_spelled_without_signs() -> None:
    assert why("infoexamplecom and horses", Familiar(email="info@example.com")) is Weakness.PERSONAL


def test_who_was_erased_is_known_by_nothing() -> None:
    assert why("correct horse 1", Familiar(email=None, name=None, organization=None)) is None
    assert why("correct horse 1", Familiar(email="", name="", organization="")) is None


@pytest.mark.parametrize(
    ("score", "accepted"),
    [
        (0, ["x" * 12, "zqzqzqzq", "Summer2024!", "jx4p9wqk", "jx4p9wqk#2Lm"]),
        (1, ["Summer2024!", "jx4p9wqk", "jx4p9wqk#2Lm"]),
        (2, ["jx4p9wqk", "jx4p9wqk#2Lm"]),
        (3, ["jx4p9wqk", "jx4p9wqk#2Lm"]),
        (4, ["jx4p9wqk#2Lm"]),
    ],
)
def test_how_strong_it_must_be_is_the_operators_to_say(score: int, accepted: list[str]) -> None:
    asked = ["x" * 12, "zqzqzqzq", "Summer2024!", "jx4p9wqk", "jx4p9wqk#2Lm"]
    assert [one for one in asked if why(one, strength=Strength(score=score)) is None] == accepted


def test_the_longest_hostile_password_costs_no_more_than_one_as_long_as_is_judged() -> None:
    hostile = "+4(2x!<497617%4[3$2%1$+|[7sz57${6%505+$z7(4|s$[t3|$34[|b27@7@%${"

    def quickest(password: str) -> float:
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            why(password)
            took.append(time.perf_counter() - begun)
        return min(took)

    assert quickest(2 * hostile) < 4 * quickest(hostile[:24])


def test_hostile_names_are_bounded_too() -> None:
    name = " ".join(f"{chr(97 + number % 26)}[(.*+?{'x' * (number % 9)}" for number in range(40))[:200]
    assert why("correct horse 1", Familiar(email="ada@example.com", name=name)) is None
    assert why("correct horse 1", Familiar(email="ada@example.com", name="abc " * 50)) is None


def test_every_reason_says_what_helps_in_whole_sentences_and_nothing_of_the_password() -> None:
    for reason in Weakness:
        said = reason.value
        assert said.endswith(".")
        assert any(word in said for word in ("Choose", "Add", "Make it longer")), said
        assert len(said) < 200
