"""A certificate of an erasure: who was erased, when, where that is in the log, how many rows of which table it took.

Ids, times and numbers only, signed with a key that follows from the data key: whoever has the public key can check it
without a database, and a restored backup signs the same. It says what was done there, not that there is no copy
elsewhere.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .events.keys import Keyring

_KIND = "daybook erasure 1"
"""What is signed begins with it: no other text that the key signs can pass for one."""


class NoCertificate(ValueError):
    """Not a certificate, or not one that this key signed, or one that was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certified:
    """What a certificate says. `touched` is how many rows of which table were changed or deleted."""

    user_id: UUID
    erased_at: datetime
    position: int
    touched: Mapping[str, int]


def issue(keyring: Keyring, erasure: Certified) -> str:
    """The certificate, as JSON on one line: the same for the same erasure."""
    said = {
        "kind": _KIND,
        "userId": erasure.user_id.hex,
        "erasedAt": erasure.erased_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "position": erasure.position,
        "touched": dict(sorted(erasure.touched.items())),
    }
    signature = keyring.certificate_key.sign(_bytes(said))
    return json.dumps({"erasure": said, "signature": b64encode(signature).decode()})


def public_key(keyring: Keyring) -> str:
    """By which certificates can be checked without a database: 32 bytes (RFC 8032), in base64."""
    return b64encode(keyring.certificate_key.public_key().public_bytes_raw()).decode()


def check(certificate: str, key: str) -> Certified:
    """What a certificate says that was signed with the key of this public one. Raises NoCertificate."""
    try:
        given = json.loads(certificate)
        said, signature = given["erasure"], b64decode(given["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True)).verify(signature, _bytes(said))
        if said["kind"] != _KIND:
            raise NoCertificate
        return Certified(
            user_id=UUID(hex=said["userId"]),
            erased_at=datetime.fromisoformat(said["erasedAt"]),
            position=int(said["position"]),
            touched=said["touched"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, NoBase64, InvalidSignature):
        raise NoCertificate from None


def _bytes(said: Any) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
