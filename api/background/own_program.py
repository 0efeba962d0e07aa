"""How programs of our own are started: the same Python on the same code, whatever lies in the working directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import api

_ROOT = Path(api.__file__).parent.parent


def command(module: str, *arguments: str) -> list[str]:
    """The command line of a module; without -P a folder `api` in the working directory would be taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Our environment; where we do not run from an installed package, it says where our code is."""
    if _ROOT.name in ("site-packages", "dist-packages"):
        return dict(os.environ)
    found = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": f"{_ROOT}{os.pathsep}{found}" if found else str(_ROOT)}
