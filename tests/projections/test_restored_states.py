"""A state made of a row is the one its events lead to, so commands need not read a stream that grew long."""

from __future__ import annotations

from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import pytest

from domain.events.catalogue import AGGREGATE_BY_EVENT, AGGREGATES, SESSION, USER
from domain.store import Store
from domain.store.conflicts import NoSuchStream
from domain.store.envelope import Recorded
from projections import INLINE
from tests.databases import Database
from tests.lived import Lives, context_over

RESTORED = {projection.aggregate for projection in INLINE if projection.restore is not None}


def folded(store: Store, stream_id: UUID) -> tuple[int, Any]:
    """The version and the state that a stream's own events lead to."""
    version, state = 0, None
    for recorded in store.events.get(stream_id):
        assert isinstance(recorded, Recorded)
        version, state = recorded.version, AGGREGATE_BY_EVENT[type(recorded.event)].evolve(state, recorded.event)
    return version, state


def test_accounts_and_sessions_are_restored_from_their_rows() -> None:
    assert {USER.name, SESSION.name} == RESTORED


@pytest.mark.parametrize("seed", range(3))
def test_every_state_is_the_one_its_events_lead_to(database: Database, seed: int) -> None:
    with context_over(database) as context:
        lives = Lives(context, Random(seed))
        lives.live(120)
        lives.what_has_run_out_is_noted()
        found = 0
        for aggregate in AGGREGATES:
            [table] = [one.table for one in INLINE if one.aggregate == aggregate.name]
            for [stream_id] in database.rows(f"SELECT {table.key} FROM {table.name}"):
                loaded = context.store.load(aggregate, stream_id)
                assert (loaded.version, loaded.state) == folded(context.store, stream_id)
                found += 1
        assert found > 60


def test_a_stream_of_another_kind_is_none(database: Database) -> None:
    with context_over(database) as context:
        lives = Lives(context, Random(0))
        lives.somebody_signs_up()
        [user_id] = lives.people.values()
        [session_id] = lives.sessions
        with pytest.raises(NoSuchStream):
            context.store.load(SESSION, user_id)
        with pytest.raises(NoSuchStream):
            context.store.load(USER, session_id)
