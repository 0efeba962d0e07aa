"""A ledger of what people were told was done, and of what they were refused, kept beside the application."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

from tests.api.browser import Answer, Browser
from tests.api.conftest import HandClock
from tests.people import PASSWORD

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
ADDRESSES = ("192.0.2.1", "198.51.100.1")
USER_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "curl/8.10.1",
)
NAMES = ("Ada", "Ada King", "Ada Lovelace")
IMAGES = (None, "https://x.io/a.png", "https://x.io/b.png")
SIGN_UP = ("SignedUp", "PersonalOrganizationFounded", "MemberJoined", "SessionStarted", "OrganizationChosen")
SIGN_IN = ("SessionStarted", "OrganizationChosen")

Place = tuple[str, str]
"""An address and a browser; both empty for what happens by itself."""
Story = tuple[str, datetime, Place]
"""What, with its reason if there are several; when, and from where."""
Refused = tuple[UUID | None, str, str]
COMMANDS = {
    "sign-in/email": "sign_in",
    "sign-up/email": "sign_up",
    "sign-out": "sign_out",
    "change-password": "change_password",
    "verify-password": "reauthenticate",
    "update-user": "update_user",
    "update-session": "update_session",
    "revoke-session": "revoke_session",
    "revoke-sessions": "revoke_sessions",
    "revoke-other-sessions": "revoke_other_sessions",
}
"""What is asked for at a path."""
"""Whose account it concerned, what was tried, with which code it was refused."""


@dataclass(eq=False)
class Person:
    """Somebody with an account, as they know it themselves."""

    user_id: UUID
    email: str
    name: str = NAMES[0]
    image: str | None = None
    password: str = PASSWORD
    sessions: list[Session] = field(default_factory=list)


@dataclass(eq=False)
class Session:
    """A session by its handle and its secret, where it was seen last, and whether it was ended."""

    person: Person
    handle: str
    token: str
    renewed_at: datetime
    authenticated_at: datetime
    seen_at: datetime
    seen: Place
    ended: bool = False


class Device(Browser):
    """A browser somewhere, with the session it shows."""

    def __init__(self, url: str, place: Place) -> None:
        super().__init__(url)
        self.place = place
        self.shows: Session | None = None

    def send(self, path: str, fields: object = None, **headers: str) -> Answer:
        return self.post(path, fields, {**self._named(), **headers})

    def look(self) -> Any:
        return self.get("/get-session", self._named()).json()

    def _named(self) -> dict[str, str]:
        address, user_agent = self.place
        return {"X-Forwarded-For": address, "User-Agent": user_agent}


@dataclass
class World:
    """People, their devices, and what was acknowledged and refused."""

    open_url: str
    limited_url: str
    clock: HandClock
    chances: Random
    people: list[Person] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    told: dict[UUID, list[Story]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[Refused] = field(default_factory=Counter)
    kinds: set[object] = field(default_factory=set)
    """Refusals that differ in more than that they came twice in an hour."""

    def sign_up(self) -> None:
        device, email = self._new_device(), f"person{len(self.people)}@example.com"
        answer = device.send("/sign-up/email", {"name": NAMES[0], "email": email, "password": PASSWORD})
        assert answer.status == 200
        person = Person(UUID(answer.json()["user"]["id"]), email)
        self.people.append(person)
        self._signed_in(device, person, answer, SIGN_UP)

    def sign_up_again(self) -> None:
        """Refused, but as a wrong entry, not as somebody who may not."""
        fields = {"name": "Bo", "email": self.chances.choice(self.people).email, "password": PASSWORD}
        assert self._new_device().send("/sign-up/email", fields).status == 422

    def sign_in(self) -> None:
        device, person = self._new_device(), self.chances.choice(self.people)
        answer = device.send("/sign-in/email", {"email": person.email, "password": person.password})
        assert answer.status == 200
        self._signed_in(device, person, answer, SIGN_IN)

    def guess(self) -> None:
        device, person = self._new_device(), self.chances.choice(self.people)
        assert device.send("/sign-in/email", {"email": person.email, "password": "guessed 123"}).status == 401
        self._refuse(person.user_id, "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", device)

    def guess_nobody(self) -> None:
        fields = {"email": "nobody@example.com", "password": "guessed 123"}
        device = self._new_device()
        assert device.send("/sign-in/email", fields).status == 401
        self._refuse(None, "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", device)

    def from_a_foreign_page(self) -> None:
        device = self._device()
        asked_by_somebody = bool(device.cookies)
        answer = device.send("/revoke-sessions", Origin="https://evil.example")
        assert answer.status == (403 if asked_by_somebody else 401)
        self._refuse(None, "revoke-sessions", "INVALID_ORIGIN" if asked_by_somebody else "UNAUTHORIZED", device)

    def too_often(self) -> None:
        """A node with limits: three sign-ins in ten seconds from one address, whoever they are for."""
        device = Device(self.limited_url, self._somewhere())
        answer = device.send("/sign-in/email", {"email": "nobody@example.com", "password": "guessed 123"})
        code = {401: "INVALID_EMAIL_OR_PASSWORD", 429: "TOO_MANY_REQUESTS"}[answer.status]
        self._refuse(None, "sign-in/email", code, device)

    def use(self) -> None:
        """Renewed if a day has passed since the session was, moved if it was elsewhere; else nothing is told."""
        device = self._device()
        session = self._live(device)
        assert (device.look() is None) == (session is None)
        if session is None:
            self._leave(device)
        else:
            self._used(session, device, reading=True)

    def move(self) -> None:
        """A device goes elsewhere, or becomes another one that has its cookies."""
        self._device().place = self._somewhere()

    def sign_out(self) -> None:
        """Also where nobody is signed in: that changes nothing and is not told."""
        device = self._device()
        session = self._live(device)
        assert device.send("/sign-out").status == 200
        if session is not None:
            self._end(session, "signed_out", device)
        device.shows = None

    def revoke_one(self) -> None:
        """One's own, by its handle or its secret; that of another, or of nobody, is left alone."""
        device = self._device()
        person = self.chances.choice(self.people) if device.shows is None else device.shows.person
        named = self.chances.choice([*person.sessions * 2, *self.chances.choice(self.people).sessions, None])
        token = "nonsense" if named is None else self.chances.choice([named.handle, named.token])
        answer = device.send("/revoke-session", {"token": token})
        if (session := self._admitted(device, "revoke-session", answer)) is None:
            return
        assert answer.json() == {"status": True}
        if named is not None and named.person is session.person and not named.ended:
            self._end(named, "revoked", device)

    def revoke_all(self) -> None:
        device = self._device()
        if session := self._admitted(device, "revoke-sessions", device.send("/revoke-sessions")):
            self._end_all(session.person, "everywhere", device)

    def revoke_others(self) -> None:
        device = self._device()
        if session := self._admitted(device, "revoke-other-sessions", device.send("/revoke-other-sessions")):
            self._end_all(session.person, "others", device, but=session)
            self._tell(session.person, "SessionKept", device.place)

    def change_password(self) -> None:
        device, revoking = self._device(), self.chances.random() < 0.5
        right, current = self._password(device)
        new = f"battery staple {self.chances.randrange(10**6)}"
        fields = {"currentPassword": current, "newPassword": new, "revokeOtherSessions": revoking}
        answer = device.send("/change-password", fields)
        if (session := self._admitted(device, "change-password", answer, right=right)) is None:
            return
        session.person.password = new
        self._tell(session.person, "PasswordChanged", device.place)
        assert (answer.json()["token"] is not None) == revoking
        if revoking:
            self._end_all(session.person, "password_changed", device)
            self._tell(session.person, "SessionEnded replaced", device.place)
            self._signed_in(device, session.person, answer, SIGN_IN)

    def confirm_password(self) -> None:
        device = self._device()
        right, password = self._password(device)
        answer = device.send("/verify-password", {"password": password})
        if session := self._admitted(device, "verify-password", answer, right=right):
            self._tell(session.person, "SessionReauthenticated", device.place)
            session.authenticated_at = self.clock.now

    def change_name_or_image(self) -> None:
        """For this, these nodes want a fresh session."""
        device, name, image = self._device(), self.chances.choice(NAMES), self.chances.choice(IMAGES)
        fields: dict[str, str | None] = {"name": name, "image": image}
        fields.pop(self.chances.choice(["name", "image", "neither"]), None)
        session, answer = self._live(device), device.send("/update-user", fields)
        fresh = session is None or self.clock.now - session.authenticated_at < DAY
        if (session := self._admitted(device, "update-user", answer, fresh=fresh)) is None:
            return
        for what, event in (("name", "NameChanged"), ("image", "ImageChanged")):
            if what in fields and fields[what] != getattr(session.person, what):
                setattr(session.person, what, fields[what])
                self._tell(session.person, event, device.place)

    def pass_time(self) -> None:
        self.clock.wind(hours=self.chances.randrange(4, 60))

    def _admitted(
        self, device: Device, action: str, answer: Answer, *, right: bool = True, fresh: bool = True
    ) -> Session | None:
        """The session through which something was done, used by that; None if it was refused."""
        session = self._live(device)
        if session is None:
            assert answer.problem == (401, "UNAUTHORIZED")
            self._leave(device)
            self._refuse(None, action, "UNAUTHORIZED", device)
            return None
        self._used(session, device, reading=False)
        if not fresh or not right:
            code = "INVALID_PASSWORD" if fresh else "SESSION_NOT_FRESH"
            assert answer.problem == (400 if fresh else 403, code)
            self._refuse(session.person.user_id, action, code, device)
            return None
        assert answer.status == 200
        return session

    def _live(self, device: Device) -> Session | None:
        session = device.shows
        return session if session and not session.ended and self.clock.now - session.renewed_at < WEEK else None

    def _used(self, session: Session, device: Device, *, reading: bool) -> None:
        now = self.clock.now
        if now - session.renewed_at >= DAY:
            self._tell(session.person, "SessionRenewed", device.place)
            session.renewed_at = now
        if device.place != session.seen and (not reading or now - session.seen_at >= HOUR):
            self._tell(session.person, "SessionMoved", device.place)
            session.seen, session.seen_at = device.place, now

    def _leave(self, device: Device) -> None:
        """It is noted, by nobody, that the session has run out, and the browser forgets it."""
        if (session := device.shows) is not None and not session.ended:
            self._tell(session.person, "SessionEnded expired", ("", ""))
            session.ended = True
        device.shows = None

    def _signed_in(self, device: Device, person: Person, answer: Answer, events: tuple[str, ...]) -> None:
        for event in events:
            self._tell(person, event, device.place)
        now, handle = self.clock.now, device.look()["session"]["id"]
        device.shows = Session(person, handle, answer.json()["token"], now, now, now, device.place)
        person.sessions.append(device.shows)

    def _end(self, session: Session, reason: str, device: Device) -> None:
        session.ended = True
        self._tell(session.person, f"SessionEnded {reason}", device.place)

    def _end_all(self, person: Person, reason: str, device: Device, but: Session | None = None) -> None:
        self._tell(person, f"SessionsRevoked {reason}", device.place)
        for session in person.sessions:
            session.ended |= session is not but

    def _tell(self, person: Person, event: str, place: Place) -> None:
        self.told[person.user_id].append((event, self.clock.now, place))

    def _refuse(self, person: UUID | None, action: str, code: str, device: Device) -> None:
        self.refused[person, COMMANDS[action], code] += 1
        self.kinds.add((person, action, code, device.place, self.clock.now.replace(minute=0)))

    def _password(self, device: Device) -> tuple[bool, str]:
        """Mostly the right one of whose device it is."""
        right = device.shows is not None and self.chances.random() < 0.7
        return (True, device.shows.person.password) if right and device.shows else (False, "guessed 123")

    def _somewhere(self) -> Place:
        return self.chances.choice(ADDRESSES), self.chances.choice(USER_AGENTS)

    def _new_device(self) -> Device:
        self.devices.append(Device(self.open_url, self._somewhere()))
        return self.devices[-1]

    def _device(self) -> Device:
        """Mostly one that somebody is signed in on."""
        living = [device for device in self.devices if self._live(device)]
        return self.chances.choice(living if living and self.chances.random() < 0.8 else self.devices)
