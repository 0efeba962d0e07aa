"""Refusals in words for people, each with the field it is about, if it is about one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain import refusals
from domain.refusals import Refusal, TooManyAttempts

from .wording import Wording
from .wording import marked as _


class Told(NamedTuple):
    """What a refusal says, and of which field of a form; empty if of none."""

    text: str
    field: str = ""


_TOLD: Mapping[type[Refusal], Told] = {
    refusals.EmailTaken: Told(_("There is an account with this address already. Sign in instead."), "email"),
    refusals.MalformedEmail: Told(_("This is no address we could write to."), "email"),
    refusals.WrongCredentials: Told(_("Address or password are not right. Look for typing errors and Caps Lock.")),
    refusals.WrongPassword: Told(_("This is not your password."), "current_password"),
    refusals.NoPassword: Told(_("This account has no password.")),
    refusals.AccountNotFound: Told(_("This account has no password.")),
    refusals.PasswordTooShort: Told(_("This password is too short."), "password"),
    refusals.PasswordTooLong: Told(_("This password is too long: 128 characters are enough."), "password"),
    refusals.PasswordCompromised: Told(
        _("This password is easy to guess. Several words that do not belong together are better."), "password"
    ),
    refusals.SessionOver: Told(_("Your session ended. Sign in again; nothing was lost.")),
    refusals.SubjectGone: Told(_("This account was deleted.")),
    refusals.SessionNotFresh: Told(_("Confirm first that it is you.")),
    refusals.SlugTaken: Told(_("Another organization has this short name."), "slug"),
    refusals.NewSlugTaken: Told(_("Another organization has this short name."), "slug"),
    refusals.Conflict: Told(_("The same thing was changed at the same moment. Look at it, and try again.")),
    refusals.PictureNotKept: Told(_("No picture is kept at this address."), "image"),
    refusals.OrganizationNotFound: Told(_("There is no such organization any more.")),
    refusals.NotAMember: Told(_("You do not belong to this organization any more.")),
    refusals.MemberNotFound: Told(_("There is no such member any more.")),
    refusals.EmptyRole: Told(_("Choose a role."), "role"),
    refusals.UnknownRole: Told(_("There is no such role."), "role"),
    refusals.LastOwner: Told(
        _("You are the only owner. Make somebody else an owner first, or delete the organization.")
    ),
    refusals.LastOwnerDemoted: Told(_("An organization needs an owner. Make somebody else an owner first.")),
    refusals.MayNotFound: Told(_("This service does not let people found organizations.")),
    refusals.MayNotUpdateOrganization: Told(_("Only owners and admins may change the organization.")),
    refusals.MayNotClose: Told(_("Only owners may delete the organization.")),
    refusals.MayNotChangeRole: Told(_("You may not change this member's role. An owner may.")),
    refusals.MayNotRemove: Told(_("You may not remove this member. An owner may.")),
    refusals.InvitationsOff: Told(_("This service does not let people invite others.")),
    refusals.MayNotInvite: Told(_("Only owners and admins may invite people.")),
    refusals.MayNotInviteAs: Told(_("You may only give roles that you have yourself. An owner may give any."), "role"),
    refusals.AlreadyMember: Told(_("This person is a member already."), "email"),
    refusals.AlreadyInvited: Told(_("This address is invited already. Renew that invitation instead."), "email"),
    refusals.InvitationLimitReached: Told(_("The organization has as many open invitations as it may have.")),
    refusals.MemberLimitReached: Told(_("The organization has as many members as it may have.")),
    refusals.InvitationNotFound: Told(_("This invitation is over, or there never was one.")),
    refusals.NotTheRecipient: Told(_("This invitation is for another address than yours.")),
    refusals.InviterGone: Told(_("Who invited you does not belong to the organization any more. Ask somebody else.")),
    refusals.MayNotCancel: Told(_("Only owners and admins may take an invitation back.")),
    refusals.LinkNotFound: Told(_("This link opens nothing any more. Ask for a new one.")),
    refusals.LinkExpired: Told(_("This link was good for a while only, and that is over. Ask for a new one.")),
    refusals.EmailNotVerified: Told(
        _("Confirm your address first: we have sent you a link. Look also among the unwanted mail.")
    ),
    refusals.EmailAlreadyVerified: Told(_("Your address is confirmed already.")),
    refusals.EmailMismatch: Told(_("This is not the address of your account."), "email"),
    refusals.SameEmail: Told(_("This is your address already."), "email"),
    refusals.SignUpByInvitationOnly: Told(_("Accounts are opened by invitation only.")),
    refusals.TooManyAttempts: Told(_("Too many tries. Wait a moment before you try again.")),
}


def problems_of(refusal: Refusal, wording: Wording, *, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a form shows of a refusal, by the field it is about; `names` are what this form calls fields otherwise."""
    told = next(told for kind, told in _TOLD.items() if isinstance(refusal, kind))
    if isinstance(refusal, refusals.PasswordCompromised):
        told = Told(refusal.reason, told.field)
    if isinstance(refusal, TooManyAttempts):
        text = wording.texts(
            "Too many tries. You can try again in %(number)s minute.",
            "Too many tries. You can try again in %(number)s minutes.",
            -(-refusal.retry_after // 60),
        )
        return {"": text}
    field = told.field if names is None else names.get(told.field, told.field)
    return {field: wording.text(told.text)}


def text_of(refusal: Refusal) -> str:
    """What is said of a refusal where there is no form to show it on, in English; empty if nothing in particular."""
    return next((told.text for kind, told in _TOLD.items() if isinstance(refusal, kind)), "")
