"""The sweep finds drift while the service runs, shows it, and sees when it is healed."""

from __future__ import annotations

from itertools import cycle, islice

import psycopg
import pytest

from domain.store.connections import Values, connection_arguments
from domain.store.mapper import SealingMapper
from projections import INLINE
from projections.maintenance.condition import condition
from projections.maintenance.sweep import Sweep
from tests.databases import Database
from tests.lived import Lives

Owner = psycopg.Connection[Values]
ROUND = len(INLINE) + 1
LOOKS = 12 * ROUND
"""Enough to come round at least twice, whatever the place it begins at."""


@pytest.fixture
def sweep(module_database: Database, mapper: SealingMapper) -> Sweep:
    return Sweep(mapper)


def look_around(sweep: Sweep, database: Database) -> None:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        for projection in islice(cycle([*INLINE, None]), LOOKS):
            sweep.look(connection, projection)


def drift(lives: Lives) -> dict[str, int]:
    return condition(lives.context.store.statements).drift


def test_nothing_is_found_where_nothing_is_wrong(lives: Lives, sweep: Sweep, module_database: Database) -> None:
    look_around(sweep, module_database)
    assert drift(lives) == {}


@pytest.mark.parametrize(
    ("spoil", "heal", "told"),
    [
        (
            "UPDATE session_list SET expires_at = expires_at + interval '1 day' WHERE session_id = %s",
            "UPDATE session_list SET expires_at = expires_at - interval '1 day' WHERE session_id = %s",
            ("session_list", "expires_at"),
        ),
        (
            "UPDATE journal SET stream_id = gen_random_uuid(), person_id = NULL WHERE stream_id = %s AND version = 1",
            None,
            ("journal", "stream_id, person_id"),
        ),
        (
            "INSERT INTO journal SELECT -9, at, event, gen_random_uuid(), version, command_id, actor_kind"
            " FROM journal WHERE stream_id = %s AND version = 1",
            "DELETE FROM journal WHERE position = -9 AND %s IS NOT NULL",
            ("journal", "too many"),
        ),
    ],
)
def test_what_drifts_is_found_and_told_until_it_is_healed(
    lives: Lives,
    sweep: Sweep,
    owner: Owner,
    module_database: Database,
    spoil: str,
    heal: str | None,
    told: tuple[str, str],
) -> None:
    session_id = next(iter(lives.sessions))
    kept = owner.execute("SELECT * FROM journal WHERE stream_id = %s AND version = 1", (session_id,)).fetchall()
    owner.execute(spoil.encode(), (session_id,))
    look_around(sweep, module_database)
    assert owner.execute("SELECT table_name, difference FROM drift").fetchall() == [told]
    assert drift(lives) == {told[0]: 1}
    assert condition(lives.context.store.statements).damaged
    if heal is not None:
        owner.execute(heal.encode(), (session_id,))
    else:
        owner.execute("DELETE FROM journal WHERE position = %s", (kept[0][0],))
        owner.execute(f"INSERT INTO journal VALUES ({', '.join(['%s'] * len(kept[0]))})".encode(), kept[0])
    look_around(sweep, module_database)
    assert drift(lives) == {}


def test_it_is_quiet_once_it_has_seen_all_and_nothing_differs(
    lives: Lives, sweep: Sweep, owner: Owner, module_database: Database
) -> None:
    session_id, quiet = next(iter(lives.sessions)), []
    for way in ("way", "upper(way)", "lower(way)"):
        owner.execute(f"UPDATE session_list SET way = {way} WHERE session_id = %s".encode(), (session_id,))
        look_around(sweep, module_database)
        quiet.append(sweep.quiet)
    assert quiet == [True, False, True]
