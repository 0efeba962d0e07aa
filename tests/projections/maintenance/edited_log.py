"""A superuser's hand in the log, the rules that verify knows them by, and what it finds."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg

from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.verify import Verified, verify
from tests.databases import Database
from tests.lived import Lives

COMMITMENT = "what was stored matches its commitment"
READABLE = "what was stored can be read"
CONTIGUOUS = "versions of each stream are contiguous"
HAS_EVENT = "each entry of the log has its event"
IN_LOG = "each event is in the log or waits for it"
HAS_COMMAND = "each event has its command"
DID_SOMETHING = "each command has an event"
KNOWN_SUBJECT = "each subject of sealed data has its place among the keys"
KNOWN_KEY = "each key of a subject is wrapped by a known data key"
PASSWORD_VERSION = "each password hash is of its account's version"

# The session that Bo has ended is one of three events: started, its organization chosen, ended.
OF_THE_ENDED = "stream_id = (SELECT session_id FROM session_list WHERE ended_at IS NOT NULL)"
LAST = "position = (SELECT max(position) FROM log)"


class EditedLog:
    """A little history, and a superuser's hand in it."""

    def __init__(self, database: Database, lives: Lives) -> None:
        self.database, self.lives = database, lives

    def edit(self, *statements: Any) -> None:
        """Triggers hold for everybody but those who replicate."""
        self.database.rows("SET session_replication_role = replica")
        for statement in statements:
            self.database.rows(*statement) if isinstance(statement, tuple) else self.database.rows(statement)
        self.database.rows("SET session_replication_role = origin")

    def verified(self) -> Verified:
        mapper = SealingMapper(self.lives.context.keyring)
        with psycopg.connect(self.database.application_url, **connection_arguments("tests")) as connection:
            return verify(connection, mapper, lambda *_: None)

    def findings(self) -> dict[str, tuple[int, str]]:
        result = self.verified()
        assert result.clean == (not result.findings and not differing(result))
        return {one.rule: (one.times, one.first) for one in result.findings}

    def text(self, sql: Any, *values: Any) -> str:
        return str(self.database.value(sql, *values))

    def ended(self) -> UUID:
        return UUID(self.text("SELECT session_id FROM session_list WHERE ended_at IS NOT NULL"))


def differing(result: Verified) -> dict[str, int]:
    return {one.table: one.differing for one in result.tables if one.differing}


def alter_body(log: EditedLog, table: str, where: str, **words: object) -> None:
    """Other words in a public part that was written as JSON."""
    body = json.loads(bytes(log.database.value(f"SELECT body FROM {table} WHERE {where}")))
    assert words.keys() <= body.keys()
    log.edit((f"UPDATE {table} SET body = %s WHERE {where}", json.dumps(body | words).encode()))
