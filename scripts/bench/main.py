"""The benchmarks' command line: which to run, progress while they run, a table or JSON at the end."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import append
import even_answers
import flood
import get_session
import growth
import idle
import journal
import key_check
import maintenance
import organizations
import pages
import queue_under_snapshots
import typer
from cluster import Cluster, running
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from rounds import Figure, Pair, measure
from wrk import NotInstalled

Tell = Callable[[str, int, int], None]
"""Told what is done, how much of it so far, and how much there is."""
BENCHMARKS: dict[str, Callable[[Cluster], AbstractContextManager[Iterable[Pair]]]] = {
    "get-session": get_session.pairs,
    "key-check": key_check.pairs,
    "append-stock": append.against_stock,
    "append-pgbench": append.against_pgbench,
    "organizations": organizations.pairs,
    "flood": flood.under_flood,
    "hashing": flood.beside_neighbours,
}
_UNASKED = ("get-session", "append-stock", "append-pgbench")
"""What runs if nothing is named: what needs no network."""
ALONE: dict[str, Callable[[Cluster, int, int, Tell], dict[str, Any]]] = {
    "history": maintenance.loaded,
    "maintenance": maintenance.measured,
    "journal": journal.measured,
    "idle": idle.measured,
    "queue": queue_under_snapshots.measured,
    "growth": growth.measured,
    "even-answers": even_answers.measured,
    "pages": pages.measured,
    "keys": key_check.grown,
}
"""No pairs: how long something takes on so many events, or costs while there are none. Run alone, each."""


def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Some of: {', '.join(BENCHMARKS)} (without: {', '.join(_UNASKED)}), or one of: {', '.join(ALONE)}."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Pairs of slices for each figure.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a slice.")] = 4.0,
    events: Annotated[int, typer.Option(min=100, help="For those run alone: events in the history.")] = 1_000_000,
    one_person: Annotated[int, typer.Option(min=0, help="How many of them are one person's; 0 or 5 and more.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON.")] = False,
) -> None:
    """Measure Daybook against others, in pairs, and print the median of the ratios. Nothing is asserted."""
    console = Console(stderr=as_json, highlight=False)
    chosen = list(names or _UNASKED)
    if chosen[0] in ALONE:
        found = _alone(chosen[0], events, one_person, console)
        console.print_json(data=found) if not as_json else print(json.dumps(found))
        return
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        console.print(
            f"There is no pair {unknown[0]}; there are {', '.join(BENCHMARKS)}, and alone {', '.join(ALONE)}."
        )
        raise typer.Exit(2)
    try:
        figures = list(_figures(chosen, rounds, seconds, console))
    except NotInstalled as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    if as_json:
        json.dump(
            {"cores": os.cpu_count(), "seconds": seconds, "figures": [one.as_json() for one in figures]}, sys.stdout
        )
        print()
    else:
        console.print(_table(figures))


def _figures(chosen: list[str], rounds: int, seconds: float, console: Console) -> Iterator[Figure]:
    with ExitStack() as opened, Progress(console=console, transient=True) as progress:
        cluster = opened.enter_context(running(Path(opened.enter_context(tempfile.TemporaryDirectory()))))
        for name in chosen:
            with BENCHMARKS[name](cluster) as pairs:
                for pair in pairs:
                    task = progress.add_task(pair.name, total=2 * rounds)
                    yield measure(pair, rounds=rounds, seconds=seconds, after_slice=partial(progress.advance, task))


def _alone(name: str, events: int, one_person: int, console: Console) -> dict[str, Any]:
    """What was measured in a database that is thrown away, telling how far it is."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as cluster,
        Progress(console=console, transient=True) as progress,
    ):
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        return {"cores": os.cpu_count(), name: ALONE[name](cluster, events, one_person, tell)}


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "against", "ours/s", "theirs/s", "ratio", "min-max", "aim", "rounds", "load")
    for found in (figure.as_json() for figure in figures):
        ratio = found["ratio"]
        table.add_row(
            found["name"],
            found["against"],
            _side(found["ours"]),
            _side(found["theirs"]),
            f"{ratio['median']:.2f}",
            f"{ratio['min']:.2f}-{ratio['max']:.2f}",
            f"{found['aim']:g}",
            str(found["rounds"]),
            f"{found['load']:.1f}",
        )
    return table


def _side(side: dict[str, float]) -> str:
    return f"{side['rate']:,.0f}" + (f" (p99 {side['p99']:.0f} ms)" if "p99" in side else "")


if __name__ == "__main__":
    typer.run(main)
