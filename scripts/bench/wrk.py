"""wrk, the load generator: many connections that ask one thing with one set of headers, or body, after another."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from rounds import Measure, Sample

CONNECTIONS = 16
BODY = "body"
"""What stands beside a request's headers if it is to be posted; compact JSON of an object."""
TARGET = "target"
"""What stands beside a request's headers if it asks for a path and query of its own."""
ROTATE = Path(__file__).with_name("rotate.lua")


class NotInstalled(Exception):
    """A program that a benchmark needs is missing; the message says where it comes from."""


def write(path: Path, requests: Iterable[Mapping[str, str]]) -> Path:
    """A file of the headers of each request, for `rate`."""
    path.write_text("".join("\t".join(_fields(one)) + "\n" for one in requests))
    return path


def rate(url: str, requests: Path, seconds: float, *, script: Path = ROTATE, start: int = 0) -> Sample:
    """Answers a second from `url`, asked with these in turn after the first `start` of them.

    Raises AssertionError if an answer was an error.
    """
    program = shutil.which("wrk")
    if program is None:
        raise NotInstalled("This benchmark needs wrk: install Debian's package `wrk`.")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script), url, "--"]
    ran = subprocess.run([*command, str(requests), str(start)], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    assert found["failed"] == 0, f"{found['failed']} requests failed"
    return Sample(rate=found["requests"] / found["seconds"], p99=found["p99"], answers=found["requests"])


def onwards(url: str, requests: Path, *, script: Path = ROTATE) -> Measure:
    """As `rate`, each slice going on where the one before ended: for requests that would change nothing twice."""
    start = 0

    def measure(seconds: float) -> Sample:
        nonlocal start
        sample = rate(url, requests, seconds, script=script, start=start)
        start += sample.answers + CONNECTIONS  # what was on its way in the end has changed something too
        return sample

    return measure


def _fields(request: Mapping[str, str]) -> Iterable[str]:
    yield from (f"{name}: {value}" for name, value in request.items() if name != BODY)
    if BODY in request:
        yield request[BODY]
