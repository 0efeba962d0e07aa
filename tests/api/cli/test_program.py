"""The program `daybook` itself: which release it is, and the page that it opens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx
from typer.testing import CliRunner

from api.cli.program import app
from api.version import VERSION
from tests.faults.processes import end
from tests.server import Server


def test_the_release_is_said() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"daybook {VERSION}\n")


def test_the_package_has_the_same_release(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "api.version.VERSION"}


def test_every_command_is_run_by_the_script(root: Path) -> None:
    venv = str(Path(sys.executable).parent.parent)
    done = subprocess.run(
        [root / "scripts" / "daybook", "--version"],
        env=os.environ | {"DAYBOOK_VENV": venv}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == f"daybook {VERSION}\n"


def test_the_documentation_is_opened_once_the_service_is_ready(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    browser.chmod(0o755)
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data", "WORKERS": 1}, "--open")
    server.environment["BROWSER"] = str(browser)
    try:
        server.start()
        deadline = time.monotonic() + 60
        while not opened.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        page = httpx.get(opened.read_text().strip())
        # by the name that its calls are allowed from
        assert (page.status_code, page.url.host, page.url.path) == (200, "localhost", "/docs")
        assert httpx.get(f"{server.url}/openapi.json").json()["info"]["version"] == VERSION
    finally:
        end(server)


def test_an_argument_that_is_no_text_is_refused_in_one_sentence() -> None:
    command: list[str | bytes] = [sys.executable, "-m", "api.cli", "user", "create", "--email", "ada@example.com"]
    command += ["--name", b"Ada \xff"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "Argument 6 is not UTF-8.\n")
