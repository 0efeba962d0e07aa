"""Programs that make clients and requests from /openapi.json, in an environment of their own.

They ask for older releases of what the tests themselves use (typer), and so cannot share it. Their versions and hashes
are those of `requirements-clients.lock`.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from tests.clients.kept import cannot_run, kept_folder
from tests.server import ROOT

LOCK = ROOT / "requirements-clients.lock"
_PIP = ("-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes", "--requirement")


def installed_tools(spare: Path) -> Path:
    """The folder of their programs, installed once for each lock and Python, and kept in the person's cache.

    `spare` is used where that cannot be written. Skips where they cannot be installed; fails there if `CI` is set.
    """
    locked = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    kept = (kept_folder() or spare) / f"tools-{locked[:16]}"
    ready = kept / "ready"
    with kept.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not ready.exists():
            _install(kept)
            ready.touch()
    return kept / "bin"


def _install(kept: Path) -> None:
    """Where an earlier run was interrupted, anew. An environment cannot be moved, so it is made where it stays."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", str(kept)], check=True, timeout=120)
    command = [str(kept / "bin" / "python"), *_PIP, str(LOCK)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        cannot_run("pip did not install the tools within 300 s")
    if run.returncode != 0:
        cannot_run(f"pip could not install the tools: {run.stderr.strip().splitlines()[-1:]}")
