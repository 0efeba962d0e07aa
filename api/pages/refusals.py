"""Refusals in words for people, each with the field it is about, if it is about one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain import key_refusals, refusals
from domain.refusals import Refusal, TooManyAttempts

from .wording import Wording
from .wording import marked as _


class Sentence(NamedTuple):
    """What a refusal says, and of which field of a form; empty if of none."""

    text: str
    field: str = ""


_TOLD: Mapping[type[Refusal], Sentence] = {
    refusals.EmailTaken: Sentence(_("There is an account with this address already. Sign in instead."), "email"),
    refusals.MalformedEmail: Sentence(_("This is no address we could write to."), "email"),
    refusals.WrongCredentials: Sentence(_("Address or password are not right. Look for typing errors and Caps Lock.")),
    refusals.WrongPassword: Sentence(_("This is not your password."), "current_password"),
    refusals.NoPassword: Sentence(_("This account has no password.")),
    refusals.AccountNotFound: Sentence(_("This account has no password.")),
    refusals.PasswordTooShort: Sentence(_("This password is too short."), "password"),
    refusals.PasswordTooLong: Sentence(_("This password is too long: 128 characters are enough."), "password"),
    refusals.PasswordCompromised: Sentence(
        _("This password is easy to guess. Several words that do not belong together are better."), "password"
    ),
    refusals.SessionOver: Sentence(_("Your session ended. Sign in again; nothing was lost.")),
    refusals.SubjectGone: Sentence(_("This account was deleted.")),
    refusals.SessionNotFresh: Sentence(_("Confirm first that it is you.")),
    refusals.SlugTaken: Sentence(_("Another organization has this short name."), "slug"),
    refusals.NewSlugTaken: Sentence(_("Another organization has this short name."), "slug"),
    refusals.Conflict: Sentence(_("The same thing was changed at the same moment. Look at it, and try again.")),
    refusals.PictureNotKept: Sentence(_("No picture is kept at this address."), "image"),
    refusals.OrganizationNotFound: Sentence(_("There is no such organization any more.")),
    refusals.NotAMember: Sentence(_("You do not belong to this organization any more.")),
    refusals.MemberNotFound: Sentence(_("There is no such member any more.")),
    refusals.EmptyRole: Sentence(_("Choose a role."), "role"),
    refusals.UnknownRole: Sentence(_("There is no such role."), "role"),
    refusals.LastOwner: Sentence(
        _("You are the only owner. Make somebody else an owner first, or delete the organization.")
    ),
    refusals.LastOwnerDemoted: Sentence(_("An organization needs an owner. Make somebody else an owner first.")),
    refusals.MayNotFound: Sentence(_("This service does not let people found organizations.")),
    refusals.MayNotUpdateOrganization: Sentence(_("Only owners and admins may change the organization.")),
    refusals.MayNotClose: Sentence(_("Only owners may delete the organization.")),
    refusals.MayNotChangeRole: Sentence(_("You may not change this member's role. An owner may.")),
    refusals.MayNotRemove: Sentence(_("You may not remove this member. An owner may.")),
    refusals.InvitationsOff: Sentence(_("This service does not let people invite others.")),
    refusals.MayNotInvite: Sentence(_("Only owners and admins may invite people.")),
    refusals.MayNotInviteAs: Sentence(
        _("You may only give roles that you have yourself. An owner may give any."), "role"
    ),
    refusals.AlreadyMember: Sentence(_("This person is a member already."), "email"),
    refusals.AlreadyInvited: Sentence(_("This address is invited already. Renew that invitation instead."), "email"),
    refusals.InvitationLimitReached: Sentence(_("The organization has as many open invitations as it may have.")),
    refusals.MemberLimitReached: Sentence(_("The organization has as many members as it may have.")),
    refusals.InvitationNotFound: Sentence(_("This invitation is over, or there never was one.")),
    refusals.NotTheRecipient: Sentence(_("This invitation is for another address than yours.")),
    refusals.InviterGone: Sentence(
        _("Who invited you does not belong to the organization any more. Ask somebody else.")
    ),
    refusals.MayNotCancel: Sentence(_("Only owners and admins may take an invitation back.")),
    refusals.LinkNotFound: Sentence(_("This link opens nothing any more. Ask for a new one.")),
    refusals.LinkExpired: Sentence(_("This link was good for a while only, and that is over. Ask for a new one.")),
    refusals.EmailNotVerified: Sentence(
        _("Confirm your address first: we have sent you a link. Look also among the unwanted mail.")
    ),
    refusals.EmailAlreadyVerified: Sentence(_("Your address is confirmed already.")),
    refusals.EmailMismatch: Sentence(_("This is not the address of your account."), "email"),
    refusals.SameEmail: Sentence(_("This is your address already."), "email"),
    refusals.SignUpByInvitationOnly: Sentence(_("Accounts are opened by invitation only.")),
    key_refusals.KeyNotFound: Sentence(_("You have no such key any more.")),
    key_refusals.KeyRotated: Sentence(_("This key was made anew already: there is another one in its place.")),
    key_refusals.UnknownScope: Sentence(_("Choose at least one thing that the key may do."), "scopes"),
    key_refusals.NotInKeysOrganization: Sentence(_("You do not belong to this organization any more."), "organization"),
    key_refusals.KeyNameLength: Sentence(_("Give the key a name of 1 to 32 characters."), "name"),
    key_refusals.KeyLifeTooShort: Sentence(_("Keys have to be good for longer here."), "days"),
    key_refusals.KeyLifeTooLong: Sentence(_("Keys may not be good for so long here."), "days"),
    refusals.TooManyAttempts: Sentence(_("Too many tries. Wait a moment before you try again.")),
}


def problems_of(refusal: Refusal, wording: Wording, *, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a form shows of a refusal, by the field it is about; `names` are what this form calls fields otherwise."""
    told = next(told for kind, told in _TOLD.items() if isinstance(refusal, kind))
    if isinstance(refusal, refusals.PasswordCompromised):
        told = Sentence(refusal.reason, told.field)
    if isinstance(refusal, TooManyAttempts):
        text = wording.texts(
            "Too many tries. You can try again in %(number)s minute.",
            "Too many tries. You can try again in %(number)s minutes.",
            -(-refusal.retry_after // 60),
        )
        return {"": text}
    field = told.field if names is None else names.get(told.field, told.field)
    return {field: wording.text(told.text)}
