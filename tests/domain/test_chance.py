"""Chance: the clock, ids and tokens."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from domain.clock import now
from domain.ids import new_id, new_token


def test_moments_are_aware_and_in_whole_milliseconds() -> None:
    moment = now()
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=1)  # noqa: TID251  the real clock is the expectation


def test_ids_are_uuids_of_version_7_and_variant_rfc() -> None:
    for identifier in (new_id() for _ in range(100)):
        assert identifier.version == 7
        assert identifier.variant == "specified in RFC 4122"


def test_ids_carry_the_millisecond_they_were_made_in() -> None:
    before = datetime.now(UTC)  # noqa: TID251  the real clock is the expectation
    made = datetime.fromtimestamp((new_id().int >> 80) / 1000, UTC)
    assert abs(made - before) < timedelta(seconds=1)


def test_ids_and_tokens_do_not_repeat() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
    assert len({new_token() for _ in range(10_000)}) == 10_000


def test_every_character_of_a_token_is_as_likely_as_any_other() -> None:
    counts = Counter(character for _ in range(10_000) for character in new_token())
    expected = 320_000 / 62
    # six standard deviations: a byte taken modulo 62 would favour eight characters by a fifth
    assert all(abs(seen - expected) < 6 * expected**0.5 for seen in counts.values())
    assert len(counts) == 62


def test_tokens_are_32_letters_and_digits() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", new_token()) for _ in range(100))
