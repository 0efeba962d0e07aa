"""Every event in words, told to whoever reads it; and every kind of attempt that was refused."""

from __future__ import annotations

from typing import assert_never

from domain.api_key import (
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
)
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
    ApiKeysRevoked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    LanguageChosen,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    Revocation,
    SessionsRevoked,
    SignedUp,
)

from .key_sentences import of_a_key
from .language import ENGLISH, Language, Word
from .language import marked as _
from .mail_sentences import of_a_mailed_link
from .names import YOU, Names
from .organization_sentences import of_an_organization

COMMANDS = {
    "sign_in": _("sign in"),
    "sign_up": _("open an account"),
    "sign_out": _("sign out"),
    "change_password": _("change the password"),
    "reauthenticate": _("confirm the password"),
    "request_password_reset": _("have a link sent to set a new password"),
    "reset_password": _("set a new password by a link"),
    "request_verification": _("have a link sent to verify the address"),
    "verify_email": _("verify an address"),
    "request_email_change": _("change the address"),
    "withdraw_email_change": _("keep the address"),
    "choose_language": _("choose a language"),
    "judge_password": _("judge a password"),
    "update_user": _("change the name or picture"),
    "delete_user": _("delete the account"),
    "update_session": _("change a session"),
    "revoke_session": _("sign a device out"),
    "revoke_sessions": _("sign all devices out"),
    "revoke_other_sessions": _("sign all other devices out"),
    "found_organization": _("found an organization"),
    "update_organization": _("change an organization"),
    "close_organization": _("close an organization"),
    "choose_organization": _("turn to an organization"),
    "invite": _("invite somebody"),
    "cancel_invitation": _("take an invitation back"),
    "accept_invitation": _("accept an invitation"),
    "reject_invitation": _("reject an invitation"),
    "change_role": _("change a member's role"),
    "remove_member": _("remove a member"),
    "transfer_ownership": _("make somebody else the owner"),
    "leave_organization": _("leave an organization"),
    "check_slug": _("ask whether a slug is free"),
    "has_permission": _("ask what is permitted"),
    "use_api_key": _("use an API key"),
    "make_api_key": _("make an API key"),
    "change_api_key": _("change an API key"),
    "delete_api_key": _("delete an API key"),
    "rotate_api_key": _("make an API key anew"),
    "revoke_api_keys": _("end all API keys"),
    "report_api_key": _("report an API key"),
}
"""What may be refused, by the names under which attempts are kept."""
_REFUSED = {
    "INVALID_EMAIL_OR_PASSWORD": _("Somebody tried to {action} with a wrong password{times}{place}."),
    "INVALID_PASSWORD": _("Somebody tried to {action}, but entered a wrong password{times}{place}."),
    "EMAIL_NOT_VERIFIED": _("A request to {action} was refused{times}{place}: the address had to be verified first."),
    "SESSION_NOT_FRESH": _("A request to {action} was refused{times}{place}: the password had to be confirmed first."),
    "TOO_MANY_REQUESTS": _("Too many requests to {action} were refused{times}{place}."),
    "INVALID_API_KEY": _("Somebody tried to {action} that was ended{times}{place}."),
    "KEY_DISABLED": _("Somebody tried to {action} that is disabled{times}{place}."),
    "KEY_EXPIRED": _("Somebody tried to {action} that has run out{times}{place}."),
    "API_KEY_NOT_ALLOWED": _("A request to {action} was refused{times}{place}: no program may do that by an API key."),
    "API_KEY_SCOPE_MISSING": _("A request to {action} was refused{times}{place}: the API key was not made for that."),
    "UNAUTHORIZED": _("A request to {action} was refused, because its session was over{times}{place}."),
}
_OTHERWISE = _("A request to {action} was refused{times}{place}.")
_SOMETHING = _("do something")


