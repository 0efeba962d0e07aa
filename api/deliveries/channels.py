"""Which kinds of deliveries this node sends, and by what: from the settings."""

from __future__ import annotations

import threading

from api.settings import Settings
from domain.clock import Clock
from domain.events.keys import Keyring
from domain.store.connections import Statements
from projections.deliveries.due import ACCOUNT_DELETED, INVITATION

from .farewell_mail import FarewellMails
from .invitation_mail import InvitationMails
from .mail_folder import MailFolder
from .transport import Channel, Channels

_TIDIED_EVERY = 60.0
"""Seconds."""


def kinds_sent(settings: Settings) -> tuple[str, ...]:
    """The kinds of deliveries that these settings have a transport for."""
    return () if settings.mail_folder is None else (INVITATION, ACCOUNT_DELETED)


def keep_tidy(settings: Settings, clock: Clock, stop: threading.Event, *, every: float = _TIDIED_EVERY) -> None:
    """Remove what killed senders of any node left unfinished, now and every so many seconds, until told to stop."""
    if settings.mail_folder is None:
        stop.wait()
        return
    folder = MailFolder(settings.mail_folder)
    while True:
        folder.remove_unfinished(now=clock())
        if stop.wait(every):
            return


def channels(settings: Settings, statements: Statements, keyring: Keyring, clock: Clock) -> Channels:
    """How each of those is sent; none without a transport."""
    if settings.mail_folder is None:
        return {}
    folder = MailFolder(settings.mail_folder)
    mails = InvitationMails(
        statements=statements,
        keyring=keyring,
        clock=clock,
        sender=settings.mail_sender,
        page=settings.page_of_invitations,
        allowed=settings.rules.invitations,
    )
    farewells = FarewellMails(statements=statements, keyring=keyring, clock=clock, sender=settings.mail_sender)
    return {INVITATION: Channel(mails.compose, folder), ACCOUNT_DELETED: Channel(farewells.compose, folder)}
