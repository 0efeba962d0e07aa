"""Which kinds of deliveries this node sends, and by what: from the settings."""

from __future__ import annotations

import threading

from api.settings import Settings
from domain.clock import Clock
from domain.events.keys import Keyring
from domain.store.connections import Statements
from projections.deliveries.due import INVITATION, KIND_OF_LINK, KINDS

from .invitation_mail import InvitationMails
from .link_mail import LinkMails
from .mail_folder import MailFolder
from .mail_texts import MailTexts
from .transport import Channel, Channels

_TIDIED_EVERY = 60.0
"""Seconds."""


def kinds_sent(settings: Settings) -> tuple[str, ...]:
    """The kinds of deliveries that these settings have a transport for."""
    return () if settings.folder_of_mail is None else KINDS


def keep_tidy(settings: Settings, clock: Clock, stop: threading.Event, *, every: float = _TIDIED_EVERY) -> None:
    """Remove what killed senders of any node left unfinished, now and every so many seconds, until told to stop."""
    if settings.folder_of_mail is None:
        stop.wait()
        return
    folder = MailFolder(settings.folder_of_mail)
    while True:
        folder.remove_unfinished(now=clock())
        if stop.wait(every):
            return


def channels(settings: Settings, statements: Statements, keyring: Keyring, clock: Clock) -> Channels:
    """How each of those is sent; none without a transport."""
    if settings.folder_of_mail is None:
        return {}
    folder = MailFolder(settings.folder_of_mail)
    texts = MailTexts(settings.mail_templates)
    mails = InvitationMails(
        statements=statements,
        keyring=keyring,
        clock=clock,
        texts=texts,
        sender=settings.mail_sender,
        page=settings.page_of_invitations,
        allowed=settings.rules.invitations,
    )
    links = LinkMails(
        statements=statements,
        keyring=keyring,
        clock=clock,
        texts=texts,
        sender=settings.mail_sender,
        origin=settings.origin,
        reset_page=settings.page_of_resets,
    )
    of_links = {kind: Channel(links.compose, folder) for kind in KIND_OF_LINK.values()}
    return {INVITATION: Channel(mails.compose, folder), **of_links}
