"""The official JavaScript client, installed from its lock and played in a browser-like surrounding."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

from tests.clients.kept import cannot_run, kept_folder
from tests.people import PASSWORD

HERE = Path(__file__).parent
PROGRAM = "client.mjs"
INSTALLED = ("package.json", "package-lock.json", ".npmrc")
NPM_CI = (
    "npm",
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    "--fetch-retry-maxtimeout=10000",
)

_DEADLINE = 60.0
"""Seconds a step may take."""
_PATIENCE = 5.0
"""Seconds until a store has asked again."""

Step = dict[str, Any]
CLOSE_BROWSER: Step = {"browser": "close"}
ANOTHER_BROWSER: Step = {"browser": "another"}
"""From here on it is another one, with no cookies and no page open yet."""


@dataclass(frozen=True)
class Outcome:
    """What one step gave the application; `exchanges` are the requests below it, with the answers' unparsed text."""

    data: Any = None
    error: Any = None
    thrown: str | None = None
    pending: bool | None = None
    exchanges: Sequence[dict[str, Any]] = ()

    @property
    def raw(self) -> Any:
        """The answer of its one request, with dates as the strings they were."""
        [exchange] = self.exchanges
        return json.loads(exchange["text"])


class Application:
    """An application's code in one browser, on one page, that uses the client."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def take(self, step: Step) -> Outcome:
        """Take one step, and wait for what it gives."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        deadline = Timer(_DEADLINE, self._process.kill)
        deadline.start()
        try:
            self._process.stdin.write(f"{json.dumps(step)}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            deadline.cancel()
        assert line, "the client's program ended"
        return Outcome(**json.loads(line, object_hook=_revive))

    def call(self, method: str, **arguments: object) -> Outcome:
        """Call the client."""
        return self.take(call(method, **arguments))

    def store(self, name: str, *, filled: bool) -> Outcome:
        """Look at a store of the client once it is at rest, mounted from the first look on."""
        return self.take(store(name, filled=filled))

    def until(self, name: str, wanted: Callable[[Outcome], bool]) -> None:
        """Look at a store, mounted from the first look on, until it has come to show this."""
        began = time.monotonic()
        while not wanted(look := self.take({"store": name})):
            assert time.monotonic() - began < _PATIENCE, f"{name} goes on showing {look.data}, {look.error}"
            time.sleep(0.01)

    def refetched(self, name: str = "useSession") -> Any:
        """What a mounted store holds once it has asked for the session again by itself."""
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE:
            look = self.take({"store": name})
            if "/api/auth/get-session" in [exchange["path"] for exchange in look.exchanges]:
                return look.data
        raise AssertionError(f"{name} did not ask again")


@dataclass(frozen=True)
class JavaScript:
    """The client's program, beside its packages, and the base URL of the server it talks to."""

    program: Path
    base_url: str

    @contextmanager
    def application(self, *, page: str | None = None, bearer: bool = False) -> Iterator[Application]:
        """A browser on a page of `page`, else of the server itself; with `bearer` the client is to use no cookies."""
        surrounding = json.dumps({"page": page or self.base_url, "bearer": bearer})
        command = ["node", self.program.name, self.base_url, surrounding]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=self.program.parent, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield Application(process)
            finally:
                process.communicate()

    def play(self, *steps: Step, page: str | None = None) -> list[Outcome]:
        """Play the steps in one browser."""
        with self.application(page=page) as application:
            return [application.take(step) for step in steps]


def call(method: str, **arguments: object) -> Step:
    """A call of the client."""
    return {"call": method, "arguments": arguments}


def store(name: str, *, filled: bool) -> Step:
    """A look at a store of the client, once it holds something or, not `filled`, nothing."""
    return {"store": name, "filled": filled}


def signs_up(email: str, name: str = "Ada") -> Step:
    """A sign-up."""
    return call("signUp.email", name=name, email=email, password=PASSWORD)


def signs_in(email: str, password: str = PASSWORD) -> Step:
    """A sign-in."""
    return call("signIn.email", email=email, password=password)


def dated(value: Any) -> Any:
    """Parsed JSON with the strings under `…At` read as the moments they name."""
    if isinstance(value, list):
        return [dated(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: datetime.fromisoformat(item) if name.endswith("At") and item is not None else dated(item)
        for name, item in value.items()
    }


def installed(spare: Path, locked_in: Path = HERE) -> Path:
    """The folder `node_modules` of packages locked in a folder, installed once a lock and kept in the person's cache.

    `spare` is used where that cannot be written. Skips where the client cannot run; fails there if `CI` is set.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        cannot_run("node and npm are not both installed here")
    capable = ["node", "-e", "process.exit('getSetCookie' in Headers.prototype ? 0 : 1)"]
    if subprocess.run(capable, capture_output=True, timeout=30, check=False).returncode != 0:
        cannot_run("node is too old here; take 20 or newer")
    locked = hashlib.sha256(b"".join((locked_in / name).read_bytes() for name in INSTALLED)).hexdigest()
    kept = (kept_folder() or spare) / f"better-auth-{locked[:16]}"
    if not kept.exists():
        _install(kept, locked_in)
    return kept / "node_modules"


def _revive(value: dict[str, Any]) -> Any:
    """What the program wrote for a Date."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value["Date"]) if value.keys() == {"Date"} else value


def _install(kept: Path, locked_in: Path) -> None:
    """Install beside `kept` and rename, so that an interrupted or second run never leaves half an installation."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as draft:
        folder = Path(draft, "installed")
        folder.mkdir()
        for name in INSTALLED:
            shutil.copy(locked_in / name, folder / name)
        try:
            run = subprocess.run(NPM_CI, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            cannot_run("npm did not install the client within 300 s")
        if run.returncode != 0:
            code = next((line for line in run.stderr.splitlines() if " code " in line), "npm gave no code")
            cannot_run(f"npm could not install the client: {code}")
        try:
            folder.rename(kept)
        except OSError:
            assert kept.exists(), f"{kept} can be neither written nor found"
