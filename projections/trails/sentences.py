"""Every event in words, told to whoever reads it; and every kind of attempt that was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from domain.events.catalogue import Event
from domain.membership import MemberJoined
from domain.organization import PersonalOrganizationFounded
from domain.session import OrganizationChosen, SessionEnded, SessionRenewed, SessionStarted
from domain.user import SignedUp

YOU = "You"
_ACTIONS = {
    "sign-in/email": "sign in",
    "sign-up/email": "open an account",
    "sign-out": "sign out",
}
_REFUSED = {
    "INVALID_EMAIL_OR_PASSWORD": "Somebody tried to {action} with a wrong password{times}{place}.",
    "TOO_MANY_REQUESTS": "Too many requests to {action} were refused{times}{place}.",
    "UNAUTHORIZED": "A request to {action} was refused, because its session was over{times}{place}.",
}
_OTHERWISE = "A request to {action} was refused{times}{place}."


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who and what an event is told with. `actor` and `person` are "You" if it is the reader; names are as of now."""

    actor: str
    person: str
    organization: str
    device: str
    """Of the session the event is about, with its place: "Chrome 130 on macOS, Germany"."""
    times: int = 1

    @property
    def whose(self) -> str:
        """The person's, as in "your session"."""
        return "your" if self.person == YOU else f"{self.person}'s"


def sentence(event: Event, cast: Cast) -> str:
    """What happened, in plain words."""
    match event:
        case SignedUp():
            return "You opened your account." if cast.actor == YOU else f"{cast.actor} opened an account."
        case PersonalOrganizationFounded():
            return f"{cast.actor} founded {cast.organization}."
        case MemberJoined(role=role):
            return f"{cast.person} became {role} of {cast.organization}."
        case SessionStarted():
            return f"{cast.actor} signed in with {cast.device}."
        case SessionRenewed():
            return f"{cast.actor} kept using {cast.device}: the session was extended{_times(cast.times)}."
        case OrganizationChosen(organization_id=None):
            return f"{cast.actor} turned to no organization on {cast.device}."
        case OrganizationChosen():
            return f"{cast.actor} turned to {cast.organization} on {cast.device}."
        case SessionEnded() if cast.actor == cast.person:
            return f"{cast.actor} signed out of {cast.device}."
        case SessionEnded():
            return f"{cast.actor} ended {cast.whose} session on {cast.device}."
        case _:
            assert_never(event)


def refusal(action: str, code: str, *, place: str, times: int) -> str:
    """What was tried and refused, in plain words."""
    told = _REFUSED.get(code, _OTHERWISE)
    return told.format(
        action=_ACTIONS.get(action, action), times=_times(times), place=f", from {place}" if place else ""
    )


def _times(times: int) -> str:
    return "" if times == 1 else f", {times} times"
