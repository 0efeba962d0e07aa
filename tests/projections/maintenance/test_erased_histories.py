"""Histories in which people are erased: each table is what a rebuild makes of the log, and verify finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import psycopg
import pytest

from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from domain.refusals import LastOwner
from domain.store.connections import Values, connection_arguments
from domain.store.log import head
from domain.store.mapper import SealingMapper
from projections.lists.of_a_person import EMPTIED, Emptied
from projections.maintenance.filling import filling_of, tables
from projections.maintenance.generation import NEXT, drop_before, next_generation
from projections.maintenance.left_behind import RULE
from projections.maintenance.rebuild import rebuild
from projections.maintenance.verify import verify
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.lived_by_keys import programs_act
from tests.lived_by_mail import an_account_is_lost_and_found
from tests.lived_together import LivesTogether

SEEDS, LONG_SEEDS = 4, 200


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed < SEEDS else pytest.mark.long) for seed in range(LONG_SEEDS)]
)
def test_what_is_left_of_the_erased_is_what_a_rebuild_makes(database: Database, seed: int) -> None:
    with context_over(database) as context:
        lives = LivesTogether(context, Random(seed))
        erased = list[UUID | None]()
        for number in range(3):
            lives.live(25)
            lives.an_organization_lives(closing=number == 1)
            erased.append(lives.somebody_comes_and_goes())
            an_account_is_lost_and_found(lives)
            programs_act(lives)
            erased += [lives.somebody_is_erased(by_operator=bool(number % 2)) for _ in range(3)]
        gone = [one for one in erased if one is not None]
        assert len(gone) > 5
        caught_up(database)
        mapper = SealingMapper(context.keyring)
        with connected(database) as connection:
            result = verify(connection, mapper, lambda *_: None)
            assert (result.findings, [one.differences for one in result.tables if one.differing]) == ([], [])
            assert result.keys_gone > 0
        for table in tables():
            rebuilt = rebuild(database.owner_url, table, mapper, anew=True, progress=lambda *_: None)
            assert (rebuilt.differed, rebuilt.unreadable) == (0, 0), table


@pytest.mark.parametrize("one", EMPTIED, ids=lambda one: one.table.name)
def test_who_is_erased_while_a_table_is_made_anew_is_not_in_the_new_one(database: Database, one: Emptied) -> None:
    """Their sessions, say, have no event of it: they are made anew with the person's own."""
    table = one.table.name
    shown = " OR ".join(f"r.{column} IS NOT NULL" for column in one.columns)
    left = f"SELECT count(*) FROM {NEXT}.{table} r WHERE {one.theirs} AND ({shown})"
    with context_over(database) as context, connected(database) as owner, connected(database) as reader:
        lives = LivesTogether(context, Random(1))
        lives.live(10)
        lives.an_organization_lives(closing=False)
        an_account_is_lost_and_found(lives)
        programs_act(lives)
        caught_up(database)
        begun = next_generation(owner, table, anew=True)
        filling = filling_of(table, SealingMapper(context.keyring), reader)
        assert filling is not None
        while filling.fill(owner, begun) is not None:
            pass
        with psycopg.RawCursor(owner) as cursor:
            people = [
                user_id for user_id in lives.people.values() if cursor.execute(left, [user_id]).fetchone() != (0,)
            ]
            for user_id in people:
                with suppress(LastOwner):
                    erase_person(context, Operator(at=lives.now), user_id=user_id)
                    break
            else:
                pytest.fail("somebody may go")
            caught_up(database)
            while begun.position < head(owner):
                filling.catch_up(owner, begun)
            assert cursor.execute(left, [user_id]).fetchone() == (0,)
            assert filling.differing(owner, begun) == 0


@contextmanager
def connected(database: Database) -> Iterator[psycopg.Connection[Values]]:
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
        yield connection


def test_a_table_that_a_rebuild_left_is_named_until_it_is_dropped(database: Database) -> None:
    with context_over(database) as context, connected(database) as owner:
        lives = LivesTogether(context, Random(2))
        lives.somebody_signs_up()
        [user_id] = lives.people.values()
        caught_up(database)
        mapper = SealingMapper(context.keyring)
        rebuild(database.owner_url, "session_list", mapper, anew=True, progress=lambda *_: None)
        assert verify(owner, mapper, lambda *_: None).clean
        erase_person(context, Operator(at=lives.now), user_id=user_id)
        caught_up(database)
        [finding] = verify(owner, mapper, lambda *_: None).findings
        assert (finding.rule, finding.times) == (RULE, 1)
        assert finding.first.startswith("session_list ")
        assert drop_before(owner, "session_list")
        assert verify(owner, mapper, lambda *_: None).clean
