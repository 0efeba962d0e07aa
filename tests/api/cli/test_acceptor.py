"""Who comes is shared among the workers of a node; what one of them cannot do the others do."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

import pytest
import uvloop

from api.cli.acceptor import Acceptor
from api.cli.connection_counts import ConnectionCounts, shared_memory

T = TypeVar("T")
PATIENCE = 20.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


class Worker:
    """Whoever accepts, and whom it has accepted."""

    def __init__(self, listener: socket.socket, counts: ConnectionCounts, place: int) -> None:
        self.has = set[asyncio.BaseTransport]()
        self.acceptor = Acceptor(
            listener.dup(), lambda: _Counted(self.has), connections=lambda: len(self.has), counts=counts, place=place
        )

    async def close(self) -> None:
        self.acceptor.close()
        await self.acceptor.wait_closed()
        for transport in self.has.copy():
            transport.close()


class _Counted(asyncio.Protocol):
    def __init__(self, has: set[asyncio.BaseTransport]) -> None:
        self._has = has

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._has.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._has.discard(self._transport)


def test_those_who_come_at_once_are_shared_equally(listener: socket.socket) -> None:
    async def scene() -> list[int]:
        workers = _workers(listener, 2)
        with _clients(listener, 40):
            await _until_all_are_in(workers, 40)
            has = [len(worker.has) for worker in workers]
        await _close(workers)
        return has

    assert sorted(_run(scene())) in ([19, 21], [20, 20])


def test_a_worker_that_was_started_later_catches_up(listener: socket.socket) -> None:
    async def scene() -> list[int]:
        counts = ConnectionCounts(shared_memory(2))
        first = Worker(listener, counts, 0)
        with _clients(listener, 10):
            await _until_all_are_in([first], 10)
            second = Worker(listener, counts, 1)
            with _clients(listener, 10):
                await _until_all_are_in([first, second], 20)
                has = [len(first.has), len(second.has)]
        await _close([first, second])
        return has

    assert sorted(_run(scene())) in ([9, 11], [10, 10])


def test_one_that_is_frozen_keeps_nobody_waiting(listener: socket.socket) -> None:
    async def scene() -> float:
        counts = ConnectionCounts(shared_memory(2))
        worker = Worker(listener, counts, 0)
        counts.set(1, 0)
        began = time.monotonic()
        with _clients(listener, 200):
            await _until_all_are_in([worker], 200)
            took = time.monotonic() - began
        await _close([worker])
        return took

    # were each to wait for the frozen one, it would be a second and more for some
    assert _run(scene()) < PATIENCE / 2


def test_one_that_ended_is_not_waited_for(listener: socket.socket) -> None:
    counts = ConnectionCounts(shared_memory(3))
    assert counts.fewest_elsewhere(0) is None
    counts.set(1, 7)
    counts.set(2, 3)
    assert counts.fewest_elsewhere(0) == 3
    assert counts.fewest_elsewhere(2) == 7
    counts.clear(2)
    assert counts.fewest_elsewhere(0) == 7


def test_a_port_that_was_closed_for_a_while_is_accepted_from_again(listener: socket.socket) -> None:
    async def scene() -> float:
        [worker] = workers = _workers(listener, 1)
        listener.shutdown(socket.SHUT_RDWR)
        await asyncio.sleep(0.05)
        computed = time.process_time()
        await asyncio.sleep(0.5)
        computed = time.process_time() - computed
        listener.listen(16)
        with _clients(listener, 3):
            await _until_all_are_in(workers, 3)
        assert worker.has
        await _close(workers)
        return computed

    # nor does it spin meanwhile
    assert _run(scene()) < 0.25


def test_it_goes_on_once_there_are_descriptors_again(listener: socket.socket) -> None:
    async def scene() -> None:
        workers = _workers(listener, 1)
        with _clients(listener, 3):
            taken = list[int]()
            with suppress(OSError):
                while True:
                    taken.append(os.dup(listener.fileno()))
            await asyncio.sleep(0.05)
            assert not workers[0].has
            for descriptor in taken:
                os.close(descriptor)
            await _until_all_are_in(workers, 3)
        await _close(workers)

    with _few_descriptors():
        _run(scene())


def _workers(listener: socket.socket, number: int) -> list[Worker]:
    counts = ConnectionCounts(shared_memory(number))
    return [Worker(listener, counts, place) for place in range(number)]


async def _close(workers: Sequence[Worker]) -> None:
    for worker in workers:
        await worker.close()


@contextmanager
def _clients(listener: socket.socket, number: int) -> Iterator[None]:
    """So many, who all come before anybody could accept one of them."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(socket.create_connection(listener.getsockname(), timeout=PATIENCE))
        yield


async def _until_all_are_in(workers: Sequence[Worker], number: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while sum(len(worker.has) for worker in workers) < number:
            await asyncio.sleep(0.001)


@contextmanager
def _few_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def _run(scene: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(scene)
