"""Threads that are the first to read a kind of event, at one moment: the process survives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("_", range(3))
def test_a_kind_of_event_is_read_for_the_first_time_by_several_threads_at_once(root: Path, _: int) -> None:
    command = [sys.executable, "-m", "tests.domain.events.reading_at_once"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
