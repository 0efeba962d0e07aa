"""Certificates of erasures: the same for the same erasure, and by nobody else, and about nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from domain.erasure_certificate import Certified, NoCertificate, check, issue, public_key
from domain.events.keys import Keyring
from tests.people import ADA, BO, NOON

KEYRING, ANOTHER = Keyring({1: b"1" * 32}), Keyring({1: b"2" * 32})
ERASED = Certified(
    user_id=ADA, erased_at=NOON + timedelta(milliseconds=7), position=42, touched={"session_list": 2, "account_list": 1}
)
CERTIFICATE = issue(KEYRING, ERASED)


def test_it_says_what_was_done_whoever_has_the_public_key() -> None:
    assert check(CERTIFICATE, public_key(KEYRING)) == ERASED
    assert CERTIFICATE.count("\n") == 0
    assert json.loads(CERTIFICATE)["erasure"] == {
        "kind": "daybook erasure 1",
        "userId": ADA.hex,
        "erasedAt": "2026-03-14T12:00:00.007+00:00",
        "position": 42,
        "touched": {"account_list": 1, "session_list": 2},
    }


def test_it_is_the_same_whenever_it_is_issued_also_with_a_newer_data_key_beside() -> None:
    assert issue(Keyring({1: b"1" * 32, 2: b"3" * 32}), ERASED) == CERTIFICATE


@pytest.mark.parametrize(
    ("said", "instead"),
    [(ADA.hex, BO.hex), ("42", "43"), ('"session_list": 2', '"session_list": 1'), (".007", ".008"), ("erasure 1", "1")],
)
def test_what_was_changed_is_none(said: str, instead: str) -> None:
    assert said in CERTIFICATE
    with pytest.raises(NoCertificate):
        check(CERTIFICATE.replace(said, instead), public_key(KEYRING))


@pytest.mark.parametrize("given", ["", "{}", "[]", "null", '{"erasure": {}, "signature": "AA=="}', "no JSON"])
def test_what_is_none_at_all_is_none(given: str) -> None:
    with pytest.raises(NoCertificate):
        check(given, public_key(KEYRING))


@pytest.mark.parametrize("key", [public_key(ANOTHER), "", "no key", "AAAA"])
def test_another_key_did_not_sign_it(key: str) -> None:
    with pytest.raises(NoCertificate):
        check(CERTIFICATE, key)
