"""Key rows locked first, then all else read, decided and appended, in one transaction: the door that erasure takes.

Whoever seals for a subject has its key row, not destroyed, as the first link of their append's chain, and waits here or
finds the key gone. What is read once the locks are held is what was committed last, and nothing more is sealed under
these keys until this transaction is over. Key rows come first in everybody's order and are locked in that of their ids;
all other rows are locked by the one append, whose chain has the same order too (`statement`). So nobody who waits is
waited for (docs/decisions/0037-key-rows-are-locked-first.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from psycopg import RawCursor

from domain.refusals import SubjectGone

from .conflicts import StreamMovedOn
from .connections import Values
from .deadlines import BoundedConnection
from .envelope import Subject
from .pictures import no_picture
from .rows import SUBJECT_KEYS, Table, Write, change
from .select_list import SelectList
from .statement import Link, Mode

# More than the lock of an append: nobody may read a key for sealing who would write after it is destroyed.
_SUBJECT = SelectList(Subject, subject_id="subject_id", wrapped="wrapped", person_id="person_id")
_LOCKED = f"""
SELECT {_SUBJECT.sql} FROM subject_keys WHERE subject_id = ANY($1::uuid[])
 ORDER BY subject_id FOR UPDATE
"""
_KNOWN = "SELECT FROM commands WHERE command_id = $1"


class Reading(Protocol):
    """Where single statements are asked: each on any connection, or all in one transaction."""

    def rows(self, sql: str, *values: Any, binary: bool = False) -> list[Values]:
        """All rows of a query with `$1`-style parameters."""
        ...

    def row(self, sql: str, *values: Any, binary: bool = False) -> Values | None:
        """The first row of a query, None if there is none."""
        ...


Whose = Callable[[Reading], Collection[UUID]]
"""Which subjects' key rows are to be locked, as far as what is committed says so.

The same before what is done under them and after it: one that is done again waits for the locks it held.
"""


@dataclass(frozen=True, slots=True)
class Blanked:
    """Columns of a stream's row that lose what they say, at the version the row was read at, which it keeps.

    As a rebuild makes them once the key is gone.
    """

    table: Table
    key: UUID
    version: int
    columns: Sequence[str]

    @property
    def link(self) -> Link:
        """The row must still stand where it was read: what came later may have to be blanked too."""
        return Link(self.table, self.key, self.version, Mode.CHANGE)

    @property
    def write(self) -> Write:
        """What becomes of it."""
        return Write(self.table, self.key, change(**dict.fromkeys(self.columns)))


@dataclass(slots=True)
class HeldKeys:
    """Key rows that are locked until their transaction ends, each as it stands, and what is read under them."""

    connection: BoundedConnection
    subjects: Mapping[UUID, Subject] = field(default_factory=dict)
    appended: bool = False

    def rows(self, sql: str, *values: Any, binary: bool = False) -> list[Values]:
        """All rows of a query with `$1`-style parameters, in this transaction. It must lock nothing."""
        with RawCursor(self.connection) as cursor:
            return cursor.execute(sql, values, prepare=True, binary=binary).fetchall()

    def row(self, sql: str, *values: Any, binary: bool = False) -> Values | None:
        """The first row of a query, None if there is none."""
        found: Sequence[Values] = self.rows(sql, *values, binary=binary)
        return found[0] if found else None

    def write(self, sql: str, values: Sequence[Any]) -> int:
        """Run the transaction's one append; how many events it wrote."""
        assert not self.appended, "a second append would lock rows after others, in no order"
        self.appended = True
        with RawCursor(self.connection) as cursor:
            return cursor.execute(sql, values, prepare=True).rowcount

    def after_append(self, sql: str, *values: Any) -> int:
        """Run a statement over rows that no append locks, once the one append has all its locks; how many it wrote."""
        assert self.appended, "what an append locks comes before what it does not"
        with RawCursor(self.connection) as cursor:
            return cursor.execute(sql, values, prepare=True).rowcount

    def destroyed(self, subject_ids: Iterable[UUID]) -> list[Write]:
        """What destroys these keys, of those held, and the pictures that are sealed with them."""
        destroyed = sorted(set(subject_ids))
        assert self.subjects.keys() >= set(destroyed), "only a key that is held can be destroyed"
        keys = [Write(SUBJECT_KEYS, subject_id, change(wrapped=None)) for subject_id in destroyed]
        return [*keys, *map(no_picture, destroyed)]

    def require_held(self, links: Iterable[Link]) -> None:
        """A key row locked only now might be waited for by somebody who waits for one of these."""
        keys = {link.key for link in links if link.table is SUBJECT_KEYS}
        assert keys <= self.subjects.keys(), "what is sealed for is held from the beginning"


def hold_keys(connection: BoundedConnection, whose: Whose) -> HeldKeys:
    """Lock the key rows in the order of their ids, in the connection's transaction.

    Which they are is asked again once they are held, since more may have come until then. Raises StreamMovedOn if so,
    SubjectGone if there are none.
    """
    held = HeldKeys(connection)
    wanted = set(whose(held))
    held.subjects = {one.subject_id: one for one in _SUBJECT.read_all(held.rows(_LOCKED, list(wanted)))}
    if not held.subjects:
        raise SubjectGone
    if not set(whose(held)) <= wanted:
        raise StreamMovedOn
    return held


def one_a_row(links: Iterable[Link]) -> list[Link]:
    """Of links to one row the stronger: who first shares a row and then changes it may wait for another who does.

    Raises StreamMovedOn if they speak of different versions.
    """
    found: dict[tuple[str, UUID], Link] = {}
    for link in links:
        before = found.setdefault((link.table.name, link.key), link)
        if before.version != link.version:
            raise StreamMovedOn
        if link.mode is Mode.CHANGE:
            found[link.table.name, link.key] = link
    return list(found.values())


def happened(held: HeldKeys, command_id: UUID) -> bool:
    """Whether an earlier try of this command was committed: it held the same locks, and is over."""
    return bool(held.rows(_KNOWN, command_id))
