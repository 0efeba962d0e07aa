"""People who meet in organizations: each with two tabs, by the real commands, on one of two nodes."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random  # noqa: TID251  seeded: the same chances in every run
from threading import Barrier
from typing import Concatenate, ParamSpec
from uuid import UUID

from domain.clock import now
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.user import sign_up
from domain.refusals import Refusal
from tests.faults.owners import HERE, Owner, signed_in
from tests.people import PASSWORD

ROUNDS = int(os.environ.get("ORGANIZATION_RACE_ROUNDS", "5"))
SIDES = 8
LIMIT = 3
"""Members, and pending invitations, where they are limited."""
APART, LATE = 0.003, 0.01
"""Seconds: by at most so much one side starts later, and those that would come too early."""

Side = Callable[[Context], object]
P = ParamSpec("P")
Outcome = type[Refusal] | None
"""How a side was refused, None if it was not."""

_numbers = count()


@dataclass(frozen=True)
class Person:
    """Somebody with an account, signed in in two tabs."""

    email: str
    user_id: UUID
    tabs: tuple[UUID, UUID]

    def acts(self, *, tab: int = 0, at: datetime | None = None) -> PersonBySession:
        """What they do now, or at a given time."""
        return PersonBySession(user_id=self.user_id, session_id=self.tabs[tab], at=at or now(), where_from=HERE)


@dataclass(frozen=True)
class Place:
    """An organization, and the memberships in it by who has them."""

    organization_id: UUID
    memberships: dict[Person, UUID]


def people(context: Context, how_many: int) -> list[Person]:
    """Who signed up, and in once more."""
    return [_person(context, f"person{next(_numbers)}@example.com") for _ in range(how_many)]


def founded(context: Context, founder: Person, **others: Sequence[Person]) -> Place:
    """An organization with its founder, and others by their role."""
    organization_id, membership_id = found_organization(
        context, founder.acts(), name="Races", slug=new_slug(), logo=None, metadata=None, turning=False
    )
    place = Place(organization_id, {founder: membership_id})
    for role, invited in others.items():
        for person in invited:
            link = invite(context, founder, place, person.email, role=role)
            place.memberships[person] = received_invitation.accept(context, person.acts(), link=link).membership_id
    return place


def invite(
    context: Context, by: Person, place: Place, email: str, *, role: str = "member", at: datetime | None = None
) -> str:
    """A place for an address; the id in its link."""
    invitation_id = invitations.invite(
        context, by.acts(at=at), organization_id=place.organization_id, email=email, role=role, resend=False
    )
    return context.keyring.invitation_link(invitation_id)


def new_slug() -> str:
    """A slug nobody has."""
    return f"races-{next(_numbers)}"


def bound(act: Callable[Concatenate[Context, P], object], *args: P.args, **kwargs: P.kwargs) -> Side:
    """What will be done in a context, and with these."""
    return lambda context: act(context, *args, **kwargs)


class Races:
    """Sides that start together, each on the other node than the one before it; what all of them were told so far."""

    def __init__(self, nodes: Sequence[Context], threads: ThreadPoolExecutor, name: str) -> None:
        self.nodes, self._threads = nodes, threads
        self._chances, self._start = Random(name), Barrier(SIDES)
        self.told = Counter[str]()

    def run(self, sides: Sequence[Side], *, late: Sequence[Side] = ()) -> list[Outcome]:
        """Each side once, then those that are quick and so may start `late`; how each was told, in this order.

        Whatever is no refusal is raised here.
        """
        everybody = [*sides, *late]
        assert len(everybody) == SIDES
        order = list(range(SIDES))
        self._chances.shuffle(order)
        lateness = self._chances.uniform(0, LATE)
        running = {}
        for place, number in enumerate(order):
            pause = self._chances.choice([0, self._chances.uniform(0, APART)])
            pause += lateness if number >= len(sides) else 0
            running[number] = self._threads.submit(self._meet, everybody[number], self.nodes[place % 2], pause)
        told = [running[number].result(30) for number in range(SIDES)]
        self.told.update("done" if one is None else one.__name__ for one in told)
        return told

    def _meet(self, side: Side, context: Context, pause: float) -> Outcome:
        self._start.wait(30)
        time.sleep(pause)
        try:
            side(context)
        except Refusal as refusal:
            return type(refusal)
        return None


def _person(context: Context, email: str) -> Person:
    signed_up = sign_up(
        context, email=email, name="", image=None, password=PASSWORD, remembered=True, now=now(), where_from=HERE
    )
    owner = Owner(email, signed_up.person.user_id)
    tabs = signed_in(context, owner).session_id, signed_in(context, owner).session_id
    return Person(email, owner.user_id, tabs)
