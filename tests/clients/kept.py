"""Where what the tests of clients install is kept, and what happens where it cannot be had."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest


def kept_folder() -> Path | None:
    """A folder of the person's own to keep packages in, None where nothing can be written."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "daybook-tests"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the latter where a user has no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def cannot_run(reason: str) -> NoReturn:
    """Skip where a person works, fail where the answer counts."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; where CI is set these tests must run")
    pytest.skip(reason)