def sentence(event: Event, names: Names) -> str:
    """What happened, in plain words."""
    match event:
        case SignedUp():
            if names.actor == YOU:
                return names.say("You opened your account.")
            return names.say("{actor} opened an account.")
        case SessionStarted():
            return names.say("{actor} signed in with {device}.")
        case SessionRenewed():
            return names.say("{actor} kept using {device}: the session was extended.")
        case OrganizationChosen(organization_id=None):
            return names.say("{actor} turned to no organization on {device}.")
        case OrganizationChosen():
            return names.say("{actor} turned to {organization} on {device}.")
        case SessionReauthenticated():
            return names.say("{actor} confirmed {whose} password on {device}.")
        case SessionMoved():
            return names.say("{session} was used from another address or browser: {device}.", session=_session(names))
        case SessionKept():
            return names.say("{actor} stayed signed in on {device}.")
        case SessionEnded(reason=reason):
            return _ended(reason, names)
        case NameChanged() | ImageChanged() | PasswordChanged() | PasswordReset() | SessionsRevoked() | PersonErased():
            return _of_an_account(event, names)
        case AccountUnlocked() | ApiKeysRevoked():
            return _of_an_account(event, names)
        case LanguageChosen():
            return names.say("{actor} chose another language.")
        case EmailVerified() | EmailContested() | EmailChanged() | EmailRestored():
            return _of_an_address(event, names)
        case PasswordResetRequested() | EmailVerificationRequested() | EmailChangeRequested():
            return of_a_mailed_link(event, names)
        case EmailChangeUndoOffered() | AccountDeletionRequested() | SignUpAttempted():
            return of_a_mailed_link(event, names)
        case MailedLinkUsed() | MailedLinkWithdrawn() | EmailChangeUndoLapsed():
            return of_a_mailed_link(event, names)
        case ApiKeyMade() | ApiKeyRenamed() | ApiKeyMetadataChanged() | ApiKeyEnabled() | ApiKeyDisabled():
            return of_a_key(event, names)
        case ApiKeyLifetimeChanged() | ApiKeyRotated() | ApiKeyUsed() | ApiKeyEnded():
            return of_a_key(event, names)
        case _:
            return of_an_organization(event, names)


def _of_an_account(
    event: NameChanged
    | ImageChanged
    | PasswordChanged
    | PasswordReset
    | SessionsRevoked
    | ApiKeysRevoked
    | AccountUnlocked
    | PersonErased,
    names: Names,
) -> str:
    match event:
        case NameChanged(name=name):
            new = names.quoted(name, otherwise=Word("another name"))
            return names.say("{actor} changed {whose} name from {before} to {new}.", new=new)
        case ImageChanged():
            # none may also be one that was erased
            return names.say("{actor} changed {whose} picture.")
        case PasswordChanged():
            return names.say("{actor} changed {whose} password.")
        case PasswordReset():
            return names.say("{actor} set a new password by a link that was sent to {whose} address.")
        case SessionsRevoked(reason=reason):
            return _revoked(reason, names)
        case ApiKeysRevoked():
            return names.say("{actor} ended all of {whose} API keys.")
        case AccountUnlocked():
            return names.say("{actor} unlocked {whose} account: the wrong passwords so far count no more.")
        case PersonErased():
            return names.say("{actor} deleted {whose} account.")
        case _:
            assert_never(event)


def _of_an_address(event: EmailVerified | EmailContested | EmailChanged | EmailRestored, names: Names) -> str:
    match event:
        case EmailVerified():
            return names.say("{actor} verified {whose} address.")
        case EmailContested():
            return names.say(
                "{actor} tried to open an account with {whose} address, which was not verified. From then on only a new"
                " password verifies it, set by a link that goes there."
            )
        case EmailChanged(email=email):
            new = names.quoted(email, otherwise=Word("another one"))
            return names.say("{actor} changed {whose} address from {address_before} to {new}.", new=new)
        case EmailRestored(email=email):
            former = names.quoted(email, otherwise=Word("the one before"))
            return names.say("{actor} undid a change of {whose} address: it is {former} again.", former=former)
        case _:
            assert_never(event)


def _revoked(reason: Revocation, names: Names) -> str:
    match reason:
        case Revocation.EVERYWHERE if names.same:
            return names.say("{actor} signed out everywhere.")
        case Revocation.EVERYWHERE:
            return names.say("{actor} ended all of {whose} sessions.")
        case Revocation.OTHERS:
            return names.say("{actor} ended all of {whose} other sessions.")
        case Revocation.PASSWORD_CHANGED | Revocation.PASSWORD_RESET:
            return names.say("All sessions that began with the old password were ended.")
        case _:
            assert_never(reason)


def _ended(reason: EndReason, names: Names) -> str:
    match reason:
        case EndReason.SIGNED_OUT if names.same:
            return names.say("{actor} signed out of {device}.")
        case EndReason.SIGNED_OUT | EndReason.REVOKED:
            return names.say("{actor} ended {whose} session on {device}.")
        case EndReason.REPLACED:
            return names.say("{session} on {device} was replaced by a new one.", session=_session(names))
        case EndReason.EXPIRED:
            return names.say("{session} on {device} expired.", session=_session(names))
        case EndReason.CROWDED_OUT:
            return names.say("{session} on {device} was ended to make room for a newer one.", session=_session(names))
        case _:
            assert_never(reason)


def _session(names: Names) -> str:
    # a name stays as it is written, also where a sentence begins
    return names.say("Your session") if names.person == YOU else names.say("{person}'s session")


def refusal(command: str, code: str, *, place: str, times: int, language: Language = ENGLISH) -> str:
    """What was tried and refused, in plain words."""
    told = _REFUSED.get(code, _OTHERWISE)
    return language.say(
        told,
        action=language.text(COMMANDS.get(command, _SOMETHING)),
        times="" if times == 1 else language.say(", {times} times", times=str(times)),
        place=language.say(", from {place}", place=place) if place else "",
    )
