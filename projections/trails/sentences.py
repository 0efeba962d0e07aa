"""Every event in words, told to whoever reads it; and every kind of attempt that was refused."""

from __future__ import annotations

from typing import assert_never

from domain.events.catalogue import Event
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    SignUpAttempted,
)
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
from domain.user import (
    AccountUnlocked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    Revocation,
    SessionsRevoked,
    SignedUp,
)

from .mail_sentences import of_a_mailed_link
from .names import YOU, Names
from .organization_sentences import of_an_organization
from .printable import quoted

COMMANDS = {
    "sign_in": "sign in",
    "sign_up": "open an account",
    "sign_out": "sign out",
    "change_password": "change the password",
    "reauthenticate": "confirm the password",
    "request_password_reset": "have a link sent to set a new password",
    "reset_password": "set a new password by a link",
    "request_verification": "have a link sent to verify the address",
    "verify_email": "verify an address",
    "request_email_change": "change the address",
    "withdraw_email_change": "keep the address",
    "choose_language": "choose a language",
    "update_user": "change the name or picture",
    "delete_user": "delete the account",
    "update_session": "change a session",
    "revoke_session": "sign a device out",
    "revoke_sessions": "sign all devices out",
    "revoke_other_sessions": "sign all other devices out",
    "found_organization": "found an organization",
    "update_organization": "change an organization",
    "close_organization": "close an organization",
    "choose_organization": "turn to an organization",
    "invite": "invite somebody",
    "cancel_invitation": "take an invitation back",
    "accept_invitation": "accept an invitation",
    "reject_invitation": "reject an invitation",
    "change_role": "change a member's role",
    "remove_member": "remove a member",
    "transfer_ownership": "make somebody else the owner",
    "leave_organization": "leave an organization",
    "check_slug": "ask whether a slug is free",
    "has_permission": "ask what is permitted",
}
"""What may be refused, by the names under which attempts are kept."""
_REFUSED = {
    "INVALID_EMAIL_OR_PASSWORD": "Somebody tried to {action} with a wrong password{times}{place}.",
    "INVALID_PASSWORD": "Somebody tried to {action}, but entered a wrong password{times}{place}.",
    "EMAIL_NOT_VERIFIED": "A request to {action} was refused{times}{place}: the address had to be verified first.",
    "SESSION_NOT_FRESH": "A request to {action} was refused{times}{place}: the password had to be confirmed first.",
    "TOO_MANY_REQUESTS": "Too many requests to {action} were refused{times}{place}.",
    "UNAUTHORIZED": "A request to {action} was refused, because its session was over{times}{place}.",
}
_OTHERWISE = "A request to {action} was refused{times}{place}."


def sentence(event: Event, names: Names) -> str:
    """What happened, in plain words."""
    match event:
        case SignedUp():
            return "You opened your account." if names.actor == YOU else f"{names.actor} opened an account."
        case SessionStarted():
            return f"{names.actor} signed in with {names.device}."
        case SessionRenewed():
            return f"{names.actor} kept using {names.device}: the session was extended."
        case OrganizationChosen(organization_id=None):
            return f"{names.actor} turned to no organization on {names.device}."
        case OrganizationChosen():
            return f"{names.actor} turned to {names.organization} on {names.device}."
        case SessionReauthenticated():
            return f"{names.actor} confirmed {names.whose} password on {names.device}."
        case SessionMoved():
            return f"{_session(names)} was used from another address or browser: {names.device}."
        case SessionKept():
            return f"{names.actor} stayed signed in on {names.device}."
        case SessionEnded(reason=reason):
            return _ended(reason, names)
        case NameChanged() | ImageChanged() | PasswordChanged() | PasswordReset() | SessionsRevoked() | PersonErased():
            return _of_an_account(event, names)
        case AccountUnlocked():
            return _of_an_account(event, names)
        case EmailVerified() | EmailContested() | EmailChanged() | EmailRestored():
            return _of_an_address(event, names)
        case PasswordResetRequested() | EmailVerificationRequested() | EmailChangeRequested():
            return of_a_mailed_link(event, names)
        case EmailChangeUndoOffered() | AccountDeletionRequested() | SignUpAttempted():
            return of_a_mailed_link(event, names)
        case MailedLinkUsed() | MailedLinkWithdrawn() | EmailChangeUndoLapsed():
            return of_a_mailed_link(event, names)
        case _:
            return of_an_organization(event, names)


