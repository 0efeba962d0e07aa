"""The keys: one per subject for personal data, wrapped by the data key, which the server's secret wraps."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.ids import random_bytes

KEY_LENGTH = 32
NONCE_LENGTH = 12
LINK_LENGTH = 32
"""Hex digits of an invitation's id in its link."""
_GENERATION_LENGTH = 4


class WrongSecret(Exception):
    """The data key of this database was wrapped under another secret."""


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose only (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=purpose.encode()).derive(key)


def seal(key: AESGCM, content: bytes, associated_data: bytes) -> bytes:
    """AES-256-GCM under a fresh nonce, which stands in front; a box opens only with the same `associated_data`."""
    nonce = random_bytes(NONCE_LENGTH)
    return nonce + key.encrypt(nonce, content, associated_data)


def unseal(key: AESGCM, box: bytes, associated_data: bytes) -> bytes:
    """The content of a box. Raises cryptography's InvalidTag if the key, the associated data or a byte is wrong."""
    return key.decrypt(box[:NONCE_LENGTH], box[NONCE_LENGTH:], associated_data)


def wrap_data_key(data_key: bytes, *, secret: str, generation: int) -> bytes:
    """A data key as it is stored: under the server's secret."""
    return seal(_secret_key(secret), data_key, _generation(generation))


def unwrap_data_key(wrapped: bytes, *, secret: str, generation: int) -> bytes:
    """A stored data key opened with the server's secret. Raises WrongSecret."""
    try:
        return unseal(_secret_key(secret), wrapped, _generation(generation))
    except InvalidTag:
        raise WrongSecret from None


