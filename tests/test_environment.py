"""The environment that the scripts make has the command `daybook`, wherever it is called from."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

from api.version import VERSION


def test_daybook_is_a_command_of_the_environment(root: Path, tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("environment", root / "scripts" / "environment.py")
    assert specification is not None
    assert specification.loader is not None
    environment = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(environment)
    folder, elsewhere = tmp_path / "an environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    environment.leave_program(folder)
    command = [str(folder / "bin" / "daybook"), "--version"]
    said = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert said.stdout.split()[-1] == VERSION