def _of_an_account(
    event: NameChanged
    | ImageChanged
    | PasswordChanged
    | PasswordReset
    | SessionsRevoked
    | AccountUnlocked
    | PersonErased,
    names: Names,
) -> str:
    match event:
        case NameChanged(name=name):
            new = quoted(name, otherwise="another name")
            return f"{names.actor} changed {names.whose} name from {names.before} to {new}."
        case ImageChanged():
            # none may also be one that was erased
            return f"{names.actor} changed {names.whose} picture."
        case PasswordChanged():
            return f"{names.actor} changed {names.whose} password."
        case PasswordReset():
            return f"{names.actor} set a new password by a link that was sent to {names.whose} address."
        case SessionsRevoked(reason=reason):
            return _revoked(reason, names)
        case AccountUnlocked():
            return f"{names.actor} unlocked {names.whose} account: the wrong passwords so far count no more."
        case PersonErased():
            return f"{names.actor} deleted {names.whose} account."
        case _:
            assert_never(event)


def _of_an_address(event: EmailVerified | EmailContested | EmailChanged | EmailRestored, names: Names) -> str:
    match event:
        case EmailVerified():
            return f"{names.actor} verified {names.whose} address."
        case EmailContested():
            return (
                f"{names.actor} tried to open an account with {names.whose} address, which was not verified. From then"
                " on only a new password verifies it, set by a link that goes there."
            )
        case EmailChanged(email=email):
            new = quoted(email, otherwise="another one")
            return f"{names.actor} changed {names.whose} address from {names.address_before} to {new}."
        case EmailRestored(email=email):
            former = quoted(email, otherwise="the one before")
            return f"{names.actor} undid a change of {names.whose} address: it is {former} again."
        case _:
            assert_never(event)


def _revoked(reason: Revocation, names: Names) -> str:
    match reason:
        case Revocation.EVERYWHERE if names.same:
            return f"{names.actor} signed out everywhere."
        case Revocation.EVERYWHERE:
            return f"{names.actor} ended all of {names.whose} sessions."
        case Revocation.OTHERS:
            return f"{names.actor} ended all of {names.whose} other sessions."
        case Revocation.PASSWORD_CHANGED | Revocation.PASSWORD_RESET:
            return "All sessions that began with the old password were ended."
        case _:
            assert_never(reason)


def _ended(reason: EndReason, names: Names) -> str:
    match reason:
        case EndReason.SIGNED_OUT if names.same:
            return f"{names.actor} signed out of {names.device}."
        case EndReason.SIGNED_OUT | EndReason.REVOKED:
            return f"{names.actor} ended {names.whose} session on {names.device}."
        case EndReason.REPLACED:
            return f"{_session(names)} on {names.device} was replaced by a new one."
        case EndReason.EXPIRED:
            return f"{_session(names)} on {names.device} expired."
        case EndReason.CROWDED_OUT:
            return f"{_session(names)} on {names.device} was ended to make room for a newer one."
        case _:
            assert_never(reason)


def _session(names: Names) -> str:
    # a name stays as it is written, also where a sentence begins
    return "Your session" if names.person == YOU else f"{names.person}'s session"


def refusal(command: str, code: str, *, place: str, times: int) -> str:
    """What was tried and refused, in plain words."""
    told = _REFUSED.get(code, _OTHERWISE)
    return told.format(
        action=COMMANDS.get(command, "do something"), times=_times(times), place=f", from {place}" if place else ""
    )


def _times(times: int) -> str:
    return "" if times == 1 else f", {times} times"
