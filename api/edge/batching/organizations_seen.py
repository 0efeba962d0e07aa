"""The connection that asks for organizations as members see them, for all who ask meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult
from starlette.responses import Response

from api.edge.json_response import encode
from domain.store.connections import opened_within
from projections.lists.full_organization import FULL_ORGANIZATIONS, KEY, MOST, SEEN, FullOrganization, OrganizationKey

from .batcher import Batch, Batcher, succeed
from .prepared_connection import PreparedConnection, Statement, array

_KEPT = 4_000_000
"""Bytes of rows whose meaning is kept, with what was answered some ten times as much: to tell fifty members anew takes
longer than to fetch them.
"""
_WAYS_KEPT = 8
"""Answers about one organization that are kept: whole, as a page, in another order."""
_UUID, _BOOLEAN = psycopg.adapters.types["uuid"], psycopg.adapters.types["bool"]
_STATEMENT = Statement(
    name="daybook-organizations",
    text=FULL_ORGANIZATIONS,
    types=(_UUID.array_oid, _UUID.array_oid, _BOOLEAN.array_oid),
)
_YES, _NO = b"\x01", b"\x00"


@dataclass(frozen=True, slots=True, eq=False)
class OrganizationView:
    """An organization as somebody saw it; the same object for the same rows. `told` is what was answered, by way.

    `crowded` if it has more members, or invitations, than are told here.
    """

    full: FullOrganization
    crowded: bool
    told: dict[str, bytes] = field(default_factory=dict)

    def answer(self, shown_as: str, tell: Callable[[FullOrganization], object]) -> Response:
        """What is told of it, encoded once for the same rows, however often it is asked for in this way."""
        body = self.told.get(shown_as)
        if body is None:
            body = encode(tell(self.full))
            if len(self.told) < _WAYS_KEPT:
                self.told[shown_as] = body
        return Response(body, media_type="application/json")


class OrganizationsSeen:
    """Organizations as members see them: committed state. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._batcher = Batcher[OrganizationKey, OrganizationView | None](
            partial(OrganizationConnection.open, conninfo), deadline=opened_within(conninfo)
        )

    async def seen(self, organization_id: UUID, user_id: UUID, *, invitations: bool) -> OrganizationView | None:
        """An open organization, None if the person does not belong to it. Raises StoreUnavailable."""
        return await self._batcher.submit(OrganizationKey(organization_id, user_id, invitations))

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


class OrganizationConnection:
    """Answers by organization and person."""

    def __init__(self, connection: PreparedConnection) -> None:
        self._connection, self._rows = connection, Transformer(connection.psycopg)
        self._known: dict[tuple[bytes | None, ...], OrganizationView] = {}
        self._size = 0

    @staticmethod
    async def open(conninfo: str) -> OrganizationConnection:
        """Connect. Raises psycopg.Error."""
        return OrganizationConnection(await PreparedConnection.open(conninfo, _STATEMENT))

    async def run(self, batch: Batch[OrganizationKey, OrganizationView | None]) -> None:
        """Answer all who wait. Raises psycopg.Error."""
        answer = await self._connection.run(
            array(_UUID.oid, [asked.organization_id.bytes for asked in batch]),
            array(_UUID.oid, [asked.user_id.bytes for asked in batch]),
            array(_BOOLEAN.oid, [_YES if asked.invitations else _NO for asked in batch]),
        )
        self._rows.set_pgresult(answer)
        found = {}
        for number in range(answer.ntuples):
            columns = tuple(answer.get_value(number, column) for column in range(answer.nfields))
            found[columns[: KEY.width]] = self._seen(answer, number, columns)
        for asked, waiting in batch.items():
            seen = found.get(_as_bytes(asked))
            for pending in waiting:
                succeed(pending, seen)

    def _seen(self, answer: PGresult, number: int, columns: tuple[bytes | None, ...]) -> OrganizationView:
        """What a row says; the same object for the same bytes, which are compared column by column."""
        seen = self._known.get(columns)
        if seen is None:
            [(_, full)] = self._rows.load_rows(number, number + 1, SEEN.read)
            crowded = max(len(full.members), len(full.invitations)) > MOST
            seen = OrganizationView(full, crowded)
            if not crowded:
                self._keep(columns, seen)
        return seen

    def _keep(self, columns: tuple[bytes | None, ...], seen: OrganizationView) -> None:
        size = sum(len(column) for column in columns if column is not None)
        if self._size + size > _KEPT:
            self._known.clear()
            self._size = 0
        self._known[columns] = seen
        self._size += size

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._connection.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()


def _as_bytes(key: OrganizationKey) -> tuple[bytes, ...]:
    """As the columns of `KEY` come back."""
    organization_id, user_id, invitations = key
    return organization_id.bytes, user_id.bytes, _YES if invitations else _NO