class Keyring:
    """Opens and makes the keys of subjects, and hashes what must be found again without being readable.

    `data_keys` are 32-byte keys by generation. New subject keys are wrapped by the newest; hashes use the oldest, so
    that they never change; so does the key that signs certificates of erasures (Ed25519, RFC 8032). `stored` are the
    same as they stand in the log, wrapped.
    """

    def __init__(self, data_keys: Mapping[int, bytes], *, stored: Mapping[int, bytes] | None = None) -> None:
        self._wrapping = {
            generation: AESGCM(derive(key, "daybook subject keys")) for generation, key in data_keys.items()
        }
        self._addresses = {
            generation: AESGCM(derive(key, "daybook addresses")) for generation, key in data_keys.items()
        }
        self._stored = dict(stored or {})
        self._newest = max(data_keys)
        self._hashing = derive(data_keys[min(data_keys)], "daybook keyed hashes")
        self.certificate_key = Ed25519PrivateKey.from_private_bytes(
            derive(data_keys[min(data_keys)], "daybook erasure certificates")
        )

    def stand_in(self, stored: Mapping[int, bytes]) -> bool:
        """Whether a log that stores these is the one they were read from: what is sealed with them opens again."""
        return self._stored.items() <= stored.items()

    def new_subject_key(self, subject_id: UUID) -> bytes:
        """A fresh key for a subject, wrapped: what `subject_keys` stores."""
        box = seal(self._wrapping[self._newest], random_bytes(KEY_LENGTH), subject_id.bytes)
        return _generation(self._newest) + box

    def open(self, subject_id: UUID, wrapped: bytes) -> AESGCM:
        """A subject's key. Opened keys are kept by their wrapped bytes: a destroyed one is never asked for again.

        Raises cryptography's InvalidTag, also if it was wrapped by a data key nobody knows.
        """
        wrapping = self._wrapping.get(int.from_bytes(wrapped[:_GENERATION_LENGTH]))
        if wrapping is None:
            raise InvalidTag
        return _opened(wrapping, subject_id.bytes, wrapped[_GENERATION_LENGTH:])

    def email_hash(self, email: str) -> bytes:
        """The keyed hash of a canonical address (HMAC-SHA256): unique slot and look-up key, unreadable in any log."""
        return self._hash("email", email)

    def invitation_link(self, invitation_id: UUID) -> str:
        """The id of an invitation as it stands in its link, 32 hex digits: to be made again, never to be guessed.

        Whoever has the link has it; who has a dump of the database has not (wire.md A26).
        """
        return self._hash("invitation", invitation_id.hex)[:16].hex()

    def link_hash(self, link: str) -> bytes:
        """The keyed hash by which an invitation is found by the id in its link."""
        return self._hash("link", link)

    def mailed_link(self, stream_id: UUID, version: int, command_id: UUID) -> str:
        """The secret of a link that this event has sent by mail, 32 hex digits: to be made again, never to be guessed.

        Who has a dump of the database has it as little as that of an invitation; it is found by its `link_hash`. The
        command is in it, since in a database that was restored, or that lost its last moments, another event stands at
        the same place: its link must be another, for it goes to somebody else.
        """
        return self._hash("mailed link", f"{stream_id.hex}.{version}.{command_id.hex}")[:16].hex()

    def mailed_link_of_before(self, stream_id: UUID, version: int) -> str:
        """The same as earlier releases made it; one of theirs may still be due when this one starts."""
        return self._hash("mailed link", f"{stream_id.hex}.{version}")[:16].hex()

    def mailed_invitation_link(self, invitation_id: UUID) -> str:
        """The id of an invitation as it stands in the link that goes out by mail: with a proof that it did.

        Who invited knows the id too. What follows it, 32 hex digits more, knows nobody but who reads that mail.
        """
        link = self.invitation_link(invitation_id)
        return link + self._proof_of_mail(link)

    def went_by_mail(self, link: str) -> bool:
        """Whether the id of an invitation that somebody brings went to them by mail."""
        known, proof = link[:LINK_LENGTH], link[LINK_LENGTH:]
        # compared as bytes: what is brought may be any text
        return hmac.compare_digest(proof.encode(), self._proof_of_mail(known).encode())

    def invitation_hash(self, link: str) -> bytes:
        """The keyed hash by which an invitation is found by the id that somebody brings, if it went by mail or not."""
        return self.link_hash(link[:LINK_LENGTH] if self.went_by_mail(link) else link)

    def _proof_of_mail(self, link: str) -> str:
        return self._hash("mailed invitation", link)[:16].hex()

    def picture_link(self, owner_id: UUID, content: bytes) -> str:
        """Under what a picture of its owner's is handed out, 32 hex digits: never to be guessed.

        The same for the same bytes, so that the same once more changes nothing, and what is found there never does.
        """
        return self._hash("picture", owner_id.hex + sha256(content).hexdigest())[:16].hex()

    def slug_hash(self, slug: str) -> bytes:
        """The keyed hash of a slug, letter for letter: by which it is found and kept unique."""
        return self._hash("slug", slug)

    def slug_slots(self, slug: str) -> tuple[bytes, bytes]:
        """By what a slug may be claimed: its keyed hash, or what an event of the first release stands for."""
        return self.slug_hash(slug), legacy_slug_hash(slug)

    def limit_key(self, *parts: str) -> bytes:
        """The keyed hash under which a rate limit counts: no address stands in its table."""
        return self._hash("limit", "\x1f".join(parts))

    def attempt_key(self, *parts: str) -> bytes:
        """The keyed hash under which refused commands of one kind are counted."""
        return self._hash("attempt", "\x1f".join(parts))

    def seal_address(self, address: str, *, stream_id: UUID, version: int) -> bytes:
        """An address that outlives its person's key until one last message is sent, sealed under the data key."""
        return _generation(self._newest) + seal(
            self._addresses[self._newest], address.encode(), stream_id.bytes + version.to_bytes(4)
        )

    def open_address(self, sealed: bytes, *, stream_id: UUID, version: int) -> str:
        """What `seal_address` sealed. Raises cryptography's InvalidTag."""
        key = self._addresses.get(int.from_bytes(sealed[:_GENERATION_LENGTH]))
        if key is None:
            raise InvalidTag
        return unseal(key, sealed[_GENERATION_LENGTH:], stream_id.bytes + version.to_bytes(4)).decode()

    def _hash(self, purpose: str, content: str) -> bytes:
        return hmac.digest(self._hashing, f"{purpose}\x1e{content}".encode(), "sha256")


def legacy_slug_hash(slug: str) -> bytes:
    """The slot of a slug that stands in the clear in an old event: any release can tell it from the event alone."""
    return sha256(slug.encode()).digest()


def token_hash(token: str) -> bytes:
    """What is stored of a session's secret. Its 190 random bits need no key and no salt."""
    return sha256(token.encode()).digest()


@lru_cache(10_000)
def _opened(wrapping: AESGCM, subject: bytes, box: bytes) -> AESGCM:
    return AESGCM(unseal(wrapping, box, subject))


def _secret_key(secret: str) -> AESGCM:
    return AESGCM(derive(secret.encode(), "daybook data keys"))


def _generation(generation: int) -> bytes:
    return generation.to_bytes(_GENERATION_LENGTH)
