"""A state made of a row is the one its events lead to, so commands need not read a stream that grew long."""

from __future__ import annotations

from collections import Counter
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import pytest

from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from domain.commands.queries import membership_of, the_account, the_membership, the_organization
from domain.events.catalogue import AGGREGATE_BY_EVENT, AGGREGATES, MEMBERSHIP, SESSION, USER
from domain.store import Store
from domain.store.conflicts import NoSuchStream
from domain.store.envelope import Recorded
from projections import INLINE
from tests.databases import Database
from tests.lived import Lives, context_over
from tests.lived_by_keys import programs_act
from tests.lived_by_mail import an_account_is_lost_and_found
from tests.lived_together import LivesTogether


def folded(store: Store, stream_id: UUID) -> tuple[int, Any]:
    """The version and the state that a stream's own events lead to."""
    version, state = 0, None
    for recorded in store.events.get(stream_id):
        assert isinstance(recorded, Recorded)
        version, state = recorded.version, AGGREGATE_BY_EVENT[type(recorded.event)].evolve(state, recorded.event)
    return version, state


@pytest.mark.parametrize("seed", range(3))
def test_every_state_is_the_one_its_events_lead_to(database: Database, seed: int) -> None:
    with context_over(database) as context:
        lives = LivesTogether(context, Random(seed))
        lives.live(120)
        for closing in (False, True):
            lives.an_organization_lives(closing=closing)
            lives.somebody_comes_and_goes()
        for _ in range(4):
            an_account_is_lost_and_found(lives)
            programs_act(lives)
        lives.what_has_run_out_is_noted()
        found = Counter[str]()
        for aggregate in AGGREGATES:
            [table] = [one.table for one in INLINE if one.aggregate == aggregate.name]
            for [stream_id] in database.rows(f"SELECT {table.key} FROM {table.name}"):
                loaded = context.store.load(aggregate, stream_id)
                assert (loaded.version, loaded.state) == folded(context.store, stream_id)
                found[aggregate.name] += 1
        assert min(found[aggregate.name] for aggregate in AGGREGATES) > 9, found


def test_an_account_keeps_whose_address_it_had_once_its_slot_is_free_for_another(database: Database) -> None:
    with context_over(database) as context:
        lives = Lives(context, Random(0))
        lives.somebody_signs_up()
        [user_id] = lives.people.values()
        email_hash = context.store.load(USER, user_id).state.email_hash
        erase_person(context, Operator(at=lives.now), user_id=user_id)
        assert database.value("SELECT email_slot FROM account_list") is None
        loaded = context.store.load(USER, user_id)
        assert (loaded.version, loaded.state) == folded(context.store, user_id)
        assert loaded.state.email_hash == email_hash


def test_streams_and_a_key_are_found_as_they_stand_at_one_moment(database: Database) -> None:
    with context_over(database) as context:
        lives = LivesTogether(context, Random(0))
        lives.an_organization_lives(closing=False)
        [organization_id] = lives.organizations
        [(membership_id, user_id)] = database.rows(
            "SELECT membership_id, live_user_id FROM member_list WHERE organization_id = %s AND role = 'owner'"
            " AND live_user_id IS NOT NULL",
            organization_id,
        )
        organization, own, nobody, membership, user = context.store.find(
            the_organization(organization_id),
            membership_of(user_id, organization_id),
            membership_of(UUID(int=1), organization_id),
            the_membership(membership_id),
            the_account(user_id),
        )
        assert organization is not None
        assert user is not None
        for found in (organization, user):
            assert found.subject == context.store.subject(found.stream_id)
            assert found.subject is not None
            assert found.subject.wrapped is not None
        assert organization.state.owners == {user_id}
        assert own == membership == context.store.load(MEMBERSHIP, membership_id)
        assert nobody is None


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
