"""Better Auth, the peer: npm puts it into the run's folder, one Node process serves it on the run's PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from cluster import SECRET, Cluster
from psycopg.conninfo import conninfo_to_dict
from wrk import NotInstalled

from tests.server import free_port

VERSION = "1.7.25"
_PACKAGES = (f"better-auth@{VERSION}", "pg@8")
_SERVER = Path(__file__).with_name("peer.mjs")
_DATABASE = "bench_peer"


@dataclass(frozen=True)
class Organization:
    """An organization: its id, the cookie of its owner, whose session is turned to it, the ids of the other members."""

    organization_id: str
    cookie: str
    members: list[str]


@contextmanager
def serving(
    cluster: Cluster, *, organizations: int, members: int, sessions: int
) -> Iterator[tuple[str, list[Organization]]]:
    """Its origin, and the organizations it has made for itself: so many members beside the owner, who has so many
    sessions.
    """
    folder = cluster.folder / "peer"
    _install(folder)
    with psycopg.connect(cluster.embedded.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE}".encode())
        try:
            with _started(cluster, folder, (organizations, members, sessions)) as serving:
                yield serving
        finally:
            connection.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)".encode())


def _install(folder: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("The benchmark of organizations needs Node 20 or newer and npm.")
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}\n')
    shutil.copy(_SERVER, folder)  # where it finds the packages beside it
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *_PACKAGES], cwd=folder, check=True)


@contextmanager
def _started(cluster: Cluster, folder: Path, counts: Sequence[int]) -> Iterator[tuple[str, list[Organization]]]:
    port, reached = free_port(), conninfo_to_dict(cluster.embedded.conninfo("postgres"))
    environment = os.environ | {
        "NODE_ENV": "production",
        "BETTER_AUTH_SECRET": SECRET,
        "PGHOST": str(reached["host"]),
        "PGPORT": str(reached["port"]),
        "PGUSER": str(reached["user"]),
        "PGDATABASE": _DATABASE,
    }
    command = ["node", _SERVER.name, str(port), *map(str, counts)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, f"the peer ended: {(folder / 'log').read_text()[-2000:]}"
        yield f"http://localhost:{port}", [Organization(**one) for one in json.loads(told)]
    finally:
        process.terminate()
        process.wait(10)
