"""README's blocks, run as they are printed: in a shell, in Node, in a browser on another port."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.javascript import installed
from tests.clients.pages import opened
from tests.clients.printed import Machine, blocks, machine_serving
from tests.server import ROOT

README = "README.md"
SERVE, SIGN_UP, FORGOTTEN, RESET, TRUSTING, ASK, TEST, HOUSE = blocks(README)
[EXAMPLE] = blocks(README, "js")
SOMEBODY = "ada@example.com"


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(spare=tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that serves as README says first, with the account README opens."""
    with machine_serving(SERVE, tmp_path_factory.mktemp("machine") / "data") as machine:
        signed_up = machine.shell(SIGN_UP)
        assert signed_up.returncode == 0, signed_up.stderr
        assert json.loads(signed_up.stdout)["user"]["email"] == SOMEBODY, signed_up.stdout
        yield machine


def test_these_are_all_the_blocks() -> None:
    assert SERVE.startswith("scripts/serve")
    assert TEST == "scripts/test\n"  # this very run
    assert HOUSE.startswith("domain/")  # for the eye


def test_the_example_works_in_node(machine: Machine, node_modules: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules, target_is_directory=True)
    (tmp_path / "example.mjs").write_text(machine.here(EXAMPLE))
    ran = subprocess.run(["node", "example.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"email: '{SOMEBODY}'" in ran.stdout


def test_a_forgotten_password_is_set_anew_as_printed(machine: Machine) -> None:
    somebody = "forgetful@example.com"
    assert machine.shell(SIGN_UP.replace(SOMEBODY, somebody)).returncode == 0
    *request, look = FORGOTTEN.replace(SOMEBODY, somebody).splitlines(keepends=True)
    assert machine.shell("".join(request)).returncode == 0
    deadline, found = time.monotonic() + 30, ""
    while not found and time.monotonic() < deadline:
        time.sleep(0.1)
        found = machine.shell(f"{look} || true").stdout
    [digits] = set(re.findall(r"reset-password/([0-9a-f]{32})", found))
    reset = machine.shell(RESET.replace("THE_DIGITS", digits))
    assert json.loads(reset.stdout) == {"status": True}, reset.stdout
    again = machine.shell(RESET.replace("THE_DIGITS", digits))
    assert json.loads(again.stdout)["code"] == "INVALID_TOKEN"


def test_a_page_on_another_port_is_let_in_where_it_is_trusted_as_printed(
    node_modules: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with machine_serving(TRUSTING, tmp_path_factory.mktemp("trusting") / "data") as trusting:
        assert trusting.shell(SIGN_UP).returncode == 0
        came = opened(trusting.here(EXAMPLE), trusting, tmp_path / "app", node_modules)
        # Chromium's own name for an object on the console
        assert any("email: ada@example.com" in line for line in came["said"]), came
        assert came["email"] == SOMEBODY


def test_a_page_on_another_port_is_not_let_in_before(machine: Machine, node_modules: Path, tmp_path: Path) -> None:
    came = opened(machine.here(EXAMPLE), machine, tmp_path / "app", node_modules)
    assert any("blocked by CORS policy" in line for line in came["said"])
    assert came["email"] == "TypeError: Failed to fetch"


def test_the_book_is_asked_as_printed(machine: Machine) -> None:
    tail, replay, *others = ASK.splitlines()
    assert tail.startswith("scripts/daybook tail")
    assert [line.split()[1] for line in others] == ["verify", "rebuild"]
    told = json.loads(machine.shell(SIGN_UP.replace(SOMEBODY, "bo@example.com")).stdout)
    story = machine.shell(replay.replace("ID", told["user"]["id"]))
    assert (story.returncode, "SignedUp" in story.stdout) == (0, True), story
    for line in others:
        done = machine.shell(line)
        assert done.returncode == 0, done


def test_the_log_is_followed_as_printed(machine: Machine) -> None:
    following = subprocess.Popen(
        ["bash", "-c", f"exec {ASK.splitlines()[0]}"], cwd=ROOT, env=machine.environment, stdout=subprocess.PIPE
    )
    assert following.stdout is not None
    try:
        for number in range(10):
            # it tells what happens from when it has started, and no more than three may sign up in ten seconds
            machine.shell(SIGN_UP.replace(SOMEBODY, f"cy.{number}@example.com"))
            told, _, _ = select.select([following.stdout], [], [], 4)
            if told:
                break
        assert b"SignedUp" in following.stdout.readline()
    finally:
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=30)
