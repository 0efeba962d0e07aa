"""Appending a sign-up: our store against the library's stock recorder and against the database alone (pgbench)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import sign_ups
from cluster import Cluster, level, store
from pgbench import Transaction
from rounds import Pair, Sample
from stock import StockStore, create_table

from domain.store import Store

CONNECTIONS = 6
"""As many as a worker of `daybook serve` keeps."""


@contextmanager
def against_stock(cluster: Cluster) -> Iterator[list[Pair]]:
    """The same sign-ups, mapped and sealed the same way, through our recorder and through the library's."""
    with cluster.database("bench_ours") as ours, cluster.database("bench_stock") as theirs:
        create_table(theirs)
        with (
            store(ours, connections=CONNECTIONS) as our_store,
            store(theirs, connections=1, kind=StockStore) as stock_store,
        ):

            def level_both() -> None:
                level(ours)
                level(theirs)

            yield [
                Pair(
                    name=f"append, {_threads(threads)}",
                    against="stock recorder",
                    aim=aim,
                    ours=partial(_rate, our_store, threads),
                    theirs=partial(_rate, stock_store, threads),
                    level=level_both,
                )
                for threads, aim in ((1, 2.0), (16, 4.0))
            ]


@contextmanager
def against_pgbench(cluster: Cluster) -> Iterator[list[Pair]]:
    """Our threads in one Python process against as many clients that send the same statement from C."""
    with cluster.database("bench_pgbench") as database, store(database, connections=CONNECTIONS) as opened:
        transaction = Transaction(database, cluster.folder)
        yield [
            Pair(
                name=f"append, {_threads(threads)}",
                against="pgbench",
                aim=aim,
                ours=partial(_rate, opened, threads),
                theirs=partial(transaction.rate, threads),
                level=partial(level, database),
            )
            for threads, aim in ((1, 0.55), (16, 0.4))
        ]


def _threads(number: int) -> str:
    return f"{number} thread{'s' if number > 1 else ''}"


def _rate(opened: Store, threads: int, seconds: float) -> Sample:
    """Sign-ups a second by so many threads of this process."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(threads) as pool:
        began = time.monotonic()
        done = sum(pool.map(lambda _: _until(until, lambda: sign_ups.sign_up(opened).append(opened)), range(threads)))
        return Sample(done / (time.monotonic() - began))


def _until(moment: float, act: Callable[[], None]) -> int:
    done = 0
    while time.monotonic() < moment:
        act()
        done += 1
    return done
