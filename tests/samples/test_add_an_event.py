"""The recipe of docs/contributing.md is true: a change made by it, kept as patches, goes into a copy of this tree.

`add_an_event.patch` gives organizations a website: an event, its column, its field of the routes, its sentence.
`add_an_event_tests.patch` is what the tests want then. Where one does not apply any more, the tree around it changed:
apply it to a clone with `git apply --reject`, make the rest by hand, and keep `git diff -U1` of it as the new patch.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHANGE, TESTS = HERE / "add_an_event.patch", HERE / "add_an_event_tests.patch"
MOST_FILES = 9
"""An event with its column, its route field and its sentence once touched twelve, and a migration: in one language."""
SAY_WHAT_IS_MISSING = {
    "tests/history/test_stored_events.py::test_every_stored_name_there_is_has_a_sample",
    "tests/projections/lists/test_projected_events.py::test_each_event_there_is_begins_a_row_or_finds_one",
    "tests/projections/lists/test_projected_events.py"
    "::test_the_rows_told_of_here_have_the_columns_of_their_lists[organization_list]",
    "tests/projections/lists/test_projected_events.py"
    "::test_a_later_event_changes_these_columns_and_no_others[OrganizationErased-dict]",
    "tests/projections/trails/test_organization_sentences.py::test_each_event_of_organizations_is_told_of_here",
    "tests/domain/events/test_subjects.py::test_all_other_events_there_are_leave_a_key_with_whom_it_is",
}
"""Tests that fail until there is one for the new event."""
LOOKED_AT = [
    "tests/history",
    "tests/domain/events",
    "tests/projections/lists/test_projected_events.py",
    "tests/projections/trails/test_organization_sentences.py",
    "tests/projections/trails/test_concerns.py",
]
"""Of every event there is, and without a database."""
OF_THE_CHANGE = [
    *LOOKED_AT,
    "tests/domain/test_organization.py",
    "tests/domain/commands/test_nothing_is_left.py",
    "tests/domain/store/test_select_list.py",
    "tests/projections/lists/test_organization_list.py",
    "tests/api/routes/test_organization_website.py",
]


CASE = r"        case WebsiteChanged\(.*\):\n            return .*\n"
ALTERNATIVE = r" \| WebsiteChanged\(\)|WebsiteChanged\(\) \| "
"""The event where a `match` says what it means, alone or among others."""


def touched(patch: Path) -> set[str]:
    return set(re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE))


def run(where: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # git must not take the folder for a part of this checkout, nor Python a module from it
    alone = {"GIT_CEILING_DIRECTORIES": str(where.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    return subprocess.run(command, cwd=where, env=kept | alone, capture_output=True, text=True, timeout=300)


def apply(patch: Path, copy: Path) -> None:
    applied = run(copy, "git", "apply", "--whitespace=error", str(patch))
    assert applied.returncode == 0, f"{patch.name} wants to be refreshed, as said above:\n{applied.stderr}"


def pytest_in(copy: Path, *tests: str) -> tuple[set[str], str]:
    """The tests that failed there, and what was printed."""
    ran = run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    assert " passed" in ran.stdout, ran.stdout + ran.stderr
    return set(re.findall(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)), ran.stdout


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The files of this tree as they are now, those that git would keep."""
    if shutil.which("git") is None or not (root / ".git").exists():
        pytest.skip("no git here to say which files are the tree's, and to apply a patch")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    copy = tmp_path / "copy"
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():  # a file that was just deleted is still listed
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    return copy


def test_an_event_with_column_field_and_sentence_touches_few_files() -> None:
    files = touched(CHANGE)
    assert len(files) <= MOST_FILES
    assert {name.partition("/")[0] for name in files} == {"domain", "projections", "api"}
    assert {name.partition("/")[0] for name in touched(TESTS)} == {"tests"}


def test_the_recipe_names_each_of_them(root: Path) -> None:
    recipe = (root / "docs" / "contributing.md").read_text()
    assert [name for name in touched(CHANGE) if name not in recipe and "/migrations/" not in name] == []


def test_the_change_goes_in_and_tests_say_what_it_still_lacks(copy: Path) -> None:
    apply(CHANGE, copy)
    failed, _ = pytest_in(copy, *LOOKED_AT)
    assert failed == SAY_WHAT_IS_MISSING

    apply(TESTS, copy)
    for check in (("ruff", "check", "--no-cache"), ("ruff", "format", "--check", "--no-cache"), ("mypy",)):
        checked = run(copy, sys.executable, "-m", *check)
        assert checked.returncode == 0, checked.stdout
    failed, printed = pytest_in(copy, *OF_THE_CHANGE)
    assert not failed, printed


FORGOTTEN = {
    "domain/organization.py": "evolve",
    "domain/events/subjects.py": "key_owner",
    "projections/lists/organization_list.py": "project",
    "projections/trails/organization_sentences.py": "of_an_organization",
}
"""Files in which an event can be left out, and the function whose types say so."""


def test_the_types_tell_where_an_event_was_left_out(copy: Path) -> None:
    apply(CHANGE, copy)
    for name in FORGOTTEN:
        file = copy / name
        file.write_text(re.sub(CASE, "", re.sub(ALTERNATIVE, "", file.read_text())))
    told = run(copy, sys.executable, "-m", "mypy").stdout
    assert {name for name in FORGOTTEN if f"{name}:" in told} == set(FORGOTTEN), told
