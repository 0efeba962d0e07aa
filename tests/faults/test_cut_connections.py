"""A connection cut around an append: what is told is true, nothing is lost, nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.cli.embedded import PORT, EmbeddedPostgres
from domain.clock import now
from domain.commands.context import Context
from domain.commands.session import SignedIn, sign_out
from domain.commands.user import sign_up
from domain.events.keys import token_hash
from domain.passwords import Argon2Parameters, Passwords
from domain.session import Lifetimes
from domain.store import Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import connection_arguments, open_pool
from domain.store.envelope import WhereFrom
from domain.store.requirements import open_keyring
from projections import INLINE
from projections.lookups import ListLookups
from tests.databases import Database
from tests.faults.half_done import accounts, half_done
from tests.faults.proxy import Cut, Proxy
from tests.people import PASSWORD, SECRET

HERE = WhereFrom("192.0.2.1", "a browser")
CHEAP = Argon2Parameters(memory=64, time=1)
"""What a hash costs does not matter here."""


@pytest.fixture
def proxy(cluster: EmbeddedPostgres) -> Iterator[Proxy]:
    folder = conninfo_to_dict(cluster.conninfo("daybook"))["host"]
    proxy = Proxy(Path(str(folder)) / f".s.PGSQL.{PORT}")
    yield proxy
    proxy.close()


@pytest.fixture
def context(database: Database, proxy: Proxy) -> Iterator[Context]:
    """What commands work with, every connection of it through the proxy."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    through = make_conninfo(
        database.application_url, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable"
    )
    pool = open_pool(through, size=4, name="tests")
    store = Store(pool, keyring, INLINE)
    passwords = Passwords(CHEAP, threads=1, waiting=16)
    yield Context(
        store=store,
        lookups=ListLookups(store.statements),
        keyring=keyring,
        passwords=passwords,
        lifetimes=Lifetimes(),
    )
    passwords.close()
    pool.close()


def signed_up(context: Context, email: str) -> SignedIn:
    return sign_up(
        context, email=email, name="Ada", image=None, password=PASSWORD, remembered=True, now=now(), where_from=HERE
    ).session


@pytest.mark.parametrize("cut", Cut)
def test_a_sign_up_that_is_cut_once_is_acknowledged_and_happened_once(
    cut: Cut, context: Context, proxy: Proxy, database: Database
) -> None:
    emails = {f"ada{n}@example.com" for n in range(50)}
    for email in emails:
        proxy.arm(cut)
        signed_up(context, email)

    assert proxy.cuts == 50
    assert accounts(database.owner_url) == emails
    assert half_done(database.owner_url) == {}


def test_a_sign_up_that_is_cut_three_times_after_it_was_done_is_acknowledged_all_the_same(
    context: Context, proxy: Proxy, database: Database
) -> None:
    proxy.arm(Cut.AFTER, Cut.AFTER, Cut.AFTER)
    signed_up(context, "ada@example.com")

    assert proxy.cuts == 3
    assert accounts(database.owner_url) == {"ada@example.com"}
    assert half_done(database.owner_url) == {}


def test_a_sign_up_that_never_arrives_is_unknown_and_can_be_repeated(
    context: Context, proxy: Proxy, database: Database
) -> None:
    proxy.arm(Cut.BEFORE, Cut.BEFORE, Cut.BEFORE)
    with pytest.raises(StoreUnavailable):
        signed_up(context, "ada@example.com")
    assert accounts(database.owner_url) == set()

    signed_up(context, "ada@example.com")
    assert accounts(database.owner_url) == {"ada@example.com"}
    assert half_done(database.owner_url) == {}


@pytest.mark.parametrize("cut", Cut)
def test_a_sign_out_that_is_cut_ends_the_session_once_and_says_so(
    cut: Cut, context: Context, proxy: Proxy, database: Database
) -> None:
    for n in range(10):
        signed_in = signed_up(context, f"ada{n}@example.com")
        [[session_id]] = database.rows(
            "SELECT session_id FROM session_list WHERE token_hash = %s", token_hash(signed_in.token)
        )
        proxy.arm(cut)
        assert sign_out(context, session_id=session_id, now=now(), where_from=HERE), (
            "a conflict with itself would have found the session ended already"
        )

    assert proxy.cuts == 10
    ended = "SELECT count(*), count(DISTINCT stream_id) FROM events WHERE name = 'SessionEnded'"
    assert database.rows(ended) == [(10, 10)]
    assert database.value("SELECT count(*) FROM session_list WHERE ended_at IS NOT NULL") == 10


def test_people_who_sign_up_at_once_are_not_mixed_up_by_cuts(
    context: Context, proxy: Proxy, database: Database
) -> None:
    emails = {f"ada.{thread}.{n}@example.com" for thread in range(4) for n in range(15)}
    proxy.arm(*islice(cycle(Cut), 30))

    def acknowledged(email: str) -> bool:
        try:
            return signed_up(context, email).person.email == email
        except StoreUnavailable:
            return False  # cut three times in a row: unknown, which is said

    with ThreadPoolExecutor(4) as people:
        told = {email for email, done in zip(emails, people.map(acknowledged, emails), strict=True) if done}

    assert proxy.cuts == 30
    assert len(told) > 45
    assert told <= accounts(database.owner_url) <= emails
    assert half_done(database.owner_url) == {}
