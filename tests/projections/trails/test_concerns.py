"""Whose account an event concerns: what names somebody says so, or says here why it does not."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest

from domain.events.catalogue import AGGREGATES, EVENT_BY_NAME, ORGANIZATION
from projections.trails.journal import concerns
from tests.people import ADA, BO

STREAM = UUID("01890000-0000-7000-8000-0000000000d4")
NAMING = {"user_id", "owner_id", "recipient_id"}
"""Fields that say whose account it is about."""
SAYS_THE_BEGINNING = {"InvitationAccepted", "InvitationRejected", "RecipientErased"}
"""By whom it was: whose invitation it is stands in the first event of its stream."""


def example(kind: type, person: UUID) -> Any:
    """An event of a class, with this person wherever it names one."""
    return kind(**{one.name: person if one.name in NAMING else object() for one in fields(kind)})


@pytest.mark.parametrize("name", sorted(EVENT_BY_NAME))
def test_an_event_that_names_a_person_concerns_them(name: str) -> None:
    kind = EVENT_BY_NAME[name]
    if NAMING.isdisjoint(one.name for one in fields(kind)) or name in SAYS_THE_BEGINNING:
        return
    for person in (ADA, BO):
        found = concerns(STREAM, example(kind, person))
        assert found is not None
        assert found.person_id == person


@pytest.mark.parametrize("kind", ORGANIZATION.event_classes, ids=lambda kind: kind.__name__)
def test_all_that_happens_to_an_organization_is_in_its_trail(kind: type) -> None:
    found = concerns(STREAM, example(kind, ADA))
    assert found is not None
    assert found.organization_id == STREAM


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda one: one.name)
def test_a_stream_begins_with_whom_it_concerns(aggregate: Any) -> None:
    beginning = [kind for kind in aggregate.event_classes if begins(aggregate, kind)]
    assert beginning
    assert all(concerns(STREAM, example(kind, ADA)) is not None for kind in beginning)


def begins(aggregate: Any, kind: type) -> bool:
    try:
        aggregate.evolve(None, example(kind, ADA))
    except AssertionError:
        return False
    except (AttributeError, TypeError, ValueError):
        return True  # it went on to look at fields that say nothing here
    return True
