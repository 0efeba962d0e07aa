"""The register of erasures: who was erased, to be certified, and again where a backup brought them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def erasures(read: Statements) -> list[Erasure]:
    """All there were, in the order in which they happened. Raises StoreUnavailable."""
    return _ERASURE.read_all(read.rows(f"{_ERASURES} ORDER BY x.erased_at, x.user_id"))


def erasure_of(read: Statements, user_id: UUID) -> Erasure | None:
    """That of a person, if they were erased. Raises StoreUnavailable."""
    return _ERASURE.find(read.row(f"{_ERASURES} WHERE x.user_id = $1", user_id))
