"""What ends at once again and again is started ever later; what lived for a while is started at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from api.cli.backoff import Backoff
from api.cli.connection_counts import shared_memory
from api.cli.listener import Listener
from api.cli.outages import Lasting
from api.cli.processes import Progress
from api.cli.supervisor import Place
from api.cli.worker_process import ending
from tests.people import NOON


def test_the_wait_grows_and_is_bounded() -> None:
    backoff = Backoff()
    assert [backoff.after(0.0) for _ in range(10)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff.after(3600.0) == 0
    assert [backoff.after(9.9) for _ in range(3)] == [0.5, 1, 2]


def test_what_lasts_is_told_at_once_and_then_once_a_minute() -> None:
    lasting = Lasting()
    told = [second for second in range(0, 200) if lasting.goes_on(1000.0 + second, NOON) is not None]
    assert told == [0, 60, 120, 180]
    assert lasting.over(1200.5) == 200.5
    assert lasting.over(1201.0) is None
    assert lasting.goes_on(1202.0, NOON) == "2026-03-14 12:00:00 UTC"


def test_how_a_process_ended_is_said_in_the_words_of_the_system() -> None:
    assert ending(3) == "with exit code 3"
    assert ending(-15) == "by SIGTERM"
    assert ending(-9).startswith("by SIGKILL (out of memory")
    assert ending(-60) == "by signal 60"


def test_who_computes_gets_somewhere_and_who_is_frozen_does_not() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        progress = Progress(lambda: (busy.pid, 0))
        stood_still = list[float]()
        until = time.monotonic() + 8
        while time.monotonic() < until:
            stood_still.append(progress.stood_still())
            time.sleep(0.1)
        busy.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        while (now := time.monotonic()) < frozen + 3:
            still = progress.stood_still()
            time.sleep(0.1)
        assert still > now - frozen - 1.5
        assert min(stood_still) < 1.5
    finally:
        busy.kill()
        busy.wait()


def test_a_log_that_grows_is_progress() -> None:
    size = 0
    progress = Progress(lambda: (None, size))
    time.sleep(0.6)
    progress.stood_still()
    time.sleep(0.6)
    size = 1
    assert progress.stood_still() < 0.5


def test_a_worker_whose_program_is_missing_for_a_while_ends_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    before = len(os.listdir("/proc/self/fd"))
    with closing(Listener("127.0.0.1", 0)) as listener, caplog.at_level("ERROR", "daybook"):
        place = Place(0, listener, counts := shared_memory(1))
        assert (place.look(), place.worker) == (b"", None)
        assert caplog.messages == ["A worker cannot be started (No such file or directory); it is tried again."]
        os.close(counts)
    assert len(os.listdir("/proc/self/fd")) == before
