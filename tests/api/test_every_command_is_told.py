"""Two thousand random commands: each change in the journal exactly once, each refusal among the attempts, folded."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import pytest

from domain.store import Store
from tests.api.browser import Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

COMMANDS = 2_000
HERE = "127.0.0.1"
USER_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "curl/8.10.1",
)
SIGN_UP = ("SignedUp", "PersonalOrganizationFounded", "MemberJoined", "SessionStarted", "OrganizationChosen")
SIGN_IN = ("SessionStarted", "OrganizationChosen")

Told = tuple[str, datetime, str, str]
"""What, when, from which address and with which browser."""
Refused = tuple[UUID | None, str, str]
"""Whose account it concerned, what was tried, with which code it was refused."""


class Device(Browser):
    """A browser with a name, which belongs to one person once somebody signed in on it."""

    def __init__(self, url: str, user_agent: str) -> None:
        super().__init__(url)
        self.user_agent = user_agent
        self.person: UUID | None = None

    def send(self, path: str, fields: object = None, **headers: str) -> Answer:
        return self.post(path, fields, {"User-Agent": self.user_agent, **headers})

    def look(self) -> object:
        return self.get("/get-session", {"User-Agent": self.user_agent}).json()


@dataclass
class World:
    """People, their devices, and what was acknowledged and refused."""

    open_url: str
    limited_url: str
    clock: HandClock
    chances: Random
    emails: dict[str, UUID] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    renewed_at: dict[int, datetime] = field(default_factory=dict)
    told: dict[UUID, list[Told]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[Refused] = field(default_factory=Counter)
    kinds: set[object] = field(default_factory=set)
    """Refusals that differ in more than that they came twice in an hour."""

    def sign_up(self) -> None:
        device, email = self._new_device(), f"person{len(self.emails)}@example.com"
        fields = {"name": "Ada", "email": email, "password": "correct horse 1"}
        answer = device.send("/sign-up/email", fields)
        assert answer.status == 200
        self.emails[email] = UUID(answer.json()["user"]["id"])
        self._signed_in(device, self.emails[email], SIGN_UP)

    def sign_up_again(self) -> None:
        """Refused, but as a wrong entry, not as somebody who may not."""
        fields = {"name": "Bo", "email": self._email(), "password": "correct horse 1"}
        assert self._new_device().send("/sign-up/email", fields).status == 422

    def sign_in(self) -> None:
        device, email = self._new_device(), self._email()
        assert device.send("/sign-in/email", {"email": email, "password": "correct horse 1"}).status == 200
        self._signed_in(device, self.emails[email], SIGN_IN)

    def guess(self) -> None:
        device, email = self._new_device(), self._email()
        assert device.send("/sign-in/email", {"email": email, "password": "guessed 123"}).status == 401
        self._refuse(self.emails[email], "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", device)

    def guess_nobody(self) -> None:
        fields = {"email": "nobody@example.com", "password": "guessed 123"}
        device = self._new_device()
        assert device.send("/sign-in/email", fields).status == 401
        self._refuse(None, "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", device)

    def from_a_foreign_page(self) -> None:
        device = self._device()
        asked_by_somebody = bool(device.cookies)
        answer = device.send("/sign-out", Origin="https://evil.example")
        assert answer.status == (403 if asked_by_somebody else 200)
        if asked_by_somebody:
            self._refuse(None, "sign-out", "INVALID_ORIGIN", device)

    def too_often(self) -> None:
        """A node with limits: three sign-ins in ten seconds from one address, whoever they are for."""
        device = Device(self.limited_url, self.chances.choice(USER_AGENTS))
        answer = device.send("/sign-in/email", {"email": "nobody@example.com", "password": "guessed 123"})
        code = {401: "INVALID_EMAIL_OR_PASSWORD", 429: "TOO_MANY_REQUESTS"}[answer.status]
        self._refuse(None, "sign-in/email", code, device)

    def use(self) -> None:
        """Renewed if a day has passed since the session was; else nothing happens that would be told."""
        device = self._device()
        due = device.person is not None and (self.clock.now - self.renewed_at[id(device)]).days >= 1
        assert (device.look() is None) == (device.person is None)
        if device.person is not None and due:
            self._tell(device.person, "SessionRenewed", device)
            self.renewed_at[id(device)] = self.clock.now

    def sign_out(self) -> None:
        """Also where nobody is signed in: that changes nothing and is not told."""
        device = self._device()
        assert device.send("/sign-out").status == 200
        if device.person is not None:
            self._tell(device.person, "SessionEnded", device)
        device.person = None

    def pass_time(self) -> None:
        self.clock.wind(hours=self.chances.randrange(4, 60))
        for device in self.devices:
            if device.person is not None and (self.clock.now - self.renewed_at[id(device)]).days >= 7:
                device.person = None

    def _signed_in(self, device: Device, person: UUID, events: tuple[str, ...]) -> None:
        device.person = person
        self.renewed_at[id(device)] = self.clock.now
        for event in events:
            self._tell(person, event, device)

    def _tell(self, person: UUID, event: str, device: Device) -> None:
        self.told[person].append((event, self.clock.now, HERE, device.user_agent))

    def _refuse(self, person: UUID | None, action: str, code: str, device: Device) -> None:
        self.refused[person, action, code] += 1
        self.kinds.add((person, action, code, device.user_agent, self.clock.now.replace(minute=0)))

    def _new_device(self) -> Device:
        self.devices.append(Device(self.open_url, self.chances.choice(USER_AGENTS)))
        return self.devices[-1]

    def _device(self) -> Device:
        return self.chances.choice(self.devices)

    def _email(self) -> str:
        return self.chances.choice(list(self.emails))


ACTS = (
    *[World.use] * 26,
    *[World.sign_out] * 22,
    *[World.from_a_foreign_page] * 12,
    *[World.too_often] * 8,
    *[World.sign_in] * 12,
    *[World.guess] * 6,
    *[World.guess_nobody] * 4,
    *[World.sign_up] * 4,
    *[World.sign_up_again] * 2,
)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    clock = HandClock()
    with ExitStack() as stack:
        free, limited = (
            stack.enter_context(application(settings_for(database, rate_limit=limits), clock))
            for limits in ("off", "on")
        )
        yield World(free, limited, clock, Random(2_000))


def test_each_change_is_told_once_and_each_refusal_is_counted(world: World, database: Database, store: Store) -> None:
    world.sign_up()
    for _ in range(COMMANDS - 1):
        world.chances.choice(ACTS)(world)
        if world.chances.random() < 0.03:
            world.pass_time()
    caught_up(database)
    assert world.refused[None, "sign-in/email", "TOO_MANY_REQUESTS"] > 50

    rows = database.rows("SELECT person_id, actor_kind, actor_id, stream_id, version FROM journal ORDER BY position")
    assert {(kind, actor == person) for person, kind, actor, _, _ in rows} == {("user", True)}
    recorded = store.recorded([(stream_id, version) for *_, stream_id, version in rows])
    found: dict[UUID, list[Told]] = defaultdict(list)
    for person, _, _, stream_id, version in rows:
        one = recorded[stream_id, version]
        where = (one.command.ip_address or "", one.command.user_agent or "")
        found[person].append((type(one.event).__name__, one.at, *where))
    assert found == world.told

    deadline = time.monotonic() + 15
    while counted(database) != world.refused and time.monotonic() < deadline:
        time.sleep(0.1)
    assert counted(database) == world.refused
    assert database.value("SELECT count(*) FROM attempts") == len(world.kinds) < world.refused.total()


def counted(database: Database) -> Counter[Refused]:
    rows = database.rows("SELECT person_id, action, code, sum(times)::integer FROM attempts GROUP BY 1, 2, 3")
    return Counter({(person, action, code): times for person, action, code, times in rows})
