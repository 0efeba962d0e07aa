"""Events to bytes and back: the public part as plain JSON, the personal part sealed, a commitment between the two.

The public bytes are kept exactly as they were written, because proofs cover them; they hold SHA-256 over the sealed
content, which begins with a random salt. Who is given that content can check it; once the key is destroyed nobody can,
and the commitment says nothing (docs/decisions/0005-sealed-personal-data.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from threading import Lock
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.ids import random_bytes
from domain.personal import PersonalMark

from . import catalogue
from .keys import seal, unseal

SALT_LENGTH = 32
COMMITMENT = "commitment"

T = TypeVar("T")

_personal_fields: dict[type[Any], tuple[str, ...]] = {}
_left_out: dict[type[Any], tuple[str, ...]] = {}
_explored: set[type[Any]] = set()
_exploring = Lock()

_encoder = msgspec.json.Encoder()
_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode


class SealedForNobody(Exception):
    """Personal data was to be stored without a subject whose key could seal it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A stored payload: the public bytes, and the box with the personal ones (None if there are none)."""

    body: bytes
    sealed: bytes | None


def encode(
    event: Any, *, key: AESGCM | None, associated_data: bytes, beside: bytes = b"", without: str = ""
) -> Encoded:
    """The stored form of an event or of anything else with personal fields.

    `associated_data` says where it will stand, `beside` what stands there with it. Both are bound to the box, as are
    the stored name of an event and all that its public part says: what was sealed as one thing cannot pass for
    another. A field that may be left out is, where it says nothing, and so is the one that is said beside it
    (`without`). Raises SealedForNobody without a key where one is needed.
    """
    hidden, optional = personal_fields(type(event)), _optional_fields(type(event))
    if not hidden and not optional:
        return Encoded(_encoder.encode(event), None)
    public = dict(vars(event))
    personal = {name: public.pop(name) for name in hidden}
    for name in optional:
        if public.get(name) is None:
            public.pop(name, None)
    public.pop(without, None)
    if all(value is None for value in personal.values()):
        return Encoded(_encoder.encode(public), None)
    if key is None:
        raise SealedForNobody(type(event).__name__)
    content = random_bytes(SALT_LENGTH) + _encoder.encode(personal)
    public[COMMITMENT] = commitment_to(content)
    body = _encoder.encode(public)
    return Encoded(body, seal(key, content, associated_data + _name_of(event) + beside + body))


def decode(
    name: str,
    encoded: Encoded,
    *,
    key: AESGCM | None,
    associated_data: bytes,
    beside: bytes = b"",
    upcasts: Mapping[str, catalogue.Upcast] = catalogue.UPCASTS,
) -> Any:
    """The event stored under `name`, validated against its class; personal fields are None without the key.

    Raises UnknownEvent, msgspec.DecodeError, or cryptography's InvalidTag.
    """
    if upcasts is catalogue.UPCASTS and (read := _plain_decoder(name)) is not None:
        return read(encoded.body)
    fields = _fields(
        encoded, personal_content(encoded, key=key, associated_data=associated_data, name=name, beside=beside)
    )
    name, stored = catalogue.current(name, fields, upcasts)
    return _converted(stored, catalogue.event_class(name))


def decode_as(kind: type[T], encoded: Encoded, *, key: AESGCM | None, associated_data: bytes, **known: Any) -> T:
    """As `decode`, for what is not an event and has one shape only; `known` is what may be said beside it."""
    content = personal_content(encoded, key=key, associated_data=associated_data, name="")
    return _converted(known | _fields(encoded, content), kind)


def personal_content(
    encoded: Encoded, *, key: AESGCM | None, associated_data: bytes, name: str, beside: bytes = b""
) -> bytes | None:
    """Salt and personal bytes, as they were committed to; None if there are none or the key is gone.

    `name` is the stored name, "" of what is no event. Raises cryptography's InvalidTag.
    """
    if encoded.sealed is None or key is None:
        return None
    try:
        return unseal(key, encoded.sealed, associated_data + name.encode() + beside + encoded.body)
    except InvalidTag:
        # boxes of the first release were bound to their place only
        return unseal(key, encoded.sealed, associated_data)


def personal_part(content: bytes) -> dict[str, Any]:
    """The personal fields in what `personal_content` returned."""
    return _decode_fields(content[SALT_LENGTH:])


def commitment_to(content: bytes) -> bytes:
    """What the public part says of the personal one."""
    return sha256(content).digest()


def commitment_in(encoded: Encoded) -> bytes | None:
    """The commitment that stands in the public bytes; None if nothing personal was sealed."""
    stored = _decode_fields(encoded.body).get(COMMITMENT)
    return None if stored is None else msgspec.convert(stored, bytes)


def personal_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields a class marks as personal; looked up once per class."""
    if kind not in _personal_fields:
        hints = get_type_hints(kind, include_extras=True)
        _personal_fields[kind] = tuple(field.name for field in fields(kind) if _is_personal(hints[field.name]))
    return _personal_fields[kind]


def _name_of(event: Any) -> bytes:
    return catalogue.NAME_BY_EVENT.get(type(event), "").encode()


def _fields(encoded: Encoded, personal: bytes | None) -> dict[str, Any]:
    public = _decode_fields(encoded.body)
    return public if personal is None else public | personal_part(personal)


def _converted(stored: dict[str, Any], kind: type[T]) -> T:
    hidden = dict.fromkeys(personal_fields(kind))
    _explore(kind)
    return msgspec.convert(hidden | stored, kind)


def _explore(kind: type[Any]) -> None:
    """Let msgspec find out what a class is made of, before anything is read as one.

    It keeps that with the class from the moment it begins: a second thread would read by the half of it, and the
    process would end with a segmentation fault.
    """
    if kind not in _explored:
        with _exploring:
            msgspec.json.Decoder(kind)
        _explored.add(kind)


def _is_personal(hint: Any) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(mark, PersonalMark) for mark in get_args(hint))


def _optional_fields(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _left_out:
        hidden = personal_fields(kind)
        _left_out[kind] = tuple(one.name for one in fields(kind) if one.default is None and one.name not in hidden)
    return _left_out[kind]


@cache
def _plain_decoder(name: str) -> Any:
    """Reads events stored under a name in one go, if they are of the newest shape and nothing of them is personal."""
    if name in catalogue.UPCASTS or personal_fields(event := catalogue.event_class(name)):
        return None
    _explore(event)
    return msgspec.json.Decoder(event).decode
