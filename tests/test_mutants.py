"""scripts/mutants: which changes it makes to a module, and that it tells those apart that tests notice."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1] / "scripts" / "mutants.py"


@pytest.fixture(scope="module")
def tool() -> Any:
    """The script, which is in no package."""
    spec = importlib.util.spec_from_file_location("mutants", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a and b", {"x = a or b", "x = a", "x = b"}),
        ("x = not a", {"x = a"}),
        ("x = b if a else c", {"x = b if not a else c"}),
        ("x = {a} | b", {"x = {a} & b", "x = {*()} | b"}),
        ("x = 7", {"x = 8"}),
        ("x = True", {"x = False"}),
        ("x = 'word'", {"x = 'word!'"}),
        ("x = min(a, b)", {"x = max(a, b)"}),
        ("x = f(a=b)", {"x = f()"}),
        ("x = [a, b]", {"x = [a]", "x = [b]"}),
        ("x = {a: b}", {"x = {}"}),
        ("x = [a for a in b if c]", {"x = [a for a in b]"}),
        ("x += a", {"pass"}),
        ("raise a", {"pass"}),
        ("return a", {"return None"}),
        ("return None", set()),
        ("return a.b()", {"return None", "return True", "return False"}),
        ("assert a < b, 'why'", set()),
        ("'a docstring'", set()),
        ("x: A | B = c", set()),
    ],
)
def test_these_changes_are_made_each_alone(tool: Any, line: str, changed: set[str]) -> None:
    assert {one.changed for one in tool.mutants(line)} == {ast.unparse(ast.parse(text)) for text in changed}


def test_cases_are_cut_out_and_swapped_but_for_the_end_that_is_never_reached(tool: Any) -> None:
    match = "match a:\n    case B() | C():\n        b\n    case D():\n        c\n    case _:\n        assert_never(a)"
    found = [one.changed for one in tool.mutants(match)]
    assert match.replace("C():\n        b", "C() if False:\n        b") in found
    assert match.replace("D():", "D() if False:") in found
    assert match.replace("B() | C()", "B()") in found
    assert match.replace("B() | C()", "C()") in found
    assert (
        match.replace("        b", "        x").replace("        c", "        b").replace("        x", "        c")
        in found
    )
    assert not [one for one in found if "assert_never" not in one]


def test_a_difference_shows_the_lines_as_they_were_and_as_they_are(tool: Any) -> None:
    [one] = tool.mutants("x = a\ny = a == b\n")
    assert (one.line, one.difference) == (2, ["- y = a == b", "+ y = a != b"])


def test_a_change_is_noticed_if_the_tests_fail_with_it(tmp_path: Path) -> None:
    (tmp_path / "test_ends.py").write_text("def test_it() -> None:\n    assert True\n")
    (tmp_path / "test_fails.py").write_text("def test_it() -> None:\n    assert False\n")
    (tmp_path / "test_breaks.py").write_text("import nothing_of_this_name\n")
    # in a process without threads, as the script is one: it forks
    ask = "import mutants; print(*(mutants.noticed(f'test_{one}.py') for one in ('ends', 'fails', 'breaks')))"
    environment = os.environ | {"PYTHONPATH": str(FILE.parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "True", "True"], ran.stderr
