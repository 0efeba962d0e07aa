"""The documents tell the truth about the house: what they name is there, what is there is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.settings import Settings

FILES = re.compile(r"`((?:domain|projections|api|tests|scripts|docs)/[\w./-]+)`|\]\(((?!http)[\w./-]+)\)")


def documents(root: Path) -> list[Path]:
    return [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.md"))]


def test_every_file_a_document_names_exists(root: Path) -> None:
    missing = [
        (document.name, name)
        for document in documents(root)
        for plain, link in FILES.findall(document.read_text())
        for name in [plain or link]
        if not ((root / name).exists() or (document.parent / name).exists())
    ]
    assert missing == []


def test_every_setting_is_documented(root: Path) -> None:
    table = (root / "docs" / "running.md").read_text()
    named = {part.upper() for part in re.findall(r"[A-Z0-9_]+", table)}
    argon2 = {"ARGON2_TIME": "_TIME", "ARGON2_LANES": "_LANES"}
    names = [name.upper() for name in Settings.model_fields]
    assert [name for name in names if argon2.get(name, name) not in named] == []


@pytest.mark.parametrize("folder", ["domain", "projections", "api"])
def test_the_readme_names_the_rooms(root: Path, folder: str) -> None:
    readme = (root / "README.md").read_text()
    rooms = {path.parent.name for path in (root / folder).glob("*/*.py")}
    assert [room for room in rooms if f"{room}/" not in readme] == []


def test_every_decision_has_context_decision_consequences_and_what_was_rejected(root: Path) -> None:
    for page in sorted((root / "docs" / "decisions").glob("*.md")):
        text = page.read_text()
        parts = [part for part in ("Context", "Decision", "Consequences", "Rejected") if f"**{part}.**" in text]
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], page.name
