"""A thousand random commands in organizations: each change in the trail of one exactly once, each refusal counted."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import pytest

from domain.events.catalogue import INVITATION, MEMBERSHIP, ORGANIZATION
from tests.api.browser import Answer
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

STEPS = 1_000
WEEK = timedelta(days=7)
"""How long an invitation can be accepted."""
ROLES = ("owner", "admin", "member", "member,admin")
NAMES, LOGOS, NOTES = ("Acme", "Acme Works"), ("https://x.io/a.png", None), ({"plan": "small"}, None)

COMMANDS = {
    "create": "found_organization",
    "update": "update_organization",
    "delete": "close_organization",
    "set-active": "choose_organization",
    "invite-member": "invite",
    "cancel-invitation": "cancel_invitation",
    "accept-invitation": "accept_invitation",
    "reject-invitation": "reject_invitation",
    "update-member-role": "change_role",
    "remove-member": "remove_member",
    "transfer-ownership": "transfer_ownership",
    "leave": "leave_organization",
}
"""What is asked for at a path."""
Story = tuple[Any, str, UUID | None, UUID | None]
"""When, what, by whom, and whose account it concerns."""


@dataclass
class Organization:
    """As those who work there know it. Members are ids and roles by person, invitations what an address has pending."""

    id: str
    slug: str
    home_of: Person | None
    name: str
    logo: str | None = None
    notes: object = None
    open: bool = True
    members: dict[Person, tuple[str, str]] = field(default_factory=dict)
    pending: dict[str, tuple[str, str, Any]] = field(default_factory=dict)


class Office:
    """People, where they work together, and what was acknowledged and refused there."""

    def __init__(self, url: str, clock: HandClock, chances: Random) -> None:
        self.clock, self.chances = clock, chances
        self.people = [Person(url, name) for name in ("Ada", "Bo", "Cy", "Dee")]
        self.told: dict[str, list[Story]] = defaultdict(list)
        self.refused: Counter[tuple[UUID, str, str]] = Counter()
        self.ran_out: Counter[str] = Counter()
        self.organizations = [self._home(person) for person in self.people]

    def _home(self, person: Person) -> Organization:
        [listed] = person.told("list")
        home = Organization(person.own, listed["slug"], person, listed["name"])
        home.members[person] = (person.member_id(), "owner")
        self._tell(home, person, "PersonalOrganizationFounded", person)
        self._tell(home, person, "MemberJoined", person)
        return home

    def act(self) -> None:
        acts = [
            self.found, self.change, self.change, self.invite, self.invite, self.invite, self.invite, self.cancel,
            self.accept, self.accept, self.accept, self.reject, self.set_role, self.set_role, self.remove, self.leave,
            self.transfer, self.wait,
        ]  # fmt: skip
        self.clock.wind(seconds=1)
        act = self.close if self.chances.random() < 0.01 else self.chances.choice(acts)
        act(self.chances.choice(self.people), self.chances.choice([one for one in self.organizations if one.open]))

    def wait(self, _person: Person, _at: Organization) -> None:
        """Until some of what was sent has run out, and some has not."""
        self.clock.wind(hours=self.chances.randrange(20))
        for person in self.people:
            # they prove their password now and then, so that their sessions are fresh
            assert person.sign_in(person.email).status == 200

    def found(self, person: Person, _at: Organization) -> None:
        if len(self.organizations) < 12:
            slug = new_slug()
            made = person.done("create", name=NAMES[0], slug=slug)
            at = Organization(made["id"], slug, None, NAMES[0])
            at.members[person] = (made["members"][0]["id"], "owner")
            self.organizations.append(at)
            self._tell(at, person, "OrganizationFounded", person)
            self._tell(at, person, "MemberJoined", person)

    def change(self, person: Person, at: Organization) -> None:
        choose, data = self.chances.choice, dict[str, Any]()
        data |= {"name": choose(NAMES)} if choose([True, False]) else {}
        data |= {"slug": choose([at.slug, new_slug()])} if choose([True, False]) else {}
        data |= {"logo": choose(LOGOS)} if choose([True, False]) else {}
        data |= {"metadata": choose(NOTES)} if not data or choose([True, False]) else {}
        if not self._done(person, "update", organizationId=at.id, data=data):
            return
        for key, attribute, event in (
            ("name", "name", "OrganizationRenamed"),
            ("slug", "slug", "SlugChanged"),
            ("logo", "logo", "LogoChanged"),
            ("metadata", "notes", "MetadataChanged"),
        ):
            if key in data and data[key] != getattr(at, attribute):
                setattr(at, attribute, data[key])
                self._tell(at, person, event)

    def close(self, person: Person, at: Organization) -> None:
        if self._done(person, "delete", organizationId=at.id):
            at.open = False
            self._tell(at, person, "OrganizationClosed")

    def invite(self, person: Person, at: Organization) -> None:
        guest, resend = self.chances.choice(self.people), self.chances.random() < 0.3
        role = self.chances.choice(ROLES)
        answer = self._asked(person, "invite-member", organizationId=at.id, email=guest.email, role=role, resend=resend)
        before = at.pending.get(guest.email)
        reached = answer.problem[1] in (None, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION")
        if before is not None and reached and self.clock.now >= before[2]:
            self._ran_out(at, guest.email)
            before = None
        if answer.status == 200:
            sent, ends = answer.json(), self.clock.now + WEEK
            at.pending[guest.email] = (sent["id"], role if before is None else before[1], ends)
            self._tell(at, person, "InvitationSent" if before is None else "InvitationResent", guest)

    def cancel(self, person: Person, at: Organization) -> None:
        guest = self.chances.choice(self.people)
        if (found := at.pending.get(guest.email)) and self._done(person, "cancel-invitation", invitationId=found[0]):
            del at.pending[guest.email]
            self._tell(at, person, "InvitationCanceled", guest)

    def reject(self, person: Person, at: Organization) -> None:
        if (found := at.pending.get(person.email)) and self._done(person, "reject-invitation", invitationId=found[0]):
            del at.pending[person.email]
            self._tell(at, person, "InvitationRejected", person)

    def accept(self, person: Person, at: Organization) -> None:
        if (found := at.pending.get(person.email)) is None:
            return
        link, role, ends = found
        answer = self._asked(person, "accept-invitation", invitationId=link)
        if self.clock.now >= ends:
            assert answer.problem == (400, "INVITATION_NOT_FOUND")
            self._ran_out(at, person.email)
        elif answer.status == 200:
            del at.pending[person.email]
            at.members[person] = (answer.json()["member"]["id"], role)
            self._tell(at, person, "InvitationAccepted", person)
            self._tell(at, person, "MemberJoined", person)
            self._tell(at, person, "SeatTaken", person)
            self._owned(at, person, person, owned=False, owns="owner" in role)

    def set_role(self, person: Person, at: Organization) -> None:
        target, role = self._member(at), self.chances.choice(ROLES)
        member_id, before = at.members[target]
        if self._done(person, "update-member-role", organizationId=at.id, memberId=member_id, role=role):
            at.members[target] = (member_id, role)
            if role != before:
                self._tell(at, person, "MemberRoleChanged", target)
            self._owned(at, person, target, owned="owner" in before, owns="owner" in role)

    def remove(self, person: Person, at: Organization) -> None:
        target = self._member(at)
        if self._done(person, "remove-member", organizationId=at.id, memberIdOrEmail=at.members[target][0]):
            self._gone(at, person, target, "MemberRemoved")

    def leave(self, person: Person, at: Organization) -> None:
        if self._done(person, "leave", organizationId=at.id):
            self._gone(at, person, person, "MemberLeft")

    def transfer(self, person: Person, at: Organization) -> None:
        target = self._member(at)
        member_id, before = at.members[target]
        if not self._done(person, "transfer-ownership", organizationId=at.id, memberId=member_id):
            return
        own_id, own = at.members[person]
        at.members[target], at.members[person] = (member_id, "owner"), (own_id, "admin")
        if before != "owner":
            self._tell(at, person, "MemberRoleChanged", target)
        assert "owner" in own
        self._tell(at, person, "MemberRoleChanged", person)
        self._owned(at, person, target, owned="owner" in before, owns=True)
        self._owned(at, person, person, owned=True, owns=False)

    def _member(self, at: Organization) -> Person:
        return self.chances.choice(list(at.members))

    def _gone(self, at: Organization, by: Person, who: Person, event: str) -> None:
        _, role = at.members.pop(who)
        self._tell(at, by, event, who)
        self._owned(at, by, who, owned="owner" in role, owns=False)

    def _owned(self, at: Organization, by: Person, who: Person, *, owned: bool, owns: bool) -> None:
        if owns and not owned:
            self._tell(at, by, "OwnerAdded", who)
        if owned and not owns:
            self._tell(at, by, "OwnerRemoved", who)
            if at.home_of is who:
                at.home_of = None
                self._tell(at, by, "PersonalOrganizationGivenUp", who)

    def _ran_out(self, at: Organization, email: str) -> None:
        """Noticed now at the latest: the service looks for them by itself, too."""
        del at.pending[email]
        self.ran_out[at.id] += 1

    def _done(self, person: Person, what: str, **fields: object) -> bool:
        return self._asked(person, what, **fields).status == 200

    def _asked(self, person: Person, what: str, **fields: object) -> Answer:
        answer = person.does(what, **fields)
        status, code = answer.problem
        if status in (401, 403):
            assert code is not None
            self.refused[UUID(person.user_id), COMMANDS[what], code] += 1
        return answer

    def _tell(self, at: Organization, by: Person, event: str, whose: Person | None = None) -> None:
        concerned = None if whose is None else UUID(whose.user_id)
        self.told[at.id].append((self.clock.now, event, UUID(by.user_id), concerned))


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    clock = HandClock()
    with application(settings_for(database, rate_limit="off", member_limit=50), clock) as url:
        yield Office(url, clock, Random(1_000))


def test_each_change_is_told_once_and_each_refusal_is_counted(office: Office, database: Database) -> None:
    for _ in range(STEPS):
        office.act()
    caught_up(database)
    every = {one.__name__ for aggregate in (ORGANIZATION, MEMBERSHIP, INVITATION) for one in aggregate.event_classes}
    # nobody deletes their account here: tests/api/routes/test_deletion.py
    elsewhere = {"InvitationExpired", "OrganizationErased", "RecipientErased"}
    assert {event for told in office.told.values() for _, event, *_ in told} == every - elsewhere

    found: dict[str, list[Story]] = defaultdict(list)
    for organization_id, at, event, actor, person in database.rows(
        "SELECT organization_id, at, event, actor_id, person_id FROM journal"
        " WHERE organization_id IS NOT NULL ORDER BY position"
    ):
        if event == "InvitationExpired":
            assert actor is None
            office.ran_out[organization_id.hex] -= 1
            continue
        found[organization_id.hex].append((at, event, actor, person))
    assert {at: sorted(told, key=str) for at, told in found.items()} == {
        at: sorted(told, key=str) for at, told in office.told.items()
    }

    assert max(office.ran_out.values()) <= 0

    deadline = time.monotonic() + 15
    while counted(database) != office.refused and time.monotonic() < deadline:
        time.sleep(0.1)
    assert counted(database) == office.refused
    assert office.refused.total() > 25


def counted(database: Database) -> Counter[tuple[UUID, str, str]]:
    rows = database.rows("SELECT person_id, command, code, sum(times)::integer FROM attempts GROUP BY 1, 2, 3")
    return Counter({(person, command, code): times for person, command, code, times in rows})
