"""Passwords: lengths, hashes, and a pool that does not let a crowd in."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from domain.password_strength import Familiar, Strength, Weakness
from domain.passwords import Argon2Parameters, HashingBusy, Passwords, require_length, require_not_too_long
from domain.refusals import PasswordCompromised, PasswordTooLong, PasswordTooShort
from tests.people import PASSWORD


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    pool = Passwords(Argon2Parameters(), threads=1, waiting=2)
    yield pool
    pool.close()


@pytest.mark.parametrize("password", ["12345678", "x" * 128, "🐎🐎🐎🐎"])
def test_eight_to_128_utf16_units_are_accepted(password: str) -> None:
    require_length(password)


def test_seven_are_too_short_and_129_too_long() -> None:
    with pytest.raises(PasswordTooShort):
        require_length("1234567")
    with pytest.raises(PasswordTooShort):
        require_length("🐎🐎🐎a")
    with pytest.raises(PasswordTooLong):
        require_length("x" * 129)
    with pytest.raises(PasswordTooLong):
        require_not_too_long("🐎" * 65)


def test_hashes_are_argon2id_with_the_owasp_parameters(passwords: Passwords) -> None:
    parameters = argon2.extract_parameters(passwords.hash(PASSWORD))
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)


def test_only_the_right_password_verifies(passwords: Passwords) -> None:
    encoded = argon2.PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1).hash(PASSWORD)
    assert passwords.verify(encoded, PASSWORD)
    assert not passwords.verify(encoded, PASSWORD + " ")
    assert not passwords.verify("not a hash", PASSWORD)


def test_nobodys_password_is_never_right(passwords: Passwords) -> None:
    assert not passwords.verify(None, PASSWORD)


def test_the_same_characters_composed_differently_are_the_same_password(passwords: Passwords) -> None:
    assert passwords.verify(passwords.hash("caf\u00e9 au lait"), "cafe\u0301 au lait")


def test_a_hash_of_other_parameters_is_outdated(passwords: Passwords) -> None:
    weaker = argon2.PasswordHasher(memory_cost=9_216, time_cost=4, parallelism=1).hash(PASSWORD)
    assert passwords.outdated(weaker)
    assert not passwords.outdated(passwords.hash(PASSWORD))


def test_past_its_bound_the_pool_refuses_at_once_and_recovers(passwords: Passwords) -> None:
    everybody = threading.Barrier(8)

    def one() -> str:
        everybody.wait()
        try:
            return "hashed" if passwords.hash(PASSWORD) else ""
        except HashingBusy:
            return "busy"

    with ThreadPoolExecutor(8) as crowd:
        outcomes = [future.result() for future in [crowd.submit(one) for _ in range(8)]]
    assert outcomes.count("busy") >= 1
    assert outcomes.count("hashed") >= 3
    assert not passwords.full
    assert passwords.hash(PASSWORD)


def test_judging_has_its_place_in_the_same_bound_and_a_thread_of_the_same_pool() -> None:
    judged = threading.Event()
    seen: list[str] = []

    class Held(Passwords):
        """Which judges nothing before it is told to."""

        def _weakness(self, password: str, familiar: Familiar) -> Weakness | None:
            seen.append(threading.current_thread().name)
            assert judged.wait(30)
            return super()._weakness(password, familiar)

    passwords = Held(Argon2Parameters(), threads=1, waiting=0)
    with ThreadPoolExecutor(1) as somebody:
        first = somebody.submit(passwords.require_worthy, PASSWORD, Familiar())
        while not passwords.full:
            pass
        with pytest.raises(HashingBusy):
            passwords.require_worthy(PASSWORD, Familiar())
        judged.set()
        first.result()
    passwords.require_worthy(PASSWORD, Familiar())
    passwords.close()
    assert len(seen) == 2
    assert all(name.startswith("password-hashing") for name in seen)


def test_what_may_be_set_is_as_long_and_as_strong_as_the_operator_asks_for() -> None:
    passwords = Passwords(Argon2Parameters(), threads=1, waiting=2, shortest=15, strength=Strength(score=4))
    with pytest.raises(PasswordTooShort):
        passwords.require_length("x" * 14)
    with pytest.raises(PasswordTooShort):
        passwords.require_worthy("password", Familiar())
    with pytest.raises(PasswordTooLong):
        passwords.require_worthy("x" * 129, Familiar())
    with pytest.raises(PasswordCompromised) as refused:
        passwords.require_worthy("x" * 15, Familiar())
    assert refused.value.reason is Weakness.REPEATED
    passwords.require_worthy(PASSWORD, Familiar())
    passwords.close()


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no priorities")
@pytest.mark.parametrize("busy", [False, True])
def test_hashing_gives_way_to_us_while_we_are_busy_and_to_nobody_else(busy: bool) -> None:
    seen: list[int] = []

    class Seen(Passwords):
        """Which notes by whom it is done."""

        def _matches(self, encoded: str, password: str) -> bool:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super()._matches(encoded, password)

    passwords = Seen(Argon2Parameters(), threads=1, waiting=2, busy=lambda: busy)
    for _ in range(3):
        assert passwords.verify(passwords.hash(PASSWORD), PASSWORD)
    passwords.close()
    ours = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert seen == [min(ours + 5, 19) if busy else ours] * 3
