"""What API keys look like: the form by which they are told from anything else, and six letters that check the rest."""

from __future__ import annotations

import binascii
import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain.key_format import EXPRESSION, LONGEST_PREFIX, PREFIX_PATTERN, is_key, looks_like_key, start_of, written

SIXTY_TWO = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ07"
OF_A_PREFIX = SIXTY_TWO + "_-"

secrets = st.text(SIXTY_TWO, min_size=64, max_size=64)
prefixes = st.text(OF_A_PREFIX, max_size=32)


@st.composite
def keys(draw: st.DrawFn) -> str:
    """Any key."""
    return written(draw(prefixes), draw(secrets))


def checked(body: str) -> str:
    """A key by the documented rule: the CRC-32 of all before it, in base 62, in six digits."""
    number = binascii.crc32(body.encode("ascii"))
    return body + "".join(SIXTY_TWO[number // 62**place % 62] for place in (5, 4, 3, 2, 1, 0))


@pytest.mark.parametrize(
    ("prefix", "secret", "key"),
    [
        ("", "0" * 64, "day_" + "0" * 64 + "10T7nN"),
        ("", SECRET, f"day_{SECRET}4NW7rr"),
        ("ci-", SECRET, f"ci-day_{SECRET}0dWO9k"),
    ],
)
def test_keys_that_are_known(prefix: str, secret: str, key: str) -> None:
    assert written(prefix, secret) == key
    assert is_key(key)


@given(prefixes, secrets)
@example("", "0" * 64)
@example("p" * 32, SECRET)
def test_what_is_written_is_a_key(prefix: str, secret: str) -> None:
    key = written(prefix, secret)
    assert key == checked(f"{prefix}day_{secret}")
    assert looks_like_key(key)
    assert is_key(key)
    assert re.fullmatch(EXPRESSION, key)


def test_keys_whose_check_is_a_small_number_have_six_letters_too() -> None:
    small = next(key for key in (checked(f"day_{number:064d}") for number in range(100_000)) if key[-6:-4] == "00")
    assert len(small) == 74
    assert written("", small[4:-6]) == small


@settings(deadline=None)
@given(keys(), st.data())
def test_no_key_with_another_character_in_it_is_one(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters().filter(lambda one: one != key[place]))
    assert not is_key(key[:place] + other + key[place + 1 :])


@pytest.mark.parametrize("prefix", ["", "ci-"])
def test_no_character_of_a_key_may_be_any_other(prefix: str) -> None:
    key = checked(f"{prefix}day_{SECRET}")
    for place in range(len(key)):
        for other in OF_A_PREFIX:
            changed = key[:place] + other + key[place + 1 :]
            assert is_key(changed) == (changed == key), changed


@given(keys(), st.data())
def test_no_key_with_two_neighbours_swapped_is_one(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 2))
    swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    assume(swapped != key)
    assert not is_key(swapped)


@given(keys(), st.data())
def test_no_key_that_lost_or_won_a_character_is_one(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 1))
    assert not is_key(key[:place] + data.draw(st.sampled_from(OF_A_PREFIX)) + key[place:])
    assert not is_key(key[:place] + key[place + 1 :])


@given(st.text())
@example("")
@example("\n")
def test_hardly_any_text_is_a_key(text: str) -> None:
    assert not looks_like_key(text)
    assert not is_key(text)


def test_what_looks_like_a_key_need_not_be_one() -> None:
    mistyped = f"day_{SECRET}000000"
    assert looks_like_key(mistyped)
    assert not is_key(mistyped)


@pytest.mark.parametrize(
    "text",
    [
        f"{'p' * 33}day_{SECRET}",
        f"no blank day_{SECRET}",
        f"dot.day_{SECRET}",
        f"däy-day_{SECRET}",
        f"day-{SECRET}",
        f"DAY_{SECRET}",
        f"{SECRET}",
        f"day_{SECRET}0",
        f"day_{SECRET[:-1]}",
        f"day_{SECRET[:-1]}-",
        f"day_{SECRET[:-1]}_",
    ],
)
def test_what_has_another_form_is_no_key_though_its_check_is_right(text: str) -> None:
    number = binascii.crc32(text.encode())
    check = "".join(SIXTY_TWO[number // 62**place % 62] for place in (5, 4, 3, 2, 1, 0))
    assert not looks_like_key(text + check)
    assert not is_key(text + check)


def test_what_stands_around_a_key_makes_it_none() -> None:
    key = checked(f"day_{SECRET}")
    for text in (f" {key}", f"{key} ", f"{key}\n", f"\n{key}", f"{key}, {key}", f"Bearer {key}"):
        assert not looks_like_key(text)
        assert not is_key(text)


def test_a_prefix_has_32_letters_digits_hyphens_and_underscores_at_most() -> None:
    assert LONGEST_PREFIX == 32
    assert re.fullmatch(PREFIX_PATTERN, OF_A_PREFIX)
    for wrong in ("", "no blank", "dot.", "ü", "line\n"):
        assert not re.fullmatch(PREFIX_PATTERN, wrong)


@given(prefixes, secrets)
def test_of_a_secret_six_letters_are_shown(prefix: str, secret: str) -> None:
    assert start_of(checked(f"{prefix}day_{secret}")) == f"{prefix}day_{secret[:6]}"
