"""Links that go out by mail, in words, told to whose account it is."""

from __future__ import annotations

from typing import assert_never

from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkEvent,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    SignUpAttempted,
)

from .names import Names
from .printable import quoted


def of_a_mailed_link(event: MailedLinkEvent, names: Names) -> str:
    """What happened, in plain words. Who asked need not be known: the link goes to whose account it is."""
    match event:
        case PasswordResetRequested():
            return f"{names.actor} asked for a link to set a new password of {names.whose} account."
        case EmailVerificationRequested():
            return f"{names.actor} asked for a link to verify {names.whose} address."
        case EmailChangeRequested(email=email):
            new = quoted(email, otherwise="another one")
            return f"{names.actor} asked to change {names.whose} address to {new}."
        case EmailChangeUndoOffered():
            return f"A link to undo the change was sent to {names.whose} address of before."
        case AccountDeletionRequested(offer_id=None):
            return f"{names.actor} asked for a link to delete {names.whose} account."
        case AccountDeletionRequested():
            return (
                f"{names.actor} asked for a link to delete {names.whose} account. It went to {names.whose} address of"
                " before, since the change can still be undone."
            )
        case SignUpAttempted():
            return f"{names.actor} tried to open an account with {names.whose} address."
        case MailedLinkUsed():
            return "A link that was sent by mail was used."
        case MailedLinkWithdrawn():
            return "A link that was sent by mail was withdrawn."
        case EmailChangeUndoLapsed():
            return f"{names.whose.capitalize()} address of before was told that the account was deleted."
        case _:
            assert_never(event)
