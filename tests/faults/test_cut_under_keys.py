"""A connection cut while key rows are locked, at the append or the commit: all of it happened once, or none of it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.store import Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import connection_arguments, open_pool
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database
from tests.domain.store.entries import by_the_system
from tests.domain.store.forgetting import forgotten, keys_of, session_of, signed_up
from tests.faults.proxy import Cut, Proxy
from tests.faults.test_cut_connections import proxy
from tests.people import ADA, SECRET

__all__ = ["proxy"]

DONE = """
SELECT (SELECT count(*) FROM commands WHERE command_id = %(command)s), (SELECT max(version) FROM account_list),
       (SELECT count(*) FROM events WHERE command_id = %(command)s),
       (SELECT count(*) FROM session_list WHERE ip_address IS NULL),
       (SELECT count(*) FROM subject_keys WHERE wrapped IS NULL)
"""


@pytest.mark.parametrize("commits", [False, True], ids=["at the append", "at the commit"])
@pytest.mark.parametrize("cuts", [[cut] * times for cut in Cut for times in (1, 3)], ids=str)
def test_what_is_cut_happens_whole_or_not_at_all(
    store: Store, database: Database, proxy: Proxy, cuts: list[Cut], *, commits: bool
) -> None:
    signed_up(store, ADA, b"ada")
    session_of(store, ADA)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    proxy.commits = commits
    through = make_conninfo(
        database.application_url, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable"
    )
    pool = open_pool(through, size=4, name="tests")
    cut_off, command = Store(pool, keyring, INLINE), by_the_system()
    proxy.arm(*cuts)
    told = True
    try:
        cut_off.under_keys(command, keys_of(ADA), lambda held: forgotten(cut_off, held, command, ADA))
    except StoreUnavailable:
        told = False
    finally:
        pool.close()
    [done] = database.rows(DONE.replace("%(command)s", f"'{command.command_id}'"))
    assert done in ((1, 2, 1, 1, 1), (0, 1, 0, 0, 0))
    happened = done[0] == 1
    if told:
        assert happened
    if len(cuts) == 1:
        assert told, "what is cut once is done again"
    if commits and cuts[0] is Cut.AFTER:
        assert told, "that it happened is found, however often the answer gets lost"
