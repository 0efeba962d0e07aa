"""What a form did, in a sentence on the page that comes after it: by a code in its address, which anybody may write."""

from __future__ import annotations

from collections.abc import Mapping

from .wording import marked as _

DONE: Mapping[str, str] = {
    "signed-out": _("You are signed out."),
    "profile": _("Your profile is saved."),
    "password": _("Your password is changed."),
    "password-others": _("Your password is changed, and all your other devices are signed out."),
    "address": _("We have sent a link to the new address. Open it to make the address yours."),
    "address-kept": _("The change is taken back: the link that we sent opens nothing any more."),
    "address-changed": _("The new address is yours."),
    "verified": _("Your address is confirmed."),
    "key-ended": _("The key is ended: it opens nothing any more."),
    "key-disabled": _("The key is disabled: it opens nothing until you enable it."),
    "key-enabled": _("The key is enabled."),
    "keys-ended": _("All your keys are ended."),
    "not-me": _("That device is signed out. Now set a new password, so that it stays out."),
    "verification": _("We have sent you a link. Open it to confirm your address."),
    "session-ended": _("That device is signed out."),
    "others-ended": _("All your other devices are signed out."),
    "reset": _("Your new password is set. Sign in with it."),
    "deletion-mail": _("We have sent you a link. Open it to delete your account."),
    "deletion-mail-elsewhere": _(
        "We have sent a link to the address you had before, since that can still be given back. Open it there."
    ),
    "deleted": _("Your account is deleted, and what was personal in it is gone."),
    "founded": _("The organization is founded."),
    "chosen": _("This is your organization now."),
    "organization": _("The organization is saved."),
    "organization-deleted": _("The organization is deleted."),
    "invited": _("The invitation is made. Copy its link, or wait for the mail to arrive."),
    "invited-link": _("The invitation is made. Copy its link, and hand it on."),
    "invited-late": _(
        "The invitation is made. The one to the wrong address was over already: look whether somebody has joined by it."
    ),
    "renewed": _("The invitation is renewed: its link is good for longer."),
    "canceled": _("The invitation is taken back. Its link opens nothing any more."),
    "role": _("The role is changed."),
    "removed": _("The member is removed."),
    "left": _("You have left the organization."),
    "transferred": _("The organization has a new owner."),
    "joined": _("Welcome! You have joined the organization."),
    "declined": _("You have declined the invitation."),
}
