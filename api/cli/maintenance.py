"""The command line's maintenance of what can be seen: `daybook rebuild`, `daybook verify`."""

from __future__ import annotations

import json
import logging
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from domain.store.mapper import SealingMapper
from projections.maintenance import filling
from projections.maintenance import rebuild as rebuilding
from projections.maintenance import verify as verifying
from projections.maintenance.expected import Difference
from projections.maintenance.generation import drop_before
from projections.maintenance.rebuild import RebuildRefused, Rebuilt
from projections.maintenance.repair import forget_drift, repair
from projections.maintenance.structure import structure
from projections.maintenance.verify import Compared, Verified

from .configured import configured
from .database import Database, connected, keyring_of, reached
from .refusal import WontStart

_SHOWN = 20
"""Rows that differ, of one table, to people; JSON has all that were named."""
_OWNS = "SELECT tableowner = current_user FROM pg_tables WHERE schemaname = current_schema AND tablename = 'events'"
_MANY = 10_000
"""Rows of one table that are healed between two looks at everything."""

Json = Annotated[bool, typer.Option("--json", help="Answer in one JSON object.")]


def rebuild(
    tables: Annotated[list[str] | None, typer.Argument(metavar="TABLE", help=", ".join(filling.tables()))] = None,
    every: Annotated[bool, typer.Option("--all", help="Every table that can be rebuilt.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with one that was interrupted.")] = False,
    drop: Annotated[bool, typer.Option("--drop-before", help="Only drop the tables that were in use before.")] = False,
    as_json: Json = False,
) -> None:
    """Make tables anew from the log while the service runs; an interrupted rebuild goes on where it stopped."""
    chosen = _chosen(tables or [], every)
    with _interruptible("Interrupted: the next call goes on from here."), _as_owner() as found:
        if drop:
            _drop(found, chosen, as_json)
        else:
            _rebuild(found, chosen, anew, as_json)


def verify(
    heal: Annotated[bool, typer.Option("--repair", help="Make rows that differ anew from their events.")] = False,
    as_json: Json = False,
) -> None:
    """Compare every table with the log, and the log with itself, while the service runs; 0 if all is well."""
    with _interruptible("Interrupted."), _as_owner() as found:
        mapper = _mapper(found)
        result = first = _verified(found, mapper, heal)
        healed = Counter[str]()
        while heal and (differing := _differing(result)):
            healed += _heal(found, mapper, result)
            result = _verified(found, mapper, heal)
            if _differing(result) >= differing:
                break
        if heal:
            _forget_drift(found, result)
    if as_json:
        before = {"before": _found(first), "repaired": dict(healed)} if heal else {}
        print(json.dumps(_found(result) | before))
    else:
        _tell(first, healed, result)
    raise typer.Exit(0 if result.clean else 1)


def _chosen(tables: list[str], every: bool) -> list[str]:
    known = filling.tables()
    if every == bool(tables):
        raise WontStart("Name tables or give --all, not both." if every else f"Which table? {', '.join(known)}, --all.")
    if unknown := [name for name in tables if name not in known]:
        raise WontStart(f"There is no table {unknown[0]}; there are {', '.join(known)}.")
    return list(dict.fromkeys(tables)) or known


@contextmanager
def _interruptible(sentence: str) -> Iterator[None]:
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
def _as_owner() -> Iterator[Database]:
    """The database, and one sentence for what this role may not do there. Raises WontStart."""
    with reached(configured()) as found:
        # an address that cannot be read is refused before anything is begun, and without being shown
        with connected(_owner_url(found)):
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


def _mapper(found: Database) -> SealingMapper:
    return SealingMapper(keyring_of(found, configured()))


def _owner_url(found: Database) -> str:
    return found.owner_url or found.application_url


class _Speed(ProgressColumn):
    """How many of it a second."""

    def render(self, task: Task) -> Text:
        """Nothing until it is known."""
        return Text("" if not task.speed else f"{task.speed:,.0f}/s", style="progress.data.speed")


class _Bar:
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

    def __enter__(self) -> _Bar:
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


def _rebuild(found: Database, tables: list[str], anew: bool, as_json: bool) -> None:
    mapper, done, refused = _mapper(found), list[Rebuilt](), None
    for table in tables:
        try:
            with _Bar() as bar:
                rebuilt = rebuilding.rebuild(_owner_url(found), table, mapper, anew=anew, progress=bar)
        except RebuildRefused as reason:
            refused = str(reason)
            break
        done.append(rebuilt)
        if not as_json:
            print(_line(rebuilt), flush=True)
    if as_json:
        said = {} if refused is None else {"refused": refused}
        print(json.dumps({"rebuilt": [_plain(one) for one in done]} | said))
    if refused is not None:
        raise WontStart(refused)


