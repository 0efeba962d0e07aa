"""Which kinds of deliveries this node sends, and by what: from the settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from api.settings import Settings
from domain.clock import Clock
from domain.store import Store
from projections.deliveries.due import (
    ACCOUNT_DELETED,
    EMAIL_CHANGE_UNDONE,
    INVITATION,
    KIND_OF_LINK,
    KINDS,
    NEW_DEVICE,
    PASSWORD_CHANGED,
)
from projections.places import Places

from .farewell_mail import FarewellMails
from .invitation_mail import InvitationMails
from .link_mail import LinkMails
from .lost_address_mail import LostAddressMails
from .mail import Mail
from .mail_folder import MailFolder
from .mail_texts import MailTexts
from .new_device_mail import NewDeviceMails
from .password_changed_mail import PasswordChangedMails
from .smtp import SmtpTransport
from .transport import Channel, Channels, Transport

_TIDIED_EVERY = 60.0
"""Seconds."""


class MailTransport(Transport[Mail], Protocol):
    """A way out that may keep something open while there is mail."""

    def rest(self) -> None:
        """Nothing is due at the moment."""

    def close(self) -> None:
        """Nothing will be."""


def kinds_sent(settings: Settings) -> tuple[str, ...]:
    """The kinds of deliveries that these settings have a transport for."""
    return KINDS if settings.sends_mail else ()


@contextmanager
def transport(settings: Settings) -> Iterator[MailTransport]:
    """By which mail leaves from here; `sends_mail` says that there is one."""
    if (server := settings.smtp) is not None:
        own_name = settings.mail_sender.address.rpartition("@")[2]
        way: MailTransport = SmtpTransport(server, own_name=own_name, patience=settings.smtp_timeout)
    else:
        assert settings.folder_of_mail is not None, "sends_mail says no"
        way = MailFolder(settings.folder_of_mail)
    try:
        yield way
    finally:
        way.close()


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


def channels(settings: Settings, store: Store, clock: Clock, way: Transport[Mail]) -> Channels:
    """How each of those is sent. Raises PlacesUnreadable."""
    texts, sender, places = MailTexts(settings.mail_templates), settings.mail_sender, Places(settings.geoip_database)
    invitations = InvitationMails(
        statements=store.statements,
        keyring=store.keyring,
        clock=clock,
        texts=texts,
        sender=sender,
        page=settings.page_of_invitations,
        allowed=settings.rules.invitations,
    )
    new_devices = NewDeviceMails(
        store=store,
        clock=clock,
        texts=texts,
        sender=sender,
        places=places,
        page=settings.page_of_sessions,
        wanted=settings.new_device_mail == "on",
        per_hour=settings.notices_per_hour,
    )
    passwords = PasswordChangedMails(
        store=store,
        clock=clock,
        texts=texts,
        sender=sender,
        places=places,
        per_hour=settings.notices_per_hour,
    )
    links = LinkMails(
        store=store,
        clock=clock,
        texts=texts,
        sender=sender,
        places=places,
        origin=settings.origin,
        reset_page=settings.page_of_resets,
        confirm_page=settings.page_of_confirmations,
    )
    farewells = FarewellMails(store=store, clock=clock, texts=texts, sender=sender)
    lost_addresses = LostAddressMails(store=store, clock=clock, texts=texts, sender=sender)
    return {
        INVITATION: Channel(invitations.compose, way),
        **{kind: Channel(links.compose, way) for kind in KIND_OF_LINK.values()},
        NEW_DEVICE: Channel(new_devices.compose, way),
        PASSWORD_CHANGED: Channel(passwords.compose, way),
        EMAIL_CHANGE_UNDONE: Channel(lost_addresses.compose, way),
        ACCOUNT_DELETED: Channel(farewells.compose, way),
    }
