"""What the background process does in an order of its own."""

from __future__ import annotations

import threading

from api.background.tasks import sequence
from domain.store import Store
from domain.store.wakeups import Wakeups
from tests.databases import Database
from tests.domain.store.entries import a_session


def test_followers_have_their_places_before_anything_is_entered(database: Database, store: Store) -> None:
    """In a new database nothing is of before: what waits for the log already may mean a message."""
    a_session(store)
    stopped = threading.Event()
    stopped.set()
    sequence(database.application_url, Wakeups(""), stopped)
    assert database.rows("SELECT FROM log") == []
    places = database.rows("SELECT name, position, began_after, restarts FROM followers ORDER BY name")
    assert places == [("deliveries", -1, -1, 0), ("journal", -1, -1, 0)]
