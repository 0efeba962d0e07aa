"""Retention: what nobody needs any more is forgotten, and what has run out is noted, once a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Self

from api.edge.limiting.counters import Counters
from domain.clock import Clock
from domain.commands.invitation import expire_run_out
from domain.commands.lookups import Lookups
from domain.events.keys import Keyring
from domain.store import Store
from domain.store.attempts import Attempts
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import Pool
from domain.store.last_active import LastActive
from domain.store.servers import LOST
from projections import INLINE
from projections.deliveries import ended as deliveries
from projections.deliveries import farewells
from projections.lookups import ListLookups

_EVERY = 60.0
"""Seconds."""
_WHOLE_EVERY = 60
"""How many rounds pass between two that look through all there is."""
_ATTEMPTS_KEPT_FOR = timedelta(days=90)
_LAST_ACTIVE_KEPT_FOR = timedelta(days=7)
"""At least; and for as long as a session that nobody uses may live."""

_logger = logging.getLogger("daybook")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept, and for how long. `sessions_live_for` is how long a session lives that nobody uses,
    `kinds_sent` which deliveries this node has a transport for.
    """

    store: Store
    lookups: Lookups
    counters: Counters
    attempts: Attempts
    last_active: LastActive
    sessions_live_for: timedelta
    kinds_sent: Collection[str]
    clock: Clock

    @classmethod
    def over(
        cls,
        pool: Pool,
        keyring: Keyring,
        *,
        sessions_live_for: timedelta,
        kinds_sent: Collection[str] = (),
        clock: Clock,
    ) -> Self:
        """Of what is reached through these connections."""
        store = Store(pool, keyring, INLINE)
        return cls(
            store=store,
            lookups=ListLookups(store.statements),
            counters=Counters(store.statements),
            attempts=Attempts(pool, keyring),
            last_active=LastActive(store.statements),
            sessions_live_for=sessions_live_for,
            kinds_sent=kinds_sent,
            clock=clock,
        )

    def tidy(self, *, whole: bool) -> None:
        """Forget counters of rate limits that no window reaches any more, attempts and deliveries of long ago,
        and addresses of who was erased days ago.

        Note which invitations ran out, and drop what nobody can deliver.

        If `whole`, also when sessions were last used that have run out since: that takes a look through all there are.
        Raises StoreUnavailable.
        """
        now = self.clock()
        self.counters.forget()
        self.attempts.forget(now - _ATTEMPTS_KEPT_FOR)
        deliveries.forget(self.store.statements)
        deliveries.drop_unsent(self.store.statements, self.kinds_sent)
        farewells.forget(self.store.statements)
        expire_run_out(self.store, self.lookups, now=now)
        if whole:
            self.last_active.forget(now - max(self.sessions_live_for, _LAST_ACTIVE_KEPT_FOR))


def run_retention(retention: Retention, stop: threading.Event) -> None:
    """Tidy once a minute until told to stop; what fails is tried again the next time."""
    for number in count():
        if stop.wait(_EVERY):
            return
        try:
            retention.tidy(whole=number % _WHOLE_EVERY == 0)
        except (StoreUnavailable, *LOST):
            continue
        except Exception as error:
            # whatever is wrong this time, what nobody needs must not grow for ever
            _logger.error("Retention failed (%s) and is tried again.", type(error).__name__)
