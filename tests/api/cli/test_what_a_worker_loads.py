"""A worker and the background process load what they need: on a slow machine every module is waited for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from api.background import own_program


@pytest.mark.parametrize("module", ["api.cli.worker_server", "api.background.tasks"])
def test_the_command_line_is_not_loaded(module: str) -> None:
    needless = {"typer", "rich", "api.cli.program", "api.cli.serve"}
    asking = f"import sys, {module}; print(sorted({needless} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-P", "-c", asking], env=own_program.environment(), capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
