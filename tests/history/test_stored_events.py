"""A sample of every event ever stored, kept for ever: what was written once must be readable by every later release."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.events.catalogue import AGGREGATES, EVENT_BY_NAME, UPCASTS
from domain.events.codec import Encoded, decode, decode_as, encode
from domain.store.envelope import CommandRecord

SAMPLES = Path(__file__).parent / "samples"
OLDER = "_of_the_first_release"
"""Samples of shapes that are read, and not written any more."""
KEY = AESGCM(b"a key of samples, 32 bytes long!")


def samples() -> list[Path]:
    return sorted(SAMPLES.glob("*.json"))


def read(file: Path) -> tuple[dict[str, Any], Encoded]:
    sample = json.loads(file.read_text())
    return sample, Encoded(sample["body"].encode(), b64decode(sample["sealed"]) if sample["sealed"] else None)


@pytest.mark.parametrize("file", samples(), ids=lambda file: file.stem)
def test_a_stored_sample_reads_as_it_was_written(file: Path) -> None:
    sample, encoded = read(file)
    place = sample["place"].encode()
    if sample["name"] == "Command":
        decoded = decode_as(CommandRecord, encoded, key=KEY, associated_data=place)
    else:
        decoded = decode(sample["name"], encoded, key=KEY, associated_data=place)
    assert repr(decoded) == sample["reads_as"]


@pytest.mark.parametrize("file", samples(), ids=lambda file: file.stem)
def test_a_stored_sample_reads_without_its_key(file: Path) -> None:
    sample, encoded = read(file)
    if sample["name"] == "Command":
        assert decode_as(CommandRecord, encoded, key=None, associated_data=b"") is not None
    else:
        assert decode(sample["name"], encoded, key=None, associated_data=b"") is not None


def test_every_event_there_is_has_a_stored_name() -> None:
    assert set(EVENT_BY_NAME.values()) == {event for aggregate in AGGREGATES for event in aggregate.event_classes}


def test_every_stored_name_there_is_has_a_sample() -> None:
    assert {json.loads(file.read_text())["name"] for file in samples()} == {*EVENT_BY_NAME, *UPCASTS, "Command"}


@pytest.mark.parametrize("file", [file for file in samples() if not json.loads(file.read_text())["sealed"]], ids=str)
def test_public_bytes_are_written_as_they_always_were(file: Path) -> None:
    sample, encoded = read(file)
    if sample["name"] not in UPCASTS and sample["name"] != "Command" and not file.stem.endswith(OLDER):
        event = decode(sample["name"], encoded, key=None, associated_data=b"")
        assert encode(event, key=None, associated_data=b"").body == encoded.body
