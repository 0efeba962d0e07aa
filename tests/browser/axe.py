"""axe-core, which finds what WCAG 2.2 AA asks for and a program can see; pinned beside the JavaScript client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async (only) => (await axe.run(document, { runOnly: only, resultTypes: ['violations'] }))
  .violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.failureSummary} ${node.html}`))"""


def violations(page: Page, node_modules: Path, rules: Sequence[str] = ()) -> list[str]:
    """What is wrong with the page as it is shown now, by these rules or by all there are for WCAG 2.2 AA."""
    # given by the driver, so that the page's own policy stays as it is
    if not page.evaluate("'axe' in window"):
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text() + "; 0")
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _TAGS}
    found: list[Any] = page.evaluate(_RUN, only)
    return [str(one) for one in found]
