"""Pictures: one row for each who shows one, sealed under their key, beside the history like password hashes.

An event says where a picture is found. What it replaces is gone with the commit of that event, and all of them with
the key (docs/decisions/0041-pictures.md).
"""

from __future__ import annotations

from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.events.keys import Keyring, seal, unseal

from .connections import Statements
from .rows import PICTURES, Write, change, keep

_FOUND = """
SELECT p.owner_id, p.sealed, k.wrapped FROM pictures p JOIN subject_keys k ON k.subject_id = p.owner_id
 WHERE p.link = $1 AND k.wrapped IS NOT NULL
"""


def kept_picture(owner_id: UUID, key: AESGCM, *, link: str, content: bytes) -> Write:
    """The row that goes with showing this picture, sealed with its owner's key, instead of the one of before."""
    return Write(PICTURES, owner_id, keep(link=link, sealed=seal(key, content, _associated_data(owner_id, link))))


def no_picture(owner_id: UUID) -> Write:
    """What goes with showing none that is kept here; nothing happens if there was none."""
    return Write(PICTURES, owner_id, change(link=None, sealed=None))


def find_picture(statements: Statements, keyring: Keyring, link: str, *, of: UUID | None = None) -> bytes | None:
    """The picture with this link; None if there is none, its owner's key is gone, or it was damaged.

    `of` is whose it must be, if it must be somebody's.
    """
    found = statements.row(_FOUND, link, binary=True)
    if found is None or of not in (None, found[0]):
        return None
    try:
        return open_picture(keyring, *found, link=link)
    except InvalidTag:
        return None


def open_picture(keyring: Keyring, owner_id: UUID, sealed: bytes, wrapped: bytes, *, link: str) -> bytes:
    """The content of a row. Raises cryptography's InvalidTag."""
    return unseal(keyring.open(owner_id, wrapped), sealed, _associated_data(owner_id, link))


def _associated_data(owner_id: UUID, link: str) -> bytes:
    return b"picture" + owner_id.bytes + link.encode()
