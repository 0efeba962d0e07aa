"""wrk, the load generator: many connections that ask the same question with one set of headers after another."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from rounds import Sample

CONNECTIONS = 16

_SCRIPT = Path(__file__).with_name("rotate.lua")


class NotInstalled(Exception):
    """A program that a benchmark needs is missing; the message says where it comes from."""


def write(path: Path, requests: Iterable[Mapping[str, str]]) -> Path:
    """A file of the headers of each request, for `rate`."""
    path.write_text("".join("\t".join(f"{name}: {value}" for name, value in one.items()) + "\n" for one in requests))
    return path


def rate(url: str, requests: Path, seconds: float) -> Sample:
    """Answers a second from `url`, asked with these headers in turn. Raises AssertionError if one was an error."""
    program = shutil.which("wrk")
    if program is None:
        raise NotInstalled("The benchmark of get-session needs wrk: install Debian's package `wrk`.")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT), url, "--"]
    ran = subprocess.run([*command, str(requests)], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    assert found["failed"] == 0, f"{found['failed']} requests failed"
    return Sample(rate=found["requests"] / found["seconds"], p99=found["p99"])
