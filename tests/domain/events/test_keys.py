"""Keys: one a subject, wrapped by the data key, which the secret wraps."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidTag

from domain.events.keys import (
    Keyring,
    WrongSecret,
    derive,
    seal,
    token_hash,
    unseal,
    unwrap_data_key,
    wrap_data_key,
)
from tests.people import ADA, BO, SECRET

FIRST, SECOND = b"1" * 32, b"2" * 32


def test_a_data_key_opens_with_its_secret_and_no_other() -> None:
    wrapped = wrap_data_key(FIRST, secret=SECRET, generation=1)
    assert unwrap_data_key(wrapped, secret=SECRET, generation=1) == FIRST
    with pytest.raises(WrongSecret):
        unwrap_data_key(wrapped, secret=SECRET + "!", generation=1)
    with pytest.raises(WrongSecret):
        unwrap_data_key(wrapped, secret=SECRET, generation=2)


def test_a_subjects_key_opens_what_it_sealed_and_nothing_of_others() -> None:
    keyring = Keyring({1: FIRST})
    ada, bo = keyring.new_subject_key(ADA), keyring.new_subject_key(BO)
    box = seal(keyring.open(ADA, ada), b"content", b"place")
    assert unseal(keyring.open(ADA, ada), box, b"place") == b"content"
    with pytest.raises(InvalidTag):
        unseal(keyring.open(BO, bo), box, b"place")
    with pytest.raises(InvalidTag):
        keyring.open(BO, ada)


def test_a_newer_data_key_leaves_old_subjects_readable_and_hashes_unchanged() -> None:
    before, after = Keyring({1: FIRST}), Keyring({1: FIRST, 2: SECOND})
    old = before.new_subject_key(ADA)
    box = seal(before.open(ADA, old), b"content", b"place")
    assert unseal(after.open(ADA, old), box, b"place") == b"content"
    assert after.new_subject_key(ADA)[:4] == b"\0\0\0\2"
    assert before.email_hash("ada@example.com") == after.email_hash("ada@example.com")


def test_an_address_is_hashed_under_a_key_of_its_own() -> None:
    expected = hmac.new(derive(FIRST, "daybook keyed hashes"), b"email\x1eada@example.com", sha256).digest()
    assert Keyring({1: FIRST}).email_hash("ada@example.com") == expected
    assert Keyring({1: SECOND}).email_hash("ada@example.com") != expected
    assert Keyring({1: FIRST}).limit_key("ada@example.com") != expected


def test_derivation_is_hkdf_sha256() -> None:
    """RFC 5869 §2, worked out by hand for one block of output."""
    extracted = hmac.new(b"\0" * 32, FIRST, sha256).digest()
    assert derive(FIRST, "purpose") == hmac.new(extracted, b"purpose\x01", sha256).digest()


def test_a_tokens_hash_is_sha256_of_its_characters() -> None:
    assert token_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_address_that_outlives_its_person_opens_only_where_it_belongs_and_under_a_known_data_key() -> None:
    sealed = Keyring({1: FIRST}).seal_address("ada@example.com", stream_id=ADA, version=7)
    assert b"ada" not in sealed
    assert Keyring({1: FIRST, 2: SECOND}).open_address(sealed, stream_id=ADA, version=7) == "ada@example.com"
    for keyring, stream_id, version in (
        (Keyring({1: FIRST}), BO, 7),
        (Keyring({1: FIRST}), ADA, 8),
        (Keyring({1: SECOND}), ADA, 7),
        (Keyring({2: FIRST}), ADA, 7),
    ):
        with pytest.raises(InvalidTag):
            keyring.open_address(sealed, stream_id=stream_id, version=version)
