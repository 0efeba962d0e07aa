"""The codec: plain public bytes, personal ones sealed, a commitment between the two."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.events import codec
from domain.events.catalogue import UnknownEvent
from domain.events.codec import Encoded, SealedForNobody, commitment_in, decode, encode, personal_content
from domain.session import EndReason, SessionEnded
from domain.user import NameChanged, SignedUp

KEY = AESGCM(b"k" * 32)
PLACE = b"stream and version"
SIGNED_UP = SignedUp(
    email="ada@example.com", name="Ada", image="https://x.io/ada.png", email_hash=b"keyed", password_version=1
)


def test_an_event_without_personal_fields_is_plain_json() -> None:
    encoded = encode(SessionEnded(reason=EndReason.SIGNED_OUT), key=None, associated_data=PLACE)
    assert encoded == Encoded(b'{"reason":"signed_out"}', None)


def test_personal_fields_leave_the_public_bytes() -> None:
    public = json.loads(encode(SIGNED_UP, key=KEY, associated_data=PLACE).body)
    assert set(public) == {"email_hash", "password_version", "commitment"}


def test_what_was_encoded_is_decoded_with_the_key() -> None:
    assert (
        decode("SignedUp", encode(SIGNED_UP, key=KEY, associated_data=PLACE), key=KEY, associated_data=PLACE)
        == SIGNED_UP
    )


def test_without_the_key_personal_fields_read_as_none() -> None:
    erased = decode("SignedUp", encode(SIGNED_UP, key=KEY, associated_data=PLACE), key=None, associated_data=PLACE)
    assert erased == SignedUp(email=None, name=None, image=None, email_hash=b"keyed", password_version=1)


def test_an_event_whose_personal_fields_are_all_unknown_needs_no_key() -> None:
    unknown = SignedUp(email=None, name=None, image=None, email_hash=b"keyed", password_version=1)
    assert (
        decode("SignedUp", encode(unknown, key=None, associated_data=PLACE), key=None, associated_data=PLACE) == unknown
    )


def test_personal_data_is_never_stored_without_a_key() -> None:
    with pytest.raises(SealedForNobody):
        encode(SIGNED_UP, key=None, associated_data=PLACE)


def test_the_commitment_is_the_hash_of_salt_and_personal_bytes() -> None:
    encoded = encode(SIGNED_UP, key=KEY, associated_data=PLACE)
    content = personal_content(encoded, key=KEY, associated_data=PLACE, name="SignedUp")
    assert content is not None
    assert json.loads(content[32:]) == {"email": "ada@example.com", "name": "Ada", "image": "https://x.io/ada.png"}
    assert b64decode(json.loads(encoded.body)["commitment"]) == sha256(content).digest() == commitment_in(encoded)


def test_the_same_event_twice_shares_neither_commitment_nor_box() -> None:
    first, second = (encode(SIGNED_UP, key=KEY, associated_data=PLACE) for _ in range(2))
    assert first.body != second.body
    assert first.sealed != second.sealed


def test_a_box_opens_only_in_its_place_and_untouched() -> None:
    encoded = encode(SIGNED_UP, key=KEY, associated_data=PLACE)
    assert encoded.sealed is not None
    with pytest.raises(InvalidTag):
        decode("SignedUp", encoded, key=KEY, associated_data=b"elsewhere")
    with pytest.raises(InvalidTag):
        decode(
            "SignedUp",
            Encoded(encoded.body, encoded.sealed[:-1] + bytes([encoded.sealed[-1] ^ 1])),
            key=KEY,
            associated_data=PLACE,
        )


def test_what_was_sealed_as_one_event_cannot_pass_for_another() -> None:
    encoded = encode(NameChanged(name="Ada"), key=KEY, associated_data=PLACE)
    assert decode("NameChanged", encoded, key=KEY, associated_data=PLACE) == NameChanged(name="Ada")
    with pytest.raises(InvalidTag):
        decode("ImageChanged", encoded, key=KEY, associated_data=PLACE)


def test_stored_bytes_of_the_wrong_type_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("SessionEnded", Encoded(b'{"reason":5}', None), key=None, associated_data=PLACE)


def test_an_unknown_stored_name_is_refused() -> None:
    with pytest.raises(UnknownEvent):
        decode("SessionEndedLongAgo", Encoded(b"{}", None), key=None, associated_data=PLACE)


def test_an_old_shape_is_read_as_the_new_one() -> None:
    upcasts = {"SessionStopped": ("SessionEnded", lambda stored: {"reason": stored["why"]})}
    old = Encoded(b'{"why":"signed_out"}', None)
    assert decode("SessionStopped", old, key=None, associated_data=PLACE, upcasts=upcasts) == SessionEnded(
        reason=EndReason.SIGNED_OUT
    )


def test_an_old_shape_with_personal_fields_is_read_with_and_without_its_key() -> None:
    content = b"s" * 32 + b'{"mail":"ada@example.com"}'
    box = b"n" * 12 + KEY.encrypt(b"n" * 12, content, PLACE)
    upcasts = {
        "Registered": (
            "SignedUp",
            lambda stored: {"email": stored.get("mail"), "email_hash": stored["hash"], "password_version": 1},
        )
    }
    old = Encoded(b'{"hash":"a2V5ZWQ=","commitment":"eA=="}', box)
    for key, email in ((KEY, "ada@example.com"), (None, None)):
        assert decode("Registered", old, key=key, associated_data=PLACE, upcasts=upcasts) == SignedUp(
            email=email, name=None, image=None, email_hash=b"keyed", password_version=1
        )


def test_every_sealed_field_is_found_by_its_annotation() -> None:
    assert codec.personal_fields(SignedUp) == ("email", "name", "image")
    assert codec.personal_fields(SessionEnded) == ()
