"""The line to the database that asks for organizations as members see them, for all who ask meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from domain.store.connections import opened_within
from projections.lists.full_organization import FULL_ORGANIZATIONS, MOST, FullOrganization, full

from .prepared_line import PreparedLine, Statement, array
from .questions import Batch, Questions, succeed

_KEPT = 4_000_000
"""Bytes of rows whose meaning is kept, with what was answered some ten times as much: to tell fifty members anew takes
longer than to fetch them.
"""
_UUID, _BOOLEAN = psycopg.adapters.types["uuid"], psycopg.adapters.types["bool"]
_STATEMENT = Statement(
    name="daybook-organizations",
    text=FULL_ORGANIZATIONS,
    types=(_UUID.array_oid, _UUID.array_oid, _BOOLEAN.array_oid),
)
_YES, _NO = b"\x01", b"\x00"


class Asked(NamedTuple):
    """An organization, who sees it, and whether with its invitations."""

    organization_id: UUID
    user_id: UUID
    invitations: bool


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """An organization as somebody saw it; the same object for the same rows. `told` is what was answered, by route.

    `crowded` if it has more members, or invitations, than are told here.
    """

    full: FullOrganization
    crowded: bool
    told: dict[str, bytes] = field(default_factory=dict)


class OrganizationsSeen:
    """Organizations as members see them: committed state. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._questions = Questions[Asked, Seen | None](
            partial(OrganizationLine.open, conninfo), deadline=opened_within(conninfo)
        )

    async def seen(self, organization_id: UUID, user_id: UUID, *, invitations: bool) -> Seen | None:
        """An open organization, None if the person does not belong to it. Raises StoreAway."""
        return await self._questions.ask(Asked(organization_id, user_id, invitations))

    async def close(self) -> None:
        """Give the connection back."""
        await self._questions.close()


class OrganizationLine:
    """Answers by organization and person."""

    def __init__(self, line: PreparedLine) -> None:
        self._line, self._rows = line, Transformer(line.connection)
        self._known: dict[tuple[bytes | None, ...], Seen] = {}
        self._size = 0

    @staticmethod
    async def open(conninfo: str) -> OrganizationLine:
        """Connect. Raises psycopg.Error."""
        return OrganizationLine(await PreparedLine.open(conninfo, _STATEMENT))

    async def answer(self, batch: Batch[Asked, Seen | None]) -> None:
        """Answer all who ask. Raises psycopg.Error."""
        answer = await self._line.ask(
            array(_UUID.oid, [asked.organization_id.bytes for asked in batch]),
            array(_UUID.oid, [asked.user_id.bytes for asked in batch]),
            array(_BOOLEAN.oid, [_YES if asked.invitations else _NO for asked in batch]),
        )
        self._rows.set_pgresult(answer)
        found = {}
        for number in range(answer.ntuples):
            columns = tuple(answer.get_value(number, column) for column in range(answer.nfields))
            user_id, invitations, organization_id = columns[:3]
            found[organization_id, user_id, invitations == _YES] = self._seen(answer, number, columns)
        for asked, questions in batch.items():
            seen = found.get((asked.organization_id.bytes, asked.user_id.bytes, asked.invitations))
            for question in questions:
                succeed(question, seen)

    def _seen(self, answer: PGresult, number: int, columns: tuple[bytes | None, ...]) -> Seen:
        """What a row says; the same object for the same bytes, which are compared column by column."""
        seen = self._known.get(columns)
        if seen is None:
            [told] = self._rows.load_rows(number, number + 1, _full)
            crowded = max(len(told.members), len(told.invitations)) > MOST
            seen = Seen(told, crowded)
            if not crowded:
                self._keep(columns, seen)
        return seen

    def _keep(self, columns: tuple[bytes | None, ...], seen: Seen) -> None:
        size = sum(len(column) for column in columns if column is not None)
        if self._size + size > _KEPT:
            self._known.clear()
            self._size = 0
        self._known[columns] = seen
        self._size += size

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._line.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._line.close()


def _full(columns: Sequence[Any]) -> FullOrganization:
    return full(columns[2:])
