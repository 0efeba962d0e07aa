"""schemathesis makes requests from /openapi.json: nothing is a 5xx, and every answer is one that is documented.

The bodies, parameters and headers are right, nearly right and wrong. All operations are asked, with a session and by an
API key.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.javascript import HERE
from tests.server import Server

CHECKS = ("not_a_server_error", "status_code_conformance", "response_headers_conformance", "documented_or_empty")
OPERATIONS = 62
MINUTES = 5
SHOWN = ("session", "apiKey")


def attacked(server: Server, tools: Path, folder: Path, *options: str, shown: str = "session", wait: float) -> str:
    """What schemathesis reports; it found nothing."""
    environment = os.environ | {
        "SERVICE": server.url,
        "SHOWN": shown,
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(HERE),
    }
    command = [str(tools / "schemathesis"), "run", f"{server.url}/openapi.json", "--checks", ",".join(CHECKS), *options]
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=wait, check=False
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert f"Tested: {OPERATIONS}" in ran.stdout
    assert "unexpected" not in server.log.read_text()
    return ran.stdout


@pytest.mark.parametrize("shown", SHOWN)
def test_examples_and_edges_of_every_schema_are_answered_as_documented(
    server: Server, tools: Path, tmp_path: Path, shown: str
) -> None:
    phases = ("--phases", "examples,coverage", "--generation-deterministic")
    attacked(server, tools, tmp_path, *phases, shown=shown, wait=300)


@pytest.mark.long
@pytest.mark.parametrize("shown", SHOWN)
def test_five_minutes_of_requests_are_answered_as_documented(
    server: Server, tools: Path, tmp_path: Path, shown: str
) -> None:
    phases = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(60 * MINUTES), "--workers", "2")
    attacked(server, tools, tmp_path, *phases, shown=shown, wait=60 * MINUTES + 300)
