"""`daybook rebuild`: tables made anew from the log."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from projections.maintenance import filling
from projections.maintenance import rebuild as rebuilding
from projections.maintenance.generation import drop_before
from projections.maintenance.rebuild import RebuildRefused, Rebuilt

from .as_owner import Bar, Json, as_owner, interruptible, mapper_of, owner_url
from .database import Database, connected
from .refusal import WontStart


def rebuild(
    tables: Annotated[list[str] | None, typer.Argument(metavar="TABLE", help=", ".join(filling.tables()))] = None,
    every: Annotated[bool, typer.Option("--all", help="Every table that can be rebuilt.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with one that was interrupted.")] = False,
    drop: Annotated[bool, typer.Option("--drop-before", help="Only drop the tables that were in use before.")] = False,
    as_json: Json = False,
) -> None:
    """Make tables anew from the log while the service runs; an interrupted rebuild goes on where it stopped."""
    chosen = _chosen(tables or [], every)
    with interruptible("Interrupted: the next call goes on from here."), as_owner() as found:
        if drop:
            _drop(found, chosen, as_json)
        else:
            _rebuild(found, chosen, anew, as_json)


def _chosen(tables: list[str], every: bool) -> list[str]:
    known = filling.tables()
    if every == bool(tables):
        raise WontStart("Name tables or give --all, not both." if every else f"Which table? {', '.join(known)}, --all.")
    if unknown := [name for name in tables if name not in known]:
        raise WontStart(f"There is no table {unknown[0]}; there are {', '.join(known)}.")
    return list(dict.fromkeys(tables)) or known


def _rebuild(found: Database, tables: list[str], anew: bool, as_json: bool) -> None:
    mapper, done, refused = mapper_of(found), list[Rebuilt](), None
    for table in tables:
        try:
            with Bar() as bar:
                rebuilt = rebuilding.rebuild(owner_url(found), table, mapper, anew=anew, progress=bar)
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
    with connected(owner_url(found)) as connection:
        dropped = [table for table in tables if drop_before(connection, table)]
    if as_json:
        print(json.dumps({"dropped": dropped}))
    else:
        print("\n".join(f"dropped the former {table}" for table in dropped) or "nothing to drop")
