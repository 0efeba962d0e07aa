"""One line for each record, and nothing in it that somebody typed."""

from __future__ import annotations

import subprocess
import sys

NEVER_AWAITED = """
import asyncio, gc
from logging.config import dictConfig
from api.background.logs import LOGGING
dictConfig(LOGGING)
async def fails():
    raise ValueError("typed by Ada")
async def main():
    asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
asyncio.run(main())
"""


def test_what_nobody_waited_for_is_one_line_that_quotes_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", NEVER_AWAITED], capture_output=True, text=True, timeout=60)
    [line] = ended.stderr.splitlines()
    assert " ERROR asyncio: Task exception was never retrieved (ValueError at <string>:7)" in line
    assert "Ada" not in line
