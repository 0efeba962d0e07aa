"""Long work on the tables that the owner's role does: its progress, its interruption, and what is refused of it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from domain.store.mapper import SealingMapper

from .configured import configured
from .database import Database, connected, keyring_of, reached
from .refusal import WontStart

Json = Annotated[bool, typer.Option("--json", help="Answer in one JSON object.")]


@contextmanager
def interruptible(sentence: str) -> Iterator[None]:
    """Around work that Ctrl-C may end, with this sentence."""
    # started in the background of a shell, it would inherit that this signal is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # the driver warns of what it gives up then, and that is what was asked for
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print(sentence)
        raise typer.Exit(128 + signal.SIGINT) from None


@contextmanager
def as_owner() -> Iterator[Database]:
    """The database, and one sentence for what this role may not do there. Raises WontStart."""
    with reached(configured()) as found:
        # an address that cannot be read is refused before anything is begun, and without being shown
        with connected(owner_url(found)):
            pass
        try:
            yield found
        except psycopg.errors.InsufficientPrivilege:
            raise WontStart(
                "Only the role that owns the tables, and may create schemas in the database, may do this:"
                " set DAYBOOK_OWNER_DATABASE_URL to its address."
            ) from None
        except psycopg.errors.DependentObjectsStillExist:
            raise WontStart("Something in the database, like a view, is made of this table: drop it.") from None
        except psycopg.errors.IdleInTransactionSessionTimeout:
            raise WontStart("The database had waited for too long and hung up: call again.") from None


def mapper_of(found: Database) -> SealingMapper:
    """What opens the events of this database. Raises WontStart."""
    return SealingMapper(keyring_of(found, configured()))


def owner_url(found: Database) -> str:
    """The address of the role that owns the tables; the one that serves, if there is no other."""
    return found.owner_url or found.application_url


class _Speed(ProgressColumn):
    """How many of it a second."""

    def render(self, task: Task) -> Text:
        """Nothing until it is known."""
        return Text("" if not task.speed else f"{task.speed:,.0f}/s", style="progress.data.speed")


class Bar:
    """Progress of long work on a terminal; elsewhere nothing is written."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[so_far]}"),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """So much of it is done."""
        if what not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, visible=False)
            self._tasks[what] = self._progress.add_task(what, total=total, so_far="")
        so_far = "" if not done else f"{done:,}" if total is None else f"{done:,} of {total:,}"
        self._progress.update(self._tasks[what], completed=done, total=total, so_far=so_far)
