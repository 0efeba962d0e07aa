"""Mutation testing of the pure domain: one change at a time, the module's own tests, and which changes survive them."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from difflib import ndiff
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pytest
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

PURE = (
    "api_key", "email_address", "invitation", "key_format", "mailed_link", "membership", "organization", "roles",
    "scopes", "session", "user",
)  # fmt: skip
"""Modules of the domain that decide without database, clock and hashing, each with a test of its own name."""
SECONDS = 60
"""After which a change that makes tests run on and on counts as noticed."""
_SWAPS: dict[type[Any], tuple[type[Any], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.BitOr: (ast.BitAnd,),
}
_CALLED_INSTEAD = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SAY_NOTHING_TO_TESTS = ("annotation", "returns", "decorator_list")
"""Parts that types and linters look after."""

N = TypeVar("N", bound=ast.AST)


@dataclass(frozen=True)
class Mutant:
    """A module with one thing changed, and where. Both texts are as the syntax tree writes them, without comments."""

    line: int
    original: str
    changed: str

    @property
    def difference(self) -> list[str]:
        """The lines that differ, behind a minus as they were and behind a plus as they are."""
        compared = ndiff(self.original.splitlines(), self.changed.splitlines())
        return [line for line in compared if line.startswith(("-", "+"))]


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of a module, each alone."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    for holder, key in _places(tree):
        node = holder[key]
        for changed in _changes(node):
            holder[key] = changed
            text = ast.unparse(ast.fix_missing_locations(tree))
            holder[key] = node
            if text != original:
                yield Mutant(min(part.lineno for part in ast.walk(node) if hasattr(part, "lineno")), original, text)


def _places(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Where in the tree something stands that may be changed: what holds it, and under which name or number."""
    for name, value in ast.iter_fields(node):
        if name in _SAY_NOTHING_TO_TESTS:
            continue
        held: list[tuple[Any, Any]] = [(vars(node), name)]
        if isinstance(value, list):
            held = [(value, number) for number in range(len(value))]
        for holder, key in held:
            one = holder[key]
            if isinstance(one, ast.AST) and not _unheard(one):
                yield holder, key
                yield from _places(one)


def _unheard(node: ast.AST) -> bool:
    """Docstrings, assertions, and the end of a match that types prove never to be reached."""
    match node:
        case ast.Assert() | ast.Expr(value=ast.Constant()):
            return True
        case ast.match_case(body=[ast.Expr(value=ast.Call(func=ast.Name(id="assert_never")))]):
            return True
        case _:
            return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]):
            yield from (_but(node, ops=[other()]) for other in _SWAPS.get(type(op), ()))
        case ast.BoolOp(op=op, values=values):
            yield from (_but(node, op=other()) for other in _SWAPS[type(op)])
            yield from (_one_or(node, "values", rest) for rest in _each_left_out(values))
        case ast.BinOp(op=op):
            yield from (_but(node, op=other()) for other in _SWAPS.get(type(op), ()))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool() | int() | str() as value):
            yield ast.Constant(_other(value))
        case ast.IfExp(test=test) | ast.If(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _but(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=ifs):
            yield from (_but(node, ifs=rest) for rest in _each_left_out(ifs))
        case ast.Call(func=func, keywords=keywords):
            if isinstance(func, ast.Name) and func.id in _CALLED_INSTEAD:
                yield _but(node, func=ast.Name(_CALLED_INSTEAD[func.id]))
            yield from (_but(node, keywords=rest) for rest in _each_left_out(keywords))
        case ast.List(elts=elements) | ast.Set(elts=elements):
            yield from (_but(node, elts=rest) for rest in _each_left_out(elements))
        case ast.Dict(keys=keys, values=values):
            both = zip(_each_left_out(keys), _each_left_out(values), strict=True)
            yield from (_but(node, keys=fewer, values=rest) for fewer, rest in both)
        case ast.Return(value=ast.expr() as value):
            truth = isinstance(value, ast.Compare | ast.BoolOp) or getattr(value, "func", None) is not None
            yield from (ast.Return(ast.Constant(one)) for one in ((None, True, False) if truth else (None,)))
        case ast.Raise() | ast.AugAssign() | ast.Expr():
            yield ast.Pass()
        case ast.Match(cases=cases):
            yield from (_but(node, cases=swapped) for swapped in _neighbours_swapped(cases))
        case ast.match_case(guard=guard):
            yield _but(node, guard=ast.Constant(False))
            yield from () if guard is None else (_but(node, guard=None),)
        case ast.MatchOr(patterns=patterns):
            yield from (_one_or(node, "patterns", rest) for rest in _each_left_out(patterns))


def _but(node: N, **fields: Any) -> N:
    changed = copy(node)
    vars(changed).update(fields)
    return changed


def _one_or(node: ast.AST, name: str, parts: list[Any]) -> ast.AST:
    """The node with these parts; a single one stands for itself."""
    return parts[0] if len(parts) == 1 else _but(node, **{name: parts})


def _each_left_out(parts: list[Any]) -> Iterator[list[Any]]:
    return (parts[:number] + parts[number + 1 :] for number in range(len(parts)))


def _neighbours_swapped(cases: list[ast.match_case]) -> Iterator[list[ast.match_case]]:
    for number, (one, other) in enumerate(pairwise(cases)):
        if not _unheard(one) and not _unheard(other):
            yield [*cases[:number], _but(one, body=other.body), _but(other, body=one.body), *cases[number + 2 :]]


def _other(value: bool | int | str) -> bool | int | str:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}!"


