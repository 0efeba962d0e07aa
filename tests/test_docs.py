"""The documents tell the truth about the house: what they name is there, what is there is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.settings import Settings
from api.version import VERSION

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
    rooms = {f"{path.parent.name}/" for path in (root / folder).glob("*/*.py")}
    rooms |= {path.name for path in (root / folder).glob("*.py") if path.name != "__init__.py"}
    assert [room for room in rooms if room not in readme] == []


def test_the_newest_release_of_the_changelog_is_this_one(root: Path) -> None:
    newest = next(line for line in (root / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert newest.split()[1] == VERSION


def test_every_section_of_the_contract_that_is_named_exists(root: Path) -> None:
    contract = (root / "docs" / "wire.md").read_text()
    sections = set(re.findall(r"^#+ (\d+(?:\.\d+)?)[. ]", contract, re.MULTILINE))
    rows = set(re.findall(r"^\| (\d+) \|", contract, re.MULTILINE))
    for source in [
        *(root / "domain").rglob("*.py"),
        *(root / "api").rglob("*.py"),
        *(root / "projections").rglob("*.py"),
    ]:
        for named in re.findall(r"wire\.md ((?:§[\d.]+|A\d+)(?:, (?:§[\d.]+|A\d+))*)", source.read_text()):
            for one in named.split(", "):
                number = one.lstrip("§A").rstrip(".")
                assert number in (sections if one.startswith("§") else rows), (source.name, one)


def test_every_decision_has_context_decision_consequences_and_what_was_rejected(root: Path) -> None:
    for page in sorted((root / "docs" / "decisions").glob("*.md")):
        text = page.read_text()
        parts = [part for part in ("Context", "Decision", "Consequences", "Rejected") if f"**{part}.**" in text]
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], page.name
