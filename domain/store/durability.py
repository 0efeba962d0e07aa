"""What was acknowledged must outlast the server: to find one's own row proves that it is visible, not that it is kept.

Where a standby is waited for (`synchronous_standby_names`), a wait that is cancelled or cut short leaves the commit
visible on this server and maybe nowhere else (PostgreSQL documentation, "Synchronous Replication"). A later commit on
the same server that does wait proves the earlier ones.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Lock

from .conflicts import StoreUnavailable
from .deadlines import STATEMENT, BoundedConnection, DeadlinePassed, OutOfTime, left_for_waiting
from .servers import require_writable

_PROOF_WITHIN = 2.0
# Without standbys to wait for, what is visible is on this server's disk: there is nothing to prove, and no commit.
_PROVE = """
SELECT CASE WHEN current_setting('synchronous_standby_names') <> ''
            THEN pg_logical_emit_message(true, 'daybook', ''::text) END
"""


def prove_durable(connection: BoundedConnection) -> None:
    """Return once everything that is visible to this connection is as durable as commits on its server are.

    Raises StoreUnavailable if that cannot be known in time, or psycopg.Error.
    """
    connection.warned = False
    connection.patience, connection.harmless = _PROOF_WITHIN, True
    try:
        connection.execute(_PROVE, prepare=True)
    except DeadlinePassed:
        raise StoreUnavailable from None
    finally:
        connection.patience, connection.harmless = STATEMENT, False
    require_writable(connection.pgconn)
    if connection.warned:
        raise StoreUnavailable


class Writers:
    """Who may write: some of a pool's connections, so that those who only read always find one.

    Once a commit was given up on, a standby is away or the server hangs. Each further commit would leave a process of
    the server waiting for good; so nobody writes until one small commit, tried by one at a time, came back.
    """

    def __init__(self, places: int) -> None:
        # of C, as are its waits: a semaphore of the standard library took a tenth of an append's time
        self._places = SimpleQueue[None]()
        for _ in range(places):
            self._places.put(None)
        self._stuck = False
        self._trying = Lock()

    def enter(self) -> None:
        """Take a place. Raises StoreUnavailable if none is free in time."""
        try:
            self._places.get(timeout=left_for_waiting())
        except Empty:
            raise StoreUnavailable from None

    def leave(self, error: BaseException | None) -> None:
        """Give the place back, with what went wrong meanwhile."""
        if isinstance(error, DeadlinePassed) and not isinstance(error, OutOfTime):
            self._stuck = True
        self._places.put(None)

    def require_commits(self, connection: BoundedConnection) -> None:
        """Before a write: where commits got stuck, one of those who come tries a small one. Raises StoreUnavailable."""
        if self._stuck:
            if not self._trying.acquire(blocking=False):
                raise StoreUnavailable
            try:
                prove_durable(connection)
                self._stuck = False
            finally:
                self._trying.release()
