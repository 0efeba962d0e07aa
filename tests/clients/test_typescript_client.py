"""A client in TypeScript, typed by openapi-typescript from /openapi.json with its default settings."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.javascript import HERE, installed
from tests.server import Server

PROGRAM = "typed.ts"
STRICT = {"strict": True, "noUncheckedIndexedAccess": True, "target": "es2022", "module": "nodenext", "types": []}
ENVIRONMENT = "declare const process: { argv: string[] };\n"
"""What of Node the program uses: the types of all of it are a package of their own."""
WRONG = {
    '{ name: "Ada", email, password }': '{ name: "Ada", email }',
    '{ data: { name: "Analytical Engines" } }': "{ data: { name: 7 } }",
    '{ format: "csv",': '{ format: "xml",',
    '{ limit: 1, sortBy: "createdAt" }': '{ limit: 1, sortBy: "hash" }',
    '["User"] = signedUp.data.user;': '["User"] = signedUp.data.token;',
}
"""What the program says, and what it may not say instead."""


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def folder(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside the types that were made from what the server says of itself."""
    node_modules = installed(spare=tmp_path_factory.mktemp("packages"))
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(node_modules, target_is_directory=True)
    (folder / "package.json").write_text('{"type": "module"}')
    made = run("node_modules/.bin/openapi-typescript", str(document), "-o", "daybook.d.ts", folder=folder)
    assert made.returncode == 0, made.stderr
    (folder / "environment.d.ts").write_text(ENVIRONMENT)
    shutil.copy(HERE / PROGRAM, folder)
    return folder


def compiled(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    project = {"compilerOptions": STRICT, "files": ["environment.d.ts", program]}
    (folder / "tsconfig.json").write_text(json.dumps(project))
    return run("node_modules/.bin/tsc", folder=folder)


def test_what_may_be_left_out_is_left_out_and_the_program_compiles_and_works(folder: Path, server: Server) -> None:
    made = compiled(folder, PROGRAM)
    assert (made.returncode, made.stdout) == (0, "")
    ran = run("node", "typed.js", server.url, "ada.typed@example.com", folder=folder)
    assert ran.returncode == 0, ran.stderr
    came = json.loads(ran.stdout)
    assert came.pop("table").startswith("at,event,text,")
    assert came == {
        "user": "Ada",
        "current": True,
        "devices": 2,
        "renamed": "Analytical Engines",
        "whole": ["owner"],
        "members": 1,
        "invited": "pending",
        "refused": "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION",
        "founded": 1,
        "updated": True,
        "allowed": True,
        "trail": "OrganizationFounded",
        "key": ["read"],
        "byKey": 2,
        "withoutScope": "API_KEY_SCOPE_MISSING",
        "deleted": True,
        "dead": "INVALID_API_KEY",
        "signedOut": True,
    }


def test_what_the_document_does_not_allow_does_not_compile(folder: Path) -> None:
    lines = (HERE / PROGRAM).read_text().splitlines()
    wrong = set()
    for right, instead in WRONG.items():
        [number] = [number for number, line in enumerate(lines) if right in line]
        lines[number] = lines[number].replace(right, instead)
        wrong.add(number + 1)
    (folder / "wrong.ts").write_text("\n".join(lines))
    complaints = compiled(folder, "wrong.ts").stdout
    assert {int(line) for line in re.findall(r"^wrong\.ts\((\d+),", complaints, re.MULTILINE)} == wrong
