"""Pages of an application on a port of its own, opened in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.clients.javascript import HERE
from tests.clients.kept import cannot_run
from tests.clients.printed import Machine

_PAGE = '<!doctype html><title>begun</title><script type="module" src="page.js"></script>'
_EMPTY = "<!doctype html><title>empty</title>"
_PROGRAM = "page.mjs"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def _pages(folder: Path, port: int) -> Iterator[None]:
    # 127.0.0.1 is also what localhost means to a browser
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(10)


def opened(script: str, machine: Machine, folder: Path, node_modules: Path, *, host: str = "localhost") -> Any:
    """What comes of a page with this script: what it `said`, whose `email` a reload finds signed in, what it `stored`.

    The page is on `host`, at the machine's port for pages.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        cannot_run("there is no Chromium here")
    folder.mkdir()
    (folder / "node_modules").symlink_to(node_modules, target_is_directory=True)
    (folder / "index.html").write_text(_PAGE)
    (folder / "empty.html").write_text(_EMPTY)
    (folder / "printed.js").write_text(script)
    # so that the end is seen of a script that throws, too
    (folder / "whole.js").write_text(
        'import("./printed.js").catch((error) => console.log(`${error}`)).finally(() => (document.title = "done"));'
    )
    shutil.copy(HERE / _PROGRAM, folder)
    bundle = ["node_modules/.bin/esbuild", "whole.js", "--bundle", "--format=esm", "--target=es2022"]
    _run([*bundle, "--outfile=page.js", "--log-level=error"], folder)
    with _pages(folder, machine.page_port):
        page = f"http://{host}:{machine.page_port}/index.html"
        return json.loads(_run(["node", _PROGRAM, browser, page, machine.url], folder))


def _run(command: list[str], folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
