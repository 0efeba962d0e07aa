"""The official JavaScript client, installed from its lock and played in a browser-like surrounding."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

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

Step = dict[str, Any]
CLOSE_BROWSER: Step = {"browser": "close"}


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


@dataclass(frozen=True)
class JavaScript:
    """The client's program, beside its packages, and the base URL of the server it talks to."""

    program: Path
    base_url: str

    def play(self, *steps: Step, page: str | None = None) -> list[Outcome]:
        """Play the steps in one browser, on a page of `page`, else of the server itself."""
        scenario = json.dumps({"page": page or self.base_url, "steps": steps})
        command = ["node", self.program.name, self.base_url, scenario]
        run = subprocess.run(command, cwd=self.program.parent, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        return [Outcome(**outcome) for outcome in json.loads(run.stdout, object_hook=_revive)]


def call(method: str, **arguments: object) -> Step:
    """A call of the client."""
    return {"call": method, "arguments": arguments}


def store(name: str, *, filled: bool) -> Step:
    """A look at a store of the client, once it holds something or, not `filled`, nothing."""
    return {"store": name, "filled": filled}


def installed(spare: Path) -> Path:
    """The folder `node_modules` of the locked packages, installed once for each lock and kept in the person's cache.

    `spare` is used where that cannot be written. Skips where the client cannot run; fails there if `CI` is set.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        _cannot_run("node and npm are not both installed here")
    capable = ["node", "-e", "process.exit('getSetCookie' in Headers.prototype ? 0 : 1)"]
    if subprocess.run(capable, capture_output=True, timeout=30, check=False).returncode != 0:
        _cannot_run("node is too old here; take 20 or newer")
    locked = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in INSTALLED)).hexdigest()
    kept = (_cache() or spare) / f"better-auth-{locked[:16]}"
    if not kept.exists():
        _install(kept)
    return kept / "node_modules"


def _revive(value: dict[str, Any]) -> Any:
    """What the program wrote for a Date."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value["Date"]) if value.keys() == {"Date"} else value


def _cache() -> Path | None:
    """A folder of the person's own to keep packages in, None where nothing can be written."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "daybook-tests"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the latter where a user has no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def _install(kept: Path) -> None:
    """Install beside `kept` and rename, so that an interrupted or second run never leaves half an installation."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as draft:
        folder = Path(draft, "installed")
        folder.mkdir()
        for name in INSTALLED:
            shutil.copy(HERE / name, folder / name)
        try:
            run = subprocess.run(NPM_CI, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            _cannot_run("npm did not install the client within 300 s")
        if run.returncode != 0:
            code = next((line for line in run.stderr.splitlines() if " code " in line), "npm gave no code")
            _cannot_run(f"npm could not install the client: {code}")
        try:
            folder.rename(kept)
        except OSError:
            assert kept.exists(), f"{kept} can be neither written nor found"


def _cannot_run(reason: str) -> NoReturn:
    """Skip where a person works, fail where the answer counts."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; where CI is set these tests must run")
    pytest.skip(reason)
