"""The wait for an answer: what comes of the work is told to whoever waits, and to nobody else."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from api.edge.body import ClientGone
from api.edge.gate import _until
from api.edge.response_writer import ResponseWriter


async def _send(_message: Any) -> None:
    return


def test_work_that_fails_after_its_waiter_was_ended_is_nobodys_news() -> None:
    told: list[dict[str, Any]] = []

    async def fails(go_on: asyncio.Event) -> None:
        await go_on.wait()
        raise ClientGone

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
        go_on = asyncio.Event()
        waiter = asyncio.ensure_future(_until(60, fails(go_on), ResponseWriter(_send)))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait({waiter})
        go_on.set()
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()

    asyncio.run(main())
    assert told == []
