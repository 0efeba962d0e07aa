"""What a database must be before anything is written to it, and the keys it is read with."""

from __future__ import annotations

import os

from psycopg import Connection

from domain.chance import random_bytes
from domain.events.keys import KEY_LENGTH, Keyring, unwrap_data_key, wrap_data_key

from .connections import Values

OLDEST_SERVER = 15


class UnfitDatabase(Exception):
    """The database cannot keep the promises of the store; the message says why in one sentence."""


def require_durable(connection: Connection[Values]) -> None:
    """Raises UnfitDatabase for a server that is too old or that may lose what it acknowledged."""
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise UnfitDatabase(f"PostgreSQL {version} is too old: Daybook needs {OLDEST_SERVER} or newer.")
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is not None and row[0] == "off":
            raise UnfitDatabase(f"The database runs with {name} = off and may lose what it acknowledged: switch it on.")
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
        raise UnfitDatabase(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: the eventsourcing library would bypass the store. Unset it."
        )


def open_keyring(connection: Connection[Values], secret: str) -> Keyring:
    """The keys of this database, opened with the server's secret; the first start makes the first one.

    Raises WrongSecret if they were wrapped under another one.
    """
    first = wrap_data_key(random_bytes(KEY_LENGTH), secret=secret, generation=1)
    # Nodes that start together all offer a key; one of them is kept, and all read that one.
    connection.execute(
        "INSERT INTO data_keys (generation, wrapped) SELECT 1, %s WHERE NOT EXISTS (SELECT FROM data_keys)"
        " ON CONFLICT DO NOTHING",
        (first,),
    )
    stored = connection.execute("SELECT generation, wrapped FROM data_keys").fetchall()
    return Keyring(
        {generation: unwrap_data_key(wrapped, secret=secret, generation=generation) for generation, wrapped in stored}
    )
