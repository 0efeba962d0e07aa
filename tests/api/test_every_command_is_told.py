"""Two thousand commands of people and sessions: each change told once, each refusal among the attempts, folded."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import pytest

from domain.events.catalogue import SESSION, USER
from domain.session import EndReason
from domain.store import Store
from domain.store.envelope import Recorded
from domain.user import Revocation
from tests.api.conftest import HandClock, settings_for
from tests.api.world import Refused, Story, World
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

COMMANDS = 2_000
ACTS = {
    World.use: 28,
    World.move: 10,
    World.sign_out: 5,
    World.revoke_one: 8,
    World.revoke_all: 2,
    World.revoke_others: 3,
    World.change_password: 5,
    World.confirm_password: 5,
    World.change_name_or_image: 12,
    World.from_a_foreign_page: 6,
    World.too_often: 7,
    World.sign_in: 14,
    World.guess: 3,
    World.guess_nobody: 2,
    World.sign_up: 3,
    World.sign_up_again: 1,
}
WITH_REASONS: dict[str, Collection[str]] = {
    "SessionEnded": set(EndReason) - {EndReason.CROWDED_OUT},
    "SessionsRevoked": set(Revocation) - {Revocation.PASSWORD_RESET},
}
BY_MAIL = {"PasswordReset", "EmailVerified", "EmailContested", "EmailChanged", "EmailRestored"}
"""What happens by a link in a mail: its routes' own tests read the journal (tests/api/routes/test_password_reset.py,
tests/api/routes/test_change_email.py)."""


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    clock = HandClock()
    behind_a_proxy = {"trusted_proxies": "127.0.0.1", "fresh_calls": "update-user"}
    with ExitStack() as stack:
        free, limited = (
            stack.enter_context(application(settings_for(database, rate_limit=limits, **behind_a_proxy), clock))
            for limits in ("off", "on")
        )
        yield World(free, limited, clock, Random(2_000))


def test_each_change_is_told_once_and_each_refusal_is_counted(world: World, database: Database, store: Store) -> None:
    world.sign_up()
    for act in world.chances.choices(list(ACTS), list(ACTS.values()), k=COMMANDS - 1):
        act(world)
        if world.chances.random() < 0.03:
            world.pass_time()
    caught_up(database)
    assert world.refused[None, "sign_in", "TOO_MANY_REQUESTS"] > 50
    # who deletes their account reads nothing any more; of what only operators do tests/api/cli/test_operating.py,
    # of what only pages do tests/api/pages/test_languages.py, of API keys tests/api/routes/test_acting_by_key.py
    apart = BY_MAIL | {"AccountUnlocked", "ApiKeysRevoked", "PersonErased", "LanguageChosen"}
    names = [one.__name__ for aggregate in (USER, SESSION) for one in aggregate.event_classes]
    names = [name for name in names if name not in apart]
    assert {event for told in world.told.values() for event, *_ in told} == {
        "PersonalOrganizationFounded",
        "MemberJoined",
        *(f"{name} {reason}".rstrip() for name in names for reason in WITH_REASONS.get(name, [""])),
    }

    rows = database.rows("SELECT person_id, actor_kind, actor_id, stream_id, version FROM journal ORDER BY position")
    recorded = store.recorded([(stream_id, version) for *_, stream_id, version in rows])
    found: dict[UUID, list[Story]] = defaultdict(list)
    for person, kind, actor, *place in rows:
        one = recorded[place[0], place[1]]
        by_itself = kind == "system"
        assert (by_itself, actor) == (event_of(one) == "SessionEnded expired", None if by_itself else person)
        found[person].append((event_of(one), one.at, (one.command.ip_address or "", one.command.user_agent or "")))
    # that a session was renewed says nothing to anybody, nor in which organization it began
    nothing = {"SessionRenewed", "OrganizationChosen"}
    told = {person: [one for one in acts if one[0] not in nothing] for person, acts in world.told.items()}
    assert found == told

    deadline = time.monotonic() + 15
    while counted(database) != world.refused and time.monotonic() < deadline:
        time.sleep(0.1)
    assert counted(database) == world.refused
    assert database.value("SELECT count(*) FROM attempts") == len(world.kinds) < world.refused.total()


def event_of(recorded: Recorded) -> str:
    """Its name, and its reason if there are several."""
    return f"{type(recorded.event).__name__} {getattr(recorded.event, 'reason', '')}".rstrip()


def counted(database: Database) -> Counter[Refused]:
    rows = database.rows("SELECT person_id, command, code, sum(times)::integer FROM attempts GROUP BY 1, 2, 3")
    return Counter({(person, command, code): times for person, command, code, times in rows})
