"""Set-up of the private virtual environment: pinned by hash, one process at a time, anew after an interruption."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# PIP_USER: a person's own pip.conf may ask for --user, which a virtual environment refuses.
QUIET_PIP = {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}


class SetUpFailed(Exception):
    """Carries the one sentence that the person at the terminal reads."""


def set_up(folder: Path, lock: str) -> None:
    """Make the virtual environment `folder` hold what `lock` lists: RUNTIME, or DEVELOPMENT, which includes it."""
    turn = take_turn(folder)
    if holds(folder, lock):  # another start was faster
        return
    began = time.monotonic()
    if lock == DEVELOPMENT and holds(folder, RUNTIME) and not stamp(folder, DEVELOPMENT).exists():
        stamp(folder, RUNTIME).unlink()
    else:
        clear(folder)
        create(folder, turn)
    # Read before pip reads it: should it change meanwhile, the stamp differs and the next start installs again.
    texts = {name: Path(ROOT, name).read_bytes() for name in {RUNTIME, lock}}
    install(folder, lock, turn)
    leave_program(folder)
    for name, text in texts.items():
        leave_stamp(folder, name, text)
    say(f"Ready after {time.monotonic() - began:.0f} s.")


def leave_program(folder: Path) -> None:
    """The command `daybook` in the environment: of this checkout, from its root, as scripts/daybook runs it."""
    program = folder / "bin" / "daybook"
    root, python = shlex.quote(str(ROOT)), shlex.quote(str(folder / "bin" / "python"))
    program.write_text(f'#!/bin/sh\ncd -- {root} && exec {python} -m api.cli "$@"\n')
    program.chmod(0o755)


def take_turn(folder: Path) -> int:
    """Lock the file beside `folder` until this process and the programs it hands the descriptor to have ended."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    turn = os.open(folder.with_name(folder.name + ".lock"), os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"Another start is setting up {folder}; waiting for it.")
        fcntl.flock(turn, fcntl.LOCK_EX)
    return turn


def stamp(folder: Path, lock: str) -> Path:
    """Where a copy of `lock` stands once everything in it is installed."""
    return folder / "installed" / lock


def holds(folder: Path, lock: str) -> bool:
    """Answer what is_ready in scripts/environment answers; change both together."""
    python = folder / "bin" / "python"
    if not os.access(python, os.X_OK) or not stamp(folder, lock).exists():
        return False
    if stamp(folder, lock).read_bytes() != Path(ROOT, lock).read_bytes():
        return False
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([python, "-I", "-S", "-c", ask], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and site_packages(folder, answer.stdout.strip()).is_dir()


def site_packages(folder: Path, version: str) -> Path:
    return folder / "lib" / f"python{version}" / "site-packages"


def clear(folder: Path) -> None:
    """Empty `folder`, pyvenv.cfg last: by that file the next start knows it for ours if this one is interrupted."""
    folder.mkdir(exist_ok=True)
    mark = folder / "pyvenv.cfg"
    entries = sorted(folder.iterdir(), key=lambda entry: entry == mark)
    if entries and not mark.exists():
        raise SetUpFailed(f"{folder} is not a virtual environment: remove it, or let DAYBOOK_VENV name another folder.")
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    mark.touch()


def create(folder: Path, turn: int) -> None:
    """Make the environment and put the checkout on its path; a relative line there survives moving the checkout."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{PYTHON}-venv"
        raise SetUpFailed(f"Python {PYTHON} lacks venv or ensurepip here; on Debian and Ubuntu install {package}.")
    say(f"Making {folder} with Python {sys.version.split()[0]}.")
    if run([sys.executable, "-I", "-m", "venv", "--prompt", "daybook", str(folder)], turn) != 0:
        raise SetUpFailed(f"Python could not make the virtual environment {folder}; its message stands above.")
    packages = site_packages(folder, PYTHON)
    Path(packages, "daybook.pth").write_bytes(os.fsencode(os.path.relpath(ROOT, packages)) + b"\n")


def install(folder: Path, lock: str, turn: int) -> None:
    """Let pip install exactly the files whose hashes stand in `lock`."""
    count = sum("==" in line for line in Path(ROOT, lock).read_text(encoding="utf-8").splitlines())
    say(f"Installing the {count} packages of {lock}.")
    pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "-qq"]
    if run([*pip, "--require-hashes", "--requirement", lock], turn) != 0:
        raise SetUpFailed(f"pip could not install what {lock} lists; its message stands above.")


def run(command: list[str], turn: int) -> int:
    """Run `command` holding our turn: if we are killed and it lives on, the next start waits for its end."""
    environment = os.environ | QUIET_PIP
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=[turn], check=False
    ).returncode


def leave_stamp(folder: Path, lock: str, text: bytes) -> None:
    """Write the stamp whole or not at all."""
    stamp(folder, lock).parent.mkdir(exist_ok=True)
    draft = stamp(folder, lock + ".draft")
    draft.write_bytes(text)
    draft.replace(stamp(folder, lock))


def say(line: str) -> None:
    """Write a line of progress; standard output is left to the program that starts afterwards."""
    print(line, file=sys.stderr, flush=True)


def explain(error: OSError, folder: Path) -> str:
    """Name the place that could not be written and whose it is."""
    place = folder / (error.filename or "")  # shutil names what lies deeper without its folder
    while not place.exists():
        place = place.parent
    try:
        owner = place.owner()
    except KeyError:
        owner = f"user {place.stat().st_uid}"
    return (
        f"Cannot set up {folder}: {error.strerror} at {place}, which belongs to {owner}; "
        "start as its owner, or let DAYBOOK_VENV name a folder of your own."
    )


def main() -> int:
    """Arguments: the folder of the environment, the name of the lock."""
    folder, lock = Path(sys.argv[1]), sys.argv[2]
    try:
        set_up(folder, lock)
    except SetUpFailed as failed:
        say(str(failed))
    except OSError as error:
        say(explain(error, folder))
    except KeyboardInterrupt:
        say("Interrupted; the next start begins anew.")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
