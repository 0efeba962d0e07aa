"""Downloads take as long as their reader does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from api.edge.downloads import download
from domain.store import deadlines


def test_each_batch_has_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "REQUEST", 0.3)
    left = list[float]()

    def batches() -> Iterator[list[dict[str, Any]]]:
        for number in range(4):
            left.append(deadlines.left())
            yield [{"number": number}]
            # the reader's
            time.sleep(0.2)

    async def scene() -> bytes:
        deadlines.begin()
        response = await anyio.to_thread.run_sync(download, "numbers", "ndjson", ["number"], batches())
        return b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[misc]  # bytes, as they went in

    assert anyio.run(scene).splitlines() == [b'{"number":%d}' % number for number in range(4)]
    assert min(left) > 0
