"""Sign-ins in a closed loop of many connections, and what all others keep meanwhile; sign-ins beside neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import httpx
import sign_ups
import wrk
from cluster import SECRET, Cluster, store
from get_session import cookie
from rounds import Pair, Sample

from tests.server import served

SESSIONS = 500
ACCOUNTS = 20
"""So many, since the sign-ins of one would make its list of sessions long."""
FEW, CROWDS = 4, (32, 128)
"""Connections: enough to keep all hashing threads busy, and those that do not wait."""
NEIGHBOURS = 2
_PASSWORD = "correct horse battery staple"  # noqa: S105  of people who are thrown away
_SCRIPT = Path(__file__).with_name("flood.lua")
_BUSY = "while True: pass"


@contextmanager
def under_flood(cluster: Cluster) -> Iterator[Iterator[Pair]]:
    """`GET /get-session` on 16 connections beside 32 and 128 that sign in, against without; and those sign-ins
    themselves against as many as four connections get. `daybook serve` with two workers, without limits.
    """
    with _asked(cluster, "bench_flood") as side:
        yield side.flooded()


@contextmanager
def beside_neighbours(cluster: Cluster) -> Iterator[Iterator[Pair]]:
    """Sign-ins on four connections beside two busy processes, against alone; and `GET /get-session` beside the
    sign-ins, against alone.
    """
    with _asked(cluster, "bench_hashing") as side:
        yield side.shared()


class _Side:
    """A server, and the files of what it is asked."""

    def __init__(self, origin: str, reads: Path, sign_ins: Path) -> None:
        origin = origin.replace("localhost", "127.0.0.1")
        self._look, self._sign_in = f"{origin}/api/auth/get-session", f"{origin}/api/auth/sign-in/email"
        self._reads, self._sign_ins = reads, sign_ins

    def flooded(self) -> Iterator[Pair]:
        """Both figures of each crowd."""
        for crowd in CROWDS:
            yield _pair(
                f"get-session, flood of {crowd}",
                "without",
                0.5,
                partial(self._looks, partial(self._flood, crowd)),
                partial(self._looks, nullcontext),
            )
            yield _pair(
                f"sign-ins of {crowd}", f"of {FEW}", 0.8, partial(self._signs_in, crowd), partial(self._signs_in, FEW)
            )

    def shared(self) -> Iterator[Pair]:
        """What neighbours leave of sign-ins, and what sign-ins leave of all else."""
        yield _pair(
            f"sign-in, {NEIGHBOURS} busy neighbours",
            "alone",
            0.4,
            self._beside_neighbours,
            partial(self._signs_in, FEW),
        )
        yield _pair(
            "get-session, sign-ins beside",
            "alone",
            0.5,
            partial(self._looks, partial(self._flood, FEW)),
            partial(self._looks, nullcontext),
        )

    def _looks(self, beside: Callable[[], AbstractContextManager[None]], seconds: float) -> Sample:
        with beside():
            return wrk.rate(self._look, self._reads, seconds)

    def _signs_in(self, connections: int, seconds: float) -> Sample:
        # what was begun in a slice is answered in it, but for the last
        return _answered(self._loop(connections, seconds))

    def _beside_neighbours(self, seconds: float) -> Sample:
        neighbours = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(NEIGHBOURS)]
        try:
            return self._signs_in(FEW, seconds)
        finally:
            for one in neighbours:
                one.kill()
                one.wait()

    @contextmanager
    def _flood(self, connections: int) -> Iterator[None]:
        loop = self._loop(connections, 3600)
        try:
            time.sleep(0.5)
            yield
        finally:
            loop.kill()
            loop.communicate()

    def _loop(self, connections: int, seconds: float) -> subprocess.Popen[str]:
        asked = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        return subprocess.Popen(
            [*asked, "-s", str(_SCRIPT), self._sign_in, "--", str(self._sign_ins)], stdout=subprocess.PIPE, text=True
        )


def _answered(loop: subprocess.Popen[str]) -> Sample:
    told, _ = loop.communicate()
    found = json.loads(told.strip().splitlines()[-1])
    assert found["others"] == 0, found
    return Sample(rate=found["done"] / found["seconds"], p99=found["p99"], answers=found["done"])


def _pair(
    name: str, against: str, aim: float, ours: Callable[[float], Sample], theirs: Callable[[float], Sample]
) -> Pair:
    return Pair(name=name, against=against, aim=aim, ours=ours, theirs=theirs, level=lambda: None)


@contextmanager
def _asked(cluster: Cluster, name: str) -> Iterator[_Side]:
    with cluster.database(name) as database:
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "WORKERS": 2,
        }
        with store(database, connections=2) as opened:
            reads = [{"Cookie": cookie(sign_ups.signed_up(opened))} for _ in range(SESSIONS)]
        with served(cluster.folder / "serve.log", settings) as server:
            lines = [json.dumps(_sign_up(server.url, number), separators=(",", ":")) for number in range(ACCOUNTS)]
            sign_ins = cluster.folder / "sign_ins"
            sign_ins.write_text("".join(f"{line}\n" for line in lines))
            yield _Side(server.url, wrk.write(cluster.folder / "reads", reads), sign_ins)


def _sign_up(origin: str, number: int) -> dict[str, str]:
    """Somebody new; how they sign in."""
    who = {"email": f"somebody{number}@example.com", "password": _PASSWORD}
    answer = httpx.post(f"{origin}/api/auth/sign-up/email", json={"name": "Somebody", **who})
    assert answer.status_code == 200, answer.text
    return who
