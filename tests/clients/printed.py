"""What documents print for their readers to run, and a service started as they print it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.server import ROOT, START, free_port

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SERVICE, _PAGES = "localhost:8000", ("localhost:5173", "127.0.0.1:5173")
_OUTBOX = "data/outbox/"


def blocks(document: str, language: str = "") -> list[str]:
    """The blocks of a document that are printed in a language; those without any are for a shell."""
    return [text for found, text in _BLOCK.findall((ROOT / document).read_text()) if found == language]


@dataclass(frozen=True)
class Machine:
    """A reader's machine. The ports that are printed may be taken here: others stand for them."""

    port: int
    page_port: int
    data: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def here(self, text: str) -> str:
        """What is printed, with the ports of this machine."""
        text = text.replace(_SERVICE, f"localhost:{self.port}").replace(_OUTBOX, f"{self.data}/outbox/")
        for page in _PAGES:
            text = text.replace(page, f"{page.partition(':')[0]}:{self.page_port}")
        return text

    @property
    def environment(self) -> dict[str, str]:
        """Of its shell: nothing is set but where this machine keeps what others keep in the checkout."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        return {
            **inherited,
            "DAYBOOK_VENV": sys.prefix,
            "DAYBOOK_PORT": str(self.port),
            "DAYBOOK_DATA_DIR": str(self.data),
        }

    def shell(self, block: str, *, wait: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a block in the checkout."""
        return subprocess.run(
            ["bash", "-euc", self.here(block)],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=wait, check=False,
        )  # fmt: skip


@contextmanager
def machine_serving(block: str, data: Path, **settings: str) -> Iterator[Machine]:
    """A machine on which a printed block starts the service; with more `settings` where the text asks for some."""
    machine = Machine(free_port(), free_port(), data)
    log = data.with_suffix(".log")
    environment = machine.environment | {f"DAYBOOK_{name}": machine.here(value) for name, value in settings.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec env {machine.here(block)}"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        began = time.monotonic()
        while not _ready(machine):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() - began < START, log.read_text()[-2000:]
            time.sleep(0.05)
        yield machine
    finally:
        process.terminate()
        process.wait(30)


def _ready(machine: Machine) -> bool:
    try:
        return httpx.get(f"{machine.url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
