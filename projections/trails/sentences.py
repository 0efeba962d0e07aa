"""Every event in words, told to whoever reads it; and every kind of attempt that was refused."""

from __future__ import annotations

from typing import assert_never

from domain.events.catalogue import Event
from domain.session import (
    EndReason,
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
)
from domain.user import ImageChanged, NameChanged, PasswordChanged, Revocation, SessionsRevoked, SignedUp

from .cast import YOU, Cast
from .organization_sentences import of_an_organization

_ACTIONS = {
    "sign-in/email": "sign in",
    "sign-up/email": "open an account",
    "sign-out": "sign out",
    "change-password": "change the password",
    "verify-password": "confirm the password",
    "update-user": "change the name or picture",
    "revoke-session": "sign a device out",
    "revoke-sessions": "sign all devices out",
    "revoke-other-sessions": "sign all other devices out",
    "organization/create": "found an organization",
    "organization/update": "change an organization",
    "organization/delete": "close an organization",
    "organization/set-active": "turn to an organization",
    "organization/invite-member": "invite somebody",
    "organization/cancel-invitation": "take an invitation back",
    "organization/accept-invitation": "accept an invitation",
    "organization/reject-invitation": "reject an invitation",
    "organization/update-member-role": "change a member's role",
    "organization/remove-member": "remove a member",
    "organization/transfer-ownership": "make somebody else the owner",
    "organization/leave": "leave an organization",
    "organization/check-slug": "ask whether a slug is free",
    "organization/has-permission": "ask what is permitted",
}
_REFUSED = {
    "INVALID_EMAIL_OR_PASSWORD": "Somebody tried to {action} with a wrong password{times}{place}.",
    "INVALID_PASSWORD": "Somebody tried to {action}, but entered a wrong password{times}{place}.",
    "SESSION_NOT_FRESH": "A request to {action} was refused{times}{place}: the password had to be confirmed first.",
    "TOO_MANY_REQUESTS": "Too many requests to {action} were refused{times}{place}.",
    "UNAUTHORIZED": "A request to {action} was refused, because its session was over{times}{place}.",
}
_OTHERWISE = "A request to {action} was refused{times}{place}."


def sentence(event: Event, cast: Cast) -> str:
    """What happened, in plain words."""
    match event:
        case SignedUp():
            return "You opened your account." if cast.actor == YOU else f"{cast.actor} opened an account."
        case SessionStarted():
            return f"{cast.actor} signed in with {cast.device}."
        case SessionRenewed():
            times = "" if cast.times == 1 else f" {cast.times} times"
            return f"{cast.actor} kept using {cast.device}: the session was extended{times}."
        case OrganizationChosen(organization_id=None):
            return f"{cast.actor} turned to no organization on {cast.device}."
        case OrganizationChosen():
            return f"{cast.actor} turned to {cast.organization} on {cast.device}."
        case SessionReauthenticated():
            return f"{cast.actor} confirmed {cast.whose} password on {cast.device}."
        case SessionMoved():
            return f"{_session(cast)} was used from another address or browser: {cast.device}."
        case SessionKept():
            return f"{cast.actor} stayed signed in on {cast.device}."
        case SessionEnded(reason=reason):
            return _ended(reason, cast)
        case NameChanged() | ImageChanged() | PasswordChanged() | SessionsRevoked():
            return _of_an_account(event, cast)
        case _:
            return of_an_organization(event, cast)


def _of_an_account(event: NameChanged | ImageChanged | PasswordChanged | SessionsRevoked, cast: Cast) -> str:
    match event:
        case NameChanged():
            return f"{cast.actor} changed {cast.whose} name."
        case ImageChanged():
            # none may also be one that was erased
            return f"{cast.actor} changed {cast.whose} picture."
        case PasswordChanged():
            return f"{cast.actor} changed {cast.whose} password."
        case SessionsRevoked(reason=reason):
            return _revoked(reason, cast)
        case _:
            assert_never(event)


def _revoked(reason: Revocation, cast: Cast) -> str:
    match reason:
        case Revocation.EVERYWHERE if cast.actor == cast.person:
            return f"{cast.actor} signed out everywhere."
        case Revocation.EVERYWHERE:
            return f"{cast.actor} ended all of {cast.whose} sessions."
        case Revocation.OTHERS:
            return f"{cast.actor} ended all of {cast.whose} other sessions."
        case Revocation.PASSWORD_CHANGED:
            return "All sessions that began with the old password were ended."
        case _:
            assert_never(reason)


def _ended(reason: EndReason, cast: Cast) -> str:
    match reason:
        case EndReason.SIGNED_OUT if cast.actor == cast.person:
            return f"{cast.actor} signed out of {cast.device}."
        case EndReason.SIGNED_OUT | EndReason.REVOKED:
            return f"{cast.actor} ended {cast.whose} session on {cast.device}."
        case EndReason.REPLACED:
            return f"{_session(cast)} on {cast.device} was replaced by a new one."
        case EndReason.EXPIRED:
            return f"{_session(cast)} on {cast.device} expired."
        case EndReason.CROWDED_OUT:
            return f"{_session(cast)} on {cast.device} was ended to make room for a newer one."
        case _:
            assert_never(reason)


def _session(cast: Cast) -> str:
    # a name stays as it is written, also where a sentence begins
    return "Your session" if cast.person == YOU else f"{cast.person}'s session"


def refusal(action: str, code: str, *, place: str, times: int) -> str:
    """What was tried and refused, in plain words."""
    told = _REFUSED.get(code, _OTHERWISE)
    return told.format(
        action=_ACTIONS.get(action, action), times=_times(times), place=f", from {place}" if place else ""
    )


def _times(times: int) -> str:
    return "" if times == 1 else f", {times} times"