def _line(one: Rebuilt) -> str:
    kept = f"; {one.unreadable:,} could not be made anew, run `daybook verify`" if one.unreadable else ""
    return (
        f"{one.table}: {one.rows:,} rows from {one.events:,} events ({one.events / one.seconds:,.0f}/s),"
        f" {one.differed:,} had differed; writers waited {1000 * one.writers_waited:.0f} ms"
        f"{kept}"
    )


def _plain(one: Rebuilt) -> dict[str, Any]:
    return {
        "table": one.table,
        "rows": one.rows,
        "events": one.events,
        "seconds": round(one.seconds, 3),
        "eventsPerSecond": round(one.events / one.seconds),
        "differed": one.differed,
        "unreadable": one.unreadable,
        "writersWaitedMs": round(1000 * one.writers_waited, 1),
    }


def _drop(found: Database, tables: list[str], as_json: bool) -> None:
    with connected(_owner_url(found)) as connection:
        dropped = [table for table in tables if drop_before(connection, table)]
    if as_json:
        print(json.dumps({"dropped": dropped}))
    else:
        print("\n".join(f"dropped the former {table}" for table in dropped) or "nothing to drop")


def _verified(found: Database, mapper: SealingMapper, heal: bool) -> Verified:
    with connected(found.application_url) as connection, _Bar() as bar:
        # between statements there is work to do; but a frozen command must not hold a snapshot for ever
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        result = verifying.verify(connection, mapper, bar, named=_MANY if heal else verifying.NAMED)
    if found.owner_url is not None or _owns(found):
        with connected(_owner_url(found)) as owner:
            result.findings += structure(owner, found.application_role)
        result.structure_compared = True
    return result


def _owns(found: Database) -> bool:
    with connected(found.application_url) as connection:
        return connection.execute(_OWNS).fetchone() == (True,)


def _differing(result: Verified) -> int:
    return sum(one.differing for one in result.tables)


def _heal(found: Database, mapper: SealingMapper, result: Verified) -> Counter[str]:
    with connected(_owner_url(found)) as connection:
        return Counter({one.table: repair(connection, mapper, one) for one in result.tables if one.differing})


def _forget_drift(found: Database, result: Verified) -> None:
    """The sweep finds out by itself, but only when it comes round."""
    with connected(found.application_url) as connection:
        forget_drift(connection, [one.table for one in result.tables if not one.differing])


def _found(result: Verified) -> dict[str, Any]:
    return {
        "clean": result.clean,
        "events": result.events,
        "commands": result.commands,
        "commitmentsHeld": result.held,
        "keysGone": result.keys_gone,
        "structureCompared": result.structure_compared,
        "findings": [{"rule": one.rule, "times": one.times, "first": one.first} for one in result.findings],
        "tables": [_compared(one) for one in result.tables],
    }


def _compared(one: Compared) -> dict[str, Any]:
    """A table without a value of any row: they are personal."""
    return {
        "table": one.table,
        "rows": one.rows,
        "differing": one.differing,
        "mustBe": one.must_be.hex(),
        "isThere": one.is_there.hex(),
        "differences": [
            {"key": str(row.key), "difference": _kind(row), "columns": list(row.columns)} for row in one.differences
        ],
    }


def _kind(row: Difference) -> str:
    return "differs" if row.columns else str(row)


def _tell(first: Verified, healed: Counter[str], last: Verified) -> None:
    for table in first.tables:
        _tell_table(table)
    print(f"{first.events:,} events, {first.commands:,} commands")
    print(f"{first.held:,} commitments hold; of {first.keys_gone:,} the key is gone")
    if not first.structure_compared:
        print("Structure and rights of the tables were not compared: that takes DAYBOOK_OWNER_DATABASE_URL.")
    for finding in first.findings:
        print(f"WRONG: {finding.rule}: not so {finding.times:,} times, the first time at {finding.first}")
    for name, rows in healed.items():
        print(f"{name}: {rows:,} rows were made anew")
    for table in last.tables:
        if table.differing and healed:
            print(f"{table.table}: {table.differing:,} of {table.rows:,} rows still differ")
    print("All is well." if last.clean else "Not all is well.")


def _tell_table(one: Compared) -> None:
    if not one.differing:
        print(f"{one.table}: {one.rows:,} rows, as their events say; {one.is_there.hex()}")
        return
    print(f"{one.table}: {one.rows:,} rows, WRONG: {one.differing:,} differ;", end=" ")
    print(f"{one.is_there.hex()}, must be {one.must_be.hex()}")
    for row in one.differences[:_SHOWN]:
        print(f"  {row.key}: {row}")
    if one.differing > _SHOWN:
        print(f"  and {one.differing - min(_SHOWN, len(one.differences)):,} more")