def noticed(test: str) -> bool:
    """Whether the tests of a file fail in the current folder; in a process of their own, which imports it afresh."""
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            signal.alarm(SECONDS)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            failed = pytest.main(["-x", "-q", "--noconftest", "-p", "no:cacheprovider", test])
        finally:
            os._exit(failed)  # whatever happened: the folder is the parent's to remove
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) != 0


def survivors(module: Path, found: list[Mutant], progress: Progress) -> Iterator[Mutant]:
    """The changes that the module's tests pass with."""
    test = f"tests/domain/test_{module.stem}.py"
    task = progress.add_task(str(module), total=len(found))
    original = module.read_text()
    assert not noticed(test), f"{test} fails without any change"
    for one in found:
        module.write_text(one.changed)
        if not noticed(test):
            yield one
        progress.update(task, advance=1, refresh=True)
    module.write_text(original)


def main(
    files: Annotated[list[Path] | None, typer.Argument(help="Of domain/; without: all that are pure.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write what was found as JSON.")] = False,
) -> None:
    """Change one thing after another in the pure domain, and tell which changes no test notices: 1 if there are any."""
    console = Console(stderr=as_json, highlight=False)
    modules = files or [Path("domain", f"{name}.py") for name in PURE]
    if strangers := [str(one) for one in modules if one.parent != Path("domain") or one.stem not in PURE]:
        console.print(f"No pure module of the domain: {strangers[0]}; there are {', '.join(PURE)}.")
        raise typer.Exit(2)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    table, lived = Table("module", "changes", "noticed", "survived"), dict[str, Any]()
    # refreshed by hand: a thread of its own would not live on in the forked tests
    with tempfile.TemporaryDirectory() as folder, Progress(console=console, auto_refresh=False) as progress:
        for part in ("domain", "tests"):
            shutil.copytree(part, Path(folder, part), ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        shutil.copy("pyproject.toml", folder)
        os.chdir(folder)
        for module in modules:
            found = list(mutants(module.read_text()))
            alive = list(survivors(module, found, progress))
            told = [{"line": one.line, "difference": one.difference} for one in alive]
            lived[str(module)] = {"changes": len(found), "survived": told}
            table.add_row(str(module), str(len(found)), str(len(found) - len(alive)), str(len(alive)))
        os.chdir("/")
    if as_json:
        print(json.dumps(lived))
    else:
        console.print(table)
        for name, one in lived.items():
            for survivor in one["survived"]:
                console.print(
                    f"{name}:{survivor['line']}", *survivor["difference"], sep="\n", markup=False, soft_wrap=True
                )
    raise typer.Exit(1 if any(one["survived"] for one in lived.values()) else 0)


if __name__ == "__main__":
    typer.run(main)
