"""The processes of a server and of a database: which they are, and ending them however they were left."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from tests.server import Server


def kill(server: Server) -> None:
    """kill -9 of the server and all below it; some of it may end meanwhile by itself."""
    assert server.process is not None
    for process in server.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    server.process.wait(10)


def end(server: Server, data: Path | None = None) -> None:
    """Whatever state it is in, nothing of it runs afterwards, nor a database its supervisor left behind in `data`."""
    if server.process is not None and server.process.poll() is None:
        kill(server)
    if data is not None and (data / "postmaster.pid").exists():
        with suppress(psutil.NoSuchProcess):
            left = postmaster(data)
            # the file may be older than whoever has this number now
            if left.cwd() == str(data):
                end_all(everything_below(left))


def end_all(processes: list[psutil.Process]) -> None:
    """kill -9 of each."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def postmaster(data: Path) -> psutil.Process:
    """The first process of the PostgreSQL that runs on this folder."""
    return psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))


def everything_below(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    return [process, *process.children(recursive=True)]


def workers(server: Server) -> list[psutil.Process]:
    """The processes that answer requests, also while they start."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(server.process.pid).children() if server.process is not None else ():
            if "api.cli.worker" in process.cmdline():
                found.append(process)
    return found
