"""Those who race for links: the requests they send, what they may be told, and how often it went which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  seeded: the same chances in every run

from domain.clock import now
from domain.commands import email
from domain.commands.context import Context
from domain.commands.mailed_link import request_password_reset
from domain.commands.principal import PersonBySession
from domain.mailed_link import Purpose
from tests.api.browser import Answer
from tests.faults.at_once import Line, Request, Sent, at_once
from tests.faults.owners import HERE, Device, Owner
from tests.lived_by_mail import mailed

MANY = 200
"""Rounds after which each side has been first at some time, however fast the machine is."""
IN_FLIGHT = 4
"""Races that are run at once."""
HASHING = 0.3
"""About how many seconds a password takes where so many are under way: by so much a rival may be sent later."""

Outcome = tuple[int, str | None]
DONE: Outcome = (200, None)
VOID: Outcome = (400, "INVALID_TOKEN")
VOID_WHEN_OPENED: Outcome = (401, "INVALID_TOKEN")
WRONG: Outcome = (401, "INVALID_EMAIL_OR_PASSWORD")
TAKEN: Outcome = (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")


@dataclass
class Races:
    """Between two workers: the sides of each race are sent to them in turn, each a little later by chance."""

    by_worker: Sequence[Sequence[Line]]
    chances: Random
    told: Counter[object] = field(default_factory=Counter)

    def run(self, races: Sequence[Sequence[Request]], *, late: float = HASHING) -> list[list[Outcome]]:
        """All of them at once; what each side of each was told."""
        return [[outcome(answer) for answer in answers] for answers in self.answers(races, late=late)]

    def answers(self, races: Sequence[Sequence[Request]], *, late: float = HASHING) -> list[list[Answer]]:
        """The same, whole."""
        unused = [list(lines) for lines in self.by_worker]
        sent = [
            Sent(unused[(place + side) % 2].pop(), request, self.chances.uniform(0, late))
            for place, race in enumerate(races)
            for side, request in enumerate(race)
        ]
        came = iter(at_once(sent))
        answers = [[next(came) for _ in race] for race in races]
        self.told.update(tuple(outcome(answer)[0] for answer in race) for race in answers)
        return answers

    def ask(self, request: Request) -> list[Outcome]:
        """What both workers say to it, one after the other."""
        return [outcome(lines[0].ask(request)) for lines in self.by_worker]


def outcome(answer: Answer) -> Outcome:
    """Status and code; the code is None where there is none."""
    body = answer.json() if answer.content else None
    return answer.status, body.get("code") if isinstance(body, dict) else None


def resets(link: str, password: str) -> Request:
    """Another password by a link."""
    return Request(method="POST", path="/reset-password", fields={"token": link, "newPassword": password})


def opens(link: str) -> Request:
    """The link that proves an address is opened."""
    return Request(path=f"/verify-email?token={link}")


def signs_in(email: str, password: str) -> Request:
    """A sign-in."""
    return Request(method="POST", path="/sign-in/email", fields={"email": email, "password": password})


def signs_up(email: str, password: str) -> Request:
    """A sign-up."""
    fields = {"name": "Bo", "email": email, "password": password}
    return Request(method="POST", path="/sign-up/email", fields=fields)


def looks(token: str) -> Request:
    """A look at a session, which extends nothing."""
    return Request(path="/get-session?disableRefresh=true", token=token)


def reset_link(context: Context, owner: Owner) -> str:
    """The newest link by which this person sets another password, as it stands in the mail."""
    request_password_reset(context, email=owner.email, callback_url="/", now=now(), where_from=HERE)
    return mailed(context, owner.user_id, Purpose.PASSWORD_RESET)


def change_link(context: Context, owner: Owner, device: Device, address: str) -> str:
    """The link by which this person has another address."""
    principal = PersonBySession(user_id=owner.user_id, session_id=device.session_id, at=now(), where_from=HERE)
    email.request_email_change(context, principal, email=address, callback_url="/")
    return mailed(context, owner.user_id, Purpose.EMAIL_CHANGE)


def undo_link(context: Context, owner: Owner, device: Device, address: str) -> str:
    """The address is another one now; the link by which the one before comes back."""
    link = change_link(context, owner, device, address)
    email.verify_email(context, link=link, now=now(), where_from=HERE)
    return mailed(context, owner.user_id, Purpose.EMAIL_CHANGE_UNDO)


def require_only(races: Races, owner: Owner, right: str, *wrong: str) -> None:
    """Of these passwords one signs in, at both workers."""
    assert races.ask(signs_in(owner.email, right)) == [DONE, DONE]
    for password in wrong:
        assert races.ask(signs_in(owner.email, password))[0] == WRONG
    owner.password = right


def batches(rounds: int) -> range:
    """So many races, by how many are run at once."""
    return range(-(-rounds // IN_FLIGHT))
