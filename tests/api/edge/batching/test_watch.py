"""The watch: work that is done again and again has its deadline each time, by one timer."""

from __future__ import annotations

import asyncio
import time

import pytest

from api.edge.batching.deadline import Deadline


def test_what_is_done_in_time_is_let_be() -> None:
    async def story() -> None:
        watch = Deadline(0.2)
        for _ in range(8):
            with watch:
                await asyncio.sleep(0.05)

    asyncio.run(story())


def test_what_takes_too_long_ends_with_a_timeout_after_its_whole_time() -> None:
    async def story() -> None:
        watch = Deadline(0.2)
        for _ in range(2):
            with watch:
                await asyncio.sleep(0.15)
            began = time.monotonic()
            with pytest.raises(TimeoutError), watch:
                await asyncio.sleep(10)
            # the timer of the first went off in between
            assert 0.19 < time.monotonic() - began < 1

    asyncio.run(story())


def test_after_a_timeout_the_task_goes_on() -> None:
    async def story() -> None:
        watch = Deadline(0.05)
        with pytest.raises(TimeoutError), watch:
            await asyncio.sleep(10)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()
        await asyncio.sleep(0.1)

    asyncio.run(story())


def test_other_errors_and_cancellations_pass() -> None:
    async def cancelled(watch: Deadline) -> None:
        with watch:
            await asyncio.sleep(10)

    async def story() -> None:
        watch = Deadline(0.2)
        with pytest.raises(ZeroDivisionError), watch:
            raise ZeroDivisionError
        task = asyncio.create_task(cancelled(watch))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # nothing is left of it that could go off
        await asyncio.sleep(0.3)

    asyncio.run(story())


def test_who_is_cancelled_at_the_same_time_is_cancelled() -> None:
    async def slow(watch: Deadline) -> None:
        with watch:
            await asyncio.sleep(10)

    async def story() -> None:
        task = asyncio.create_task(slow(Deadline(0.1)))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.1, task.cancel)
        time.sleep(0.15)  # both go off together
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
