"""Every page and state, with names as long and strange as they come: WCAG 2.2 AA by axe-core, light and dark, on a
phone of 320 px and a wide screen, with nothing wider than the screen and nothing said in the console.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser as Chromium

from tests.browser.axe import violations
from tests.browser.devices import Device, width_of
from tests.browser.showcase import ROUGH, SCENES, Scene, Showcase, reached, showcase
from tests.clients.javascript import installed
from tests.databases import Database

THEMES: tuple[tuple[Literal["light", "dark"], Sequence[str]], ...] = (("light", ()), ("dark", ("color-contrast",)))
"""What is asked of each; of the dark one only what colours make a difference to."""


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where axe-core is."""
    return installed(spare=tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def shown(
    browser_program: Chromium, module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Showcase]:
    with showcase(module_database, tmp_path_factory.mktemp("mail"), ROUGH) as running:
        yield running


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_a_page_is_for_everybody(browser_program: Chromium, shown: Showcase, node_modules: Path, scene: Scene) -> None:
    wrong: list[str] = []
    with reached(browser_program, shown, scene) as device:
        assert len(device.tab.title()) > len(" · Daybook")
        wrong += shared_names(device) + nameless(device)
        for width in (1280, 320):
            device.tab.set_viewport_size({"width": width, "height": 800})
            found = width_of(device.tab)
            if found["page"] > width:
                wrong.append(f"{found['page']} px wide on {width} px: {widest(device)}")
            for theme, rules in THEMES:
                device.tab.emulate_media(color_scheme=theme)
                wrong += [f"{width} px, {theme}: {one}" for one in violations(device.tab, node_modules, rules)]
        wrong += device.faults
    assert wrong == []


def nameless(device: Device) -> list[str]:
    """What the accessibility tree says can be used or is a title, and does not say how it is called."""
    tree = device.tab.locator("body").aria_snapshot()
    roles = "button|link|textbox|searchbox|checkbox|combobox|heading|navigation"
    return [f"nameless: {line.strip()}" for line in tree.splitlines() if re.match(rf"\s*- ({roles})(?! \")", line)]


def shared_names(device: Device) -> list[str]:
    """Buttons and links of a list that are called the same and do something else: nobody who hears them knows which."""
    found: list[str] = device.tab.evaluate(
        """() => {
          const texts = (one, by) => (one.getAttribute(by) ?? '').split(' ').filter(Boolean)
            .map((id) => document.getElementById(id)?.innerText).join(' ');
          const own = (one) => one.getAttribute('aria-label') ?? one.innerText.trim();
          const name = (one) => `${texts(one, 'aria-labelledby') || own(one)} ${texts(one, 'aria-describedby')}`;
          const place = (one) => {
            const form = one.closest('form');
            const sent = form && (one.formAction || form.action) + [...new FormData(form)].join('&');
            return sent ?? one.href ?? one.closest('li').innerText;
          };
          const rows = [...document.querySelectorAll('li')];
          const seen = new Map(), shared = [];
          for (const row of rows) for (const one of row.querySelectorAll('button, a, summary')) {
            if (!one.checkVisibility()) continue;
            const called = `${one.localName} ${name(one)}`;
            const other = seen.get(called);
            if (other && other.row !== row && other.place !== place(one)) shared.push(`not unique: ${called}`);
            seen.set(called, { row, place: place(one) });
          }
          return [...new Set(shared)];
        }"""
    )
    return found


def widest(device: Device) -> str:
    """What reaches furthest beyond the screen."""
    return str(
        device.tab.evaluate(
            """() => [...document.querySelectorAll('body *')]
              .map((one) => [one.getBoundingClientRect().right, one.outerHTML.slice(0, 120)])
              .sort((one, other) => other[0] - one[0]).slice(0, 3)"""
        )
    )
