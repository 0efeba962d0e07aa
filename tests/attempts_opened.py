"""The attempts that were written down, with where they came from opened, as their person would read them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from domain.store.attempts import opened_place
from domain.store.connections import connection_arguments
from domain.store.requirements import open_keyring
from tests.databases import Database
from tests.people import SECRET

_ALL = """
SELECT a.key, a.sealed, k.wrapped, a.person_id, a.command, a.code, a.times, a.first_at, a.last_at, a.after_position
  FROM attempts a LEFT JOIN subject_keys k ON k.subject_id = a.person_id ORDER BY a.first_at, a.key
"""


class Row(NamedTuple):
    """A row of the table; the address and the browser are None where it has no place."""

    person_id: UUID | None
    command: str
    code: str
    ip_address: str | None
    user_agent: str | None
    times: int
    first_at: datetime
    last_at: datetime
    after_position: int


def attempts_in(database: Database) -> list[Row]:
    """All of them, first ones first."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    rows = []
    for key, sealed, wrapped, person_id, command, code, *figures in database.rows(_ALL):
        place = None if person_id is None else opened_place(keyring, bytes(key), sealed, person_id, wrapped)
        where = (None, None) if place is None else (place.ip_address, place.user_agent)
        rows.append(Row(person_id, command, code, *where, *figures))
    return rows
