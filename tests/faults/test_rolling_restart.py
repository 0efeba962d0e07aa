"""Two nodes behind nginx, one restarted after the other under load: nobody hangs, and nginx never has to say 502."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.databases import Database
from tests.faults.ledger import post_sign_up
from tests.people import PASSWORD
from tests.server import Server, free_port, served

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CLIENTS = 6
HUNG = 15.0
"""Seconds: ours answers or refuses within ten."""
# docs/running.md shows the same
CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    upstream daybook {{
        server 127.0.0.1:{one} max_fails=1 fail_timeout=2s;
        server 127.0.0.1:{two} max_fails=1 fail_timeout=2s;
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location /api/auth/ {{
            proxy_pass http://daybook;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_connect_timeout 3s;
            proxy_read_timeout 15s;
            proxy_next_upstream error timeout http_503;
            proxy_next_upstream_tries 2;
        }}
    }}
}}
"""
pytestmark = pytest.mark.skipif(NGINX is None and "CI" not in os.environ, reason="nginx is not installed")


@contextmanager
def nginx(folder: Path, port: int, one: object, two: object) -> Iterator[None]:
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(folder=folder, port=port, one=one, two=two, user=user)
    (folder / "nginx.conf").write_text(text)
    assert NGINX is not None, "CI installs it"
    running = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


class Load:
    """People who sign in, ask who they are and change their name, each over connections of their own."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self.ended = Counter[str]()
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._person, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _person(self, number: int) -> None:
        email = f"ada.{number}@example.com"
        with httpx.Client(base_url=self._url, timeout=3 * HUNG, headers={"Origin": self._url}) as client:
            self._ask(lambda: post_sign_up(client, email))
            while not self._over.is_set():
                for _ in range(4):
                    self._ask(lambda: client.get("/api/auth/get-session"))
                self._ask(lambda: client.post("/api/auth/update-user", json={"name": "Ada"}))
                self._ask(lambda: client.post("/api/auth/sign-in/email", json={"email": email, "password": PASSWORD}))

    def _ask(self, asking: object) -> None:
        began = time.monotonic()
        try:
            ended = str(asking().status_code)  # type: ignore[operator]
        except httpx.TransportError as error:
            ended = type(error).__name__
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        self.ended[ended if took < HUNG else "hung"] += 1


def drill(database: Database, folder: Path, rounds: int) -> Load:
    urls = {
        "DATABASE_URL": database.application_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "WORKERS": 1,
        "DRAIN_FOR": 1,
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    port = free_port()
    given = urls | {"BASE_URL": f"http://localhost:{port}"}
    with (
        served(folder / "one", given) as one,
        served(folder / "two", given) as two,
        nginx(folder / "nginx", port, one.port, two.port),
        Load(f"http://localhost:{port}") as load,
    ):
        for _ in range(rounds):
            for node in (one, two):
                _restart(node)
    return load


def _restart(node: Server) -> None:
    assert node.stop(wait=60) == 0
    node.start(wait=240)
    # until nginx, which turned away from it, asks it again
    time.sleep(2.5)


def require_nobody_lost(load: Load) -> None:
    """Nobody hung, was reset or got nginx's 502; 503 is ours, for what the end cut off after three seconds."""
    assert set(load.ended) <= {"200", "409", "503"}, (load.ended, load.slowest)
    assert load.ended["503"] <= 0.05 * load.ended.total(), (load.ended, load.slowest)


def test_a_rolling_restart_loses_nobody(database: Database, tmp_path: Path) -> None:
    load = drill(database, tmp_path, rounds=1)
    require_nobody_lost(load)


@pytest.mark.long
def test_ten_rolling_restarts_lose_nobody(database: Database, tmp_path: Path) -> None:
    load = drill(database, tmp_path, rounds=10)
    print(load.ended, load.slowest)
    require_nobody_lost(load)
