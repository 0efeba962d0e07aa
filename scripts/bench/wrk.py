"""wrk, the load generator: many connections that ask the same question with one cookie after another."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from rounds import Sample

CONNECTIONS = 16

_SCRIPT = Path(__file__).with_name("rotate.lua")


class NotInstalled(Exception):
    """A program that a benchmark needs is missing; the message says where it comes from."""


def rate(url: str, cookies: Path, seconds: float) -> Sample:
    """Answers a second from `url`, `cookies` being a file of Cookie headers. Raises AssertionError if one failed."""
    program = shutil.which("wrk")
    if program is None:
        raise NotInstalled("The benchmark of get-session needs wrk: install Debian's package `wrk`.")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT), url, "--"]
    ran = subprocess.run([*command, str(cookies)], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    assert found["failed"] == 0, f"{found['failed']} requests failed"
    return Sample(rate=found["requests"] / found["seconds"], p99=found["p99"])
