"""`daybook verify`: every table compared with the log, and the log with itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any

import typer

from domain.store.mapper import SealingMapper
from projections.maintenance import verify as verifying
from projections.maintenance.expected import Difference
from projections.maintenance.repair import forget_drift, repair
from projections.maintenance.structure import structure
from projections.maintenance.verify import Compared, Verified

from .as_owner import Bar, Json, as_owner, interruptible, mapper_of, owner_url
from .database import Database, connected

_SHOWN = 20
"""Rows that differ, of one table, to people; JSON has all that were named."""
_OWNS = "SELECT tableowner = current_user FROM pg_tables WHERE schemaname = current_schema AND tablename = 'events'"
_MANY = 10_000
"""Rows of one table that are healed between two looks at everything."""


def verify(
    heal: Annotated[bool, typer.Option("--repair", help="Make rows that differ anew from their events.")] = False,
    as_json: Json = False,
) -> None:
    """Compare every table with the log, and the log with itself, while the service runs; 0 if all is well."""
    with interruptible("Interrupted."), as_owner() as found:
        mapper = mapper_of(found)
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


def _verified(found: Database, mapper: SealingMapper, heal: bool) -> Verified:
    with connected(found.application_url) as connection, Bar() as bar:
        # between statements there is work to do; but a frozen command must not hold a snapshot for ever
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        result = verifying.verify(connection, mapper, bar, named=_MANY if heal else verifying.NAMED)
    if found.owner_url is not None or _owns(found):
        with connected(owner_url(found)) as owner:
            result.findings += structure(owner, found.application_role)
        result.structure_compared = True
    return result


def _owns(found: Database) -> bool:
    with connected(found.application_url) as connection:
        return connection.execute(_OWNS).fetchone() == (True,)


def _differing(result: Verified) -> int:
    return sum(one.differing for one in result.tables)


def _heal(found: Database, mapper: SealingMapper, result: Verified) -> Counter[str]:
    with connected(owner_url(found)) as connection:
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
