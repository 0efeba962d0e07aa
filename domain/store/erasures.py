"""The register of erasures: who was erased, to be certified, and again where a backup brought them back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from .connections import Statements
from .select_list import SelectList


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody who was erased, by which version of their stream; `position` is None until that is in the log.

    `certificate` is what was issued before a backup was restored and they were erased once more.
    """

    user_id: UUID
    version: int
    erased_at: datetime
    touched: str
    certificate: str | None
    position: int | None

    @property
    def rows_touched(self) -> Mapping[str, int]:
        """How many rows of which table it took."""
        counted: dict[str, int] = json.loads(self.touched)
        return counted


_ERASURE = SelectList(
    Erasure,
    user_id="x.user_id",
    version="x.version",
    erased_at="x.erased_at",
    touched="x.touched",
    certificate="x.certificate",
    position="l.position",
)
_ERASURES = f"""
SELECT {_ERASURE.sql} FROM erasures x LEFT JOIN log l ON l.stream_id = x.user_id AND l.version = x.version
"""


_KEEP = """
WITH before AS (
    INSERT INTO erasures_before (user_id, certificate) VALUES ($1, $2) ON CONFLICT DO NOTHING
)
INSERT INTO erased_addresses (user_id, email_hash) SELECT $1, unnest($3::bytea[]) ON CONFLICT DO NOTHING
RETURNING true
"""
_BEFORE = "SELECT user_id, certificate FROM erasures_before ORDER BY user_id"


def keep_from_before(write: Statements, user_id: UUID, *, certificate: str, email_hashes: Collection[bytes]) -> None:
    """Keep what an export says of an erasure, whoever is there: for the next export. Twice is as once.

    Of several certificates of one person the first stays. Raises StoreUnavailable.
    """
    write.rows(_KEEP, user_id, certificate, sorted(email_hashes))


def certified_before(read: Statements) -> Mapping[UUID, str]:
    """The certificates that were kept, of whom. Raises StoreUnavailable."""
    return {user_id: certificate for user_id, certificate in read.rows(_BEFORE)}


def addresses_kept(read: Statements) -> Mapping[UUID, Collection[bytes]]:
    """The keyed hashes that were kept, of whose addresses. Raises StoreUnavailable."""
    kept = defaultdict[UUID, set[bytes]](set)
    for user_id, email_hash in read.rows("SELECT user_id, email_hash FROM erased_addresses"):
        kept[user_id].add(bytes(email_hash))
    return kept


def erasures(read: Statements) -> list[Erasure]:
    """All there were, in the order in which they happened. Raises StoreUnavailable."""
    return _ERASURE.read_all(read.rows(f"{_ERASURES} ORDER BY x.erased_at, x.user_id"))


def erasure_of(read: Statements, user_id: UUID) -> Erasure | None:
    """That of a person, if they were erased. Raises StoreUnavailable."""
    return _ERASURE.find(read.row(f"{_ERASURES} WHERE x.user_id = $1", user_id))
