"""Files in the folder for mail that are about somebody who was erased: until picked up, they hold an address.

Which those are follows from what the message's event is sealed under: its own key, or that of whoever caused it; or
from the erasure that it is part of.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from api.settings import Settings
from domain.clock import Clock
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import Statements, open_pool
from projections.deliveries.due import ACCOUNT_DELETED, named

_LOOKED_EVERY = 60.0
"""Seconds."""
_FAREWELL_KEPT_FOR = timedelta(days=3)
"""The message that says so is for the person: it may lie there for as long as it may wait to be sent."""
_AT_ONCE = 1_000
# a message that was on its way meanwhile may come into the folder a little later
_LATELY = "SELECT EXISTS (SELECT FROM erasures WHERE erased_at > clock_timestamp() - interval '15 minutes')"
_OF_ERASED = """
SELECT given.stream_id, given.version FROM unnest($1::uuid[], $2::integer[]) AS given (stream_id, version)
 WHERE EXISTS (SELECT FROM events e JOIN commands c USING (command_id)
                 JOIN subject_keys k ON k.subject_id IN (e.subject_id, c.subject_id, given.stream_id)
                WHERE e.stream_id = given.stream_id AND e.version = given.version AND k.wrapped IS NULL)
    OR EXISTS (SELECT FROM events e JOIN events gone USING (command_id)
                 JOIN erasures x ON x.user_id = gone.stream_id AND x.version = gone.version
                WHERE e.stream_id = given.stream_id AND e.version = given.version)
"""


class _File(NamedTuple):
    path: Path
    kind: str
    stream_id: UUID
    version: int


def remove_of_erased(folder: Path, statements: Statements, *, now: datetime) -> int:
    """Remove them, how many that was; farewells once they have lain there for days. Raises StoreUnavailable."""
    removed, files = 0, list(_files(folder))
    for begin in range(0, len(files), _AT_ONCE):
        some = files[begin : begin + _AT_ONCE]
        gone = set(statements.rows(_OF_ERASED, [one.stream_id for one in some], [one.version for one in some]))
        for one in some:
            if (one.stream_id, one.version) in gone and not _is_fresh_farewell(one, now=now):
                # a mail server may have picked it up by now, and another node may be at it too
                with suppress(OSError):
                    one.path.unlink()
                    removed += 1
    return removed


def run_removal(settings: Settings, conninfo: str, clock: Clock, stop: threading.Event) -> None:
    """Remove them at the start, and for a while after somebody was erased, until told to stop."""
    if (folder := settings.folder_of_mail) is None:
        stop.wait()
        return
    with open_pool(conninfo, size=1, name="daybook-erased-files") as pool:
        statements, wanted = Statements(pool), True
        while True:
            with suppress(StoreUnavailable):
                if wanted or statements.row(_LATELY) == (True,):
                    remove_of_erased(folder, statements, now=clock())
                    wanted = False
            if stop.wait(_LOOKED_EVERY):
                return


def _files(folder: Path) -> Iterator[_File]:
    """Those of ours; none of a folder that is not there at the moment."""
    with suppress(OSError):
        for path in folder.glob("*.eml"):
            with suppress(ValueError):
                yield _File(path, *named(path.stem))


def _is_fresh_farewell(file: _File, *, now: datetime) -> bool:
    with suppress(OSError):
        fresh = file.path.stat().st_mtime > (now - _FAREWELL_KEPT_FOR).timestamp()
        return file.kind == ACCOUNT_DELETED and fresh
    return False
