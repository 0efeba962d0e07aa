"""Pictures of every page and state, from the running product with people made up for it, at one and the same noon."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.browser.devices import chromium
from tests.browser.showcase import PLAIN, SCENES, Showcase, reached, showcase
from tests.databases import Database, begin_log

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCREENS: dict[str, dict[str, object]] = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844, "device_scale_factor": 2},
}
SMALL = {"sessions": "sessions", "members": "members", "activity": "activity", "invitation-to-me": "invitation"}
"""What README shows, and what it is called there."""


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """An empty database of a server of its own."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE showcase")
        with Database(server, "showcase") as made:
            begin_log(made.owner_url)
            yield made
    finally:
        server.stop()


def make(folder: Path, shown: Showcase, only: list[str]) -> int:
    """Write the pictures; how many there are."""
    made = 0
    with chromium() as browser:
        for scene in SCENES:
            if only and scene.name not in only:
                continue
            for screen, options in SCREENS.items():
                with reached(browser, shown, scene, **options) as device:
                    for theme in THEMES:
                        device.tab.emulate_media(color_scheme=theme)
                        device.tab.screenshot(path=folder / f"{scene.name}.{screen}.{theme}.png", full_page=True)
                        made += 1
    return made


def make_small(folder: Path, shown: Showcase) -> int:
    """Write those that README shows; how many there are."""
    with chromium() as browser:
        for scene in SCENES:
            if scene.name in SMALL:
                with reached(browser, shown, scene, width=900, height=600, color_scheme="light") as device:
                    # the focus is for who is there
                    device.tab.evaluate("document.activeElement.blur()")
                    device.tab.screenshot(path=folder / f"{SMALL[scene.name]}.png")
    return len(SMALL)


def main() -> None:
    """Make them, and say where they are."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", nargs="+", default=[], choices=[scene.name for scene in SCENES], metavar="NAME")
    parser.add_argument("--small", action="store_true", help="only those of README, into docs/pictures")
    given = parser.parse_args()
    if given.small:
        given.folder = Path("docs/pictures")
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as work, database(Path(work, "database")) as empty:
            mail = Path(work, "mail")
            mail.mkdir()
            with showcase(empty, mail, PLAIN) as shown:
                pictures = make_small(given.folder, shown) if given.small else make(given.folder, shown, given.only)
                print(f"{pictures} pictures in {given.folder}")
    except pytest.skip.Exception as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
