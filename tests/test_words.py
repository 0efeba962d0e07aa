"""One language: where the field has a word, no word of our own stands in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPLACED = {
    "StoreAway": "StoreUnavailable",
    "decided_again": "retry_on_conflict",
    "daybook_of": "Services",
    "Visit": "RequestContext",
    "visit_of": "CurrentClient",
    "Directory": "RouteIndex",
    "Reply": "ResponseWriter",
    "Calling": "CurrentCaller",
    "Shown": "PresentedCredentials",
    "Command": "CommandRecord",
    "Sought": "StreamQuery",
    "Acting": "Principal",
    "author": "load_principal",
    "Standing": "MemberContext",
    "free_places": "free_invitation_seats",
    "Proof": "CommitmentCheck",
    "Questions": "Batcher",
    "Watch": "Deadline",
    "Hits": "RequestCounter",
    "HitLine": "CountingConnection",
    "Keeper": "BackgroundProcess",
    "take_in": "apply",
    "Told": "RenderedEntry",
    "Cast": "Names",
    "Happening": "JournalEntry",
    "Spot": "Cursor",
}
"""What was called by a word of our own, and by what it is known."""
MODULES = {
    *("admission", "cast", "chance", "daybook", "directory", "duties", "hits", "hot_reads", "keeper", "lines"),
    *("questions", "reply", "seeking", "sought", "standing", "told", "upkeep", "visit", "watch"),
}
METAPHORS = re.compile(r"\b(?:rooms?|house|books?|upkeep|keeper)\b", re.IGNORECASE)


def sources(root: Path) -> Iterator[Path]:
    for folder in ("domain", "projections", "api", "tests", "scripts"):
        yield from (root / folder).rglob("*.py")


def names(source: Path) -> Iterator[str]:
    """Of everything that is defined in a file."""
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name


def test_nothing_is_called_by_a_word_that_was_replaced(root: Path) -> None:
    found = [(str(one.relative_to(root)), name) for one in sources(root) for name in names(one) if name in REPLACED]
    assert found == []


def test_no_module_is_called_by_a_word_that_was_replaced(root: Path) -> None:
    assert [one for one in sources(root) if {one.stem, *one.relative_to(root).parent.parts} & MODULES] == []


def test_documents_for_operators_speak_of_log_module_and_maintenance(root: Path) -> None:
    pages = [root / "README.md", *(page for page in (root / "docs").glob("*.md") if page.name != "wire.md")]
    assert [(page.name, word) for page in pages for word in METAPHORS.findall(page.read_text())] == []


def test_the_words_that_took_their_place_are_in_use(root: Path) -> None:
    product = "".join(one.read_text() for one in sources(root) if one.relative_to(root).parts[0] != "tests")
    assert [word for word in REPLACED.values() if not re.search(rf"\b{word}\b", product)] == []
