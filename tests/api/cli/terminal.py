"""Where an operator types: `daybook` as a program of its own, over a database that a test has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.databases import Database
from tests.people import SECRET
from tests.server import ROOT


class Terminal:
    """Where an operator types."""

    def __init__(self, database: Database, **settings: str) -> None:
        given = {"DATABASE_URL": database.application_url, "SECRET": SECRET, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        self._environment = environment | {f"DAYBOOK_{name}": value for name, value in given.items()}
        self._environment |= {"PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str, typed: str = "") -> tuple[int, str, str]:
        """`daybook` with these arguments: how it ended, what it said, what it complained of."""
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def told(self, *arguments: str, typed: str = "") -> Any:
        """The same in JSON, and it went well."""
        code, said, complained = self.run(*arguments, "--json", typed=typed)
        assert (code, complained) == (0, ""), complained
        assert said.count("\n") == 1
        return json.loads(said)

    def refused(self, *arguments: str, typed: str = "") -> str:
        """The same, and it was refused in one sentence."""
        code, said, complained = self.run(*arguments, typed=typed)
        assert (code, said) == (1, ""), said
        [sentence] = complained.strip().splitlines()
        return sentence
