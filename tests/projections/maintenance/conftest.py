"""What the tests of the maintenance are given: a history, and connections as those who keep it up have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run

import psycopg
import pytest

from domain.commands.context import Rules
from domain.commands.session import sign_out
from domain.store.connections import Values, connection_arguments
from domain.store.mapper import SealingMapper
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import Lives, context_over
from tests.lived_by_keys import programs_act
from tests.lived_by_mail import an_account_is_lost_and_found
from tests.lived_together import LivesTogether
from tests.projections.maintenance.edited_log import EditedLog


@pytest.fixture(scope="module")
def lives(module_database: Database) -> Iterator[Lives]:
    """Some hundred events of two dozen people, in the log and in the journal: everything there is happened to some."""
    with context_over(module_database) as context:
        rules = Rules(member_limit=5, invitation_limit=3)
        lives = LivesTogether(replace(context, sessions_per_user=2, rules=rules), Random(14))
        lives.live(160)
        for closing in (True, False, False):
            lives.an_organization_lives(closing=closing)
        an_account_is_lost_and_found(lives)
        programs_act(lives)
        lives.somebody_comes_and_goes()
        lives.what_has_run_out_is_noted()
        caught_up(module_database)
        yield lives


@pytest.fixture
def mapper(lives: Lives) -> SealingMapper:
    """Opens what the history sealed."""
    return SealingMapper(lives.context.keyring)


@pytest.fixture
def owner(module_database: Database) -> Iterator[psycopg.Connection[Values]]:
    """A connection of the role that owns the tables."""
    with psycopg.connect(module_database.owner_url, **connection_arguments("tests")) as connection:
        yield connection


@pytest.fixture
def log(database: Database) -> Iterator[EditedLog]:
    """Ada and Bo have signed up; Bo has signed in again and out again."""
    with context_over(database) as context:
        lives = Lives(context, Random(5))
        lives.somebody_signs_up()
        lives.now += timedelta(hours=1)
        lives.somebody_signs_up()
        lives.now += timedelta(hours=1)
        lives.somebody_signs_in()
        session_id = list(lives.sessions)[-1]
        lives.now += timedelta(hours=1)
        sign_out(context, session_id=session_id, now=lives.now, where_from=lives.somewhere())
        caught_up(database)
        yield EditedLog(database, lives)
