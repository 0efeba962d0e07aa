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

from .language import Word
from .names import Names


def of_a_mailed_link(event: MailedLinkEvent, names: Names) -> str:
    """What happened, in plain words. Who asked need not be known: the link goes to whose account it is."""
    match event:
        case PasswordResetRequested():
            return names.say("{actor} asked for a link to set a new password of {whose} account.")
        case EmailVerificationRequested():
            return names.say("{actor} asked for a link to verify {whose} address.")
        case EmailChangeRequested(email=email):
            new = names.quoted(email, otherwise=Word("another one"))
            return names.say("{actor} asked to change {whose} address to {new}.", new=new)
        case EmailChangeUndoOffered():
            return names.say("A link to undo the change was sent to {whose} address of before.")
        case AccountDeletionRequested(offer_id=None):
            return names.say("{actor} asked for a link to delete {whose} account.")
        case AccountDeletionRequested():
            return names.say(
                "{actor} asked for a link to delete {whose} account. It went to {whose} address of before, since the"
                " change can still be undone."
            )
        case SignUpAttempted():
            return names.say("{actor} tried to open an account with {whose} address.")
        case MailedLinkUsed():
            return names.say("A link that was sent by mail was used.")
        case MailedLinkWithdrawn():
            return names.say("A link that was sent by mail was withdrawn.")
        case EmailChangeUndoLapsed():
            told = names.say("{whose} address of before was told that the account was deleted.")
            return told[:1].upper() + told[1:]
        case _:
            assert_never(event)
