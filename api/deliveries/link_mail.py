"""The messages of links that go out by mail, and of what goes with them: to whom, and where each link leads.

A link's secret is stored nowhere: it is made here, at the moment of sending, of the event that the message is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from api.deployment_settings import BASE_PATH
from api.setting_values import Mailbox
from domain.clock import Clock
from domain.commands.mailed_link import address_in, address_offered_back
from domain.mailed_link import Purpose
from domain.store import Store, StreamVersion
from domain.store.envelope import Recorded
from projections.deliveries.queue import Delivery
from projections.devices import device
from projections.lists.mailed_link_list import LinkToMail, link_to_mail
from projections.places import Places

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import (
    AccountDeletion,
    EmailChangeConfirmation,
    EmailChangeNotice,
    EmailVerification,
    MailValues,
    PasswordReset,
    SignUpAttempt,
)
from .transport import Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkMails:
    """Makes them from what is so at the moment of sending. `origin` is where the links lead, which send on to a page:
    `reset_page` where who asked for a new password named none. Those that prove an address lead to `confirm_page`, if
    there is one: it asks first, since programs open what stands in mails (wire.md A43).
    """

    store: Store
    clock: Clock
    texts: MailTexts
    sender: Mailbox
    places: Places
    origin: str
    reset_page: str
    confirm_page: str | None

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The message, or why there is none any more. Raises StoreUnavailable."""
        now = self.clock()
        row = link_to_mail(self.store.statements, delivery.stream_id, now=now)
        if row is None or row.account_email is None:
            return Dropped("erased")
        if (reason := why_not(row, superseded=delivery.superseded, now=now)) is not None:
            return Dropped(reason)
        place = delivery.stream_id, delivery.version
        sent = self.store.recorded([place]).get(place)
        about: str | None = row.account_email
        if row.purpose in (Purpose.EMAIL_CHANGE, Purpose.EMAIL_CHANGE_UNDO):
            about = address_in(sent)
        elif row.offer_id is not None:
            about = address_offered_back(self.store, row.offer_id)
        if sent is None or about is None:
            return Dropped("erased")
        values, recipient = self._said(sent, row, row.account_email, about, self._link(place, sent))
        return self.texts.written(values, name=delivery.name, sender=self.sender, recipient=recipient, at=now)

    def _link(self, place: StreamVersion, sent: Recorded) -> str:
        """The secret of a link, as it was made when it was asked for."""
        made = self.store.keyring.mailed_link(*place, sent.command.command_id)
        hashed = getattr(sent.event, "link_hash", None)
        if hashed is None or self.store.keyring.link_hash(made) == hashed:
            return made
        return self.store.keyring.mailed_link_of_before(*place)

    def _said(
        self, sent: Recorded, row: LinkToMail, account_email: str, about: str, link: str
    ) -> tuple[MailValues, str]:
        """What it says, and to which address: mostly the account's, else the one it is `about`."""
        expires_at = row.sent_at if row.expires_at is None else row.expires_at
        match row.purpose:
            case Purpose.PASSWORD_RESET:
                resetting = self._reset(link, row.callback_url)
                return PasswordReset(
                    link=resetting, expires_at=expires_at, contested=row.email_contested
                ), account_email
            case Purpose.EMAIL_VERIFICATION:
                verifying = self._verifying(link, row.callback_url)
                return self._verification(row.user_id, verifying, expires_at), account_email
            case Purpose.EMAIL_CHANGE:
                verifying = self._verifying(link, row.callback_url)
                return EmailChangeConfirmation(link=verifying, expires_at=expires_at), about
            case Purpose.EMAIL_CHANGE_UNDO:
                return self._change_notice(sent, account_email, self._reset(link, None), expires_at), about
            case Purpose.ACCOUNT_DELETION:
                changed_to = None if row.offer_id is None else account_email
                deleting = self._deleting(link, row.callback_url)
                return AccountDeletion(link=deleting, expires_at=expires_at, changed_to=changed_to), about
            case Purpose.SIGN_UP_NOTICE:
                return SignUpAttempt(at=row.sent_at, contested=row.email_contested), account_email

    def _verification(self, user_id: UUID, link: str, expires_at: datetime) -> EmailVerification:
        """It says when the account was opened, and from where: whoever that was, it need not be who reads it."""
        opening = (user_id, 1)
        opened = self.store.recorded([opening])[opening]
        return EmailVerification(
            link=link,
            expires_at=expires_at,
            opened_at=opened.at,
            device=device(opened.command.user_agent),
            location=self.places(opened.command.ip_address),
        )

    def _change_notice(
        self, offered: Recorded, new_address: str, undo_link: str, undo_until: datetime
    ) -> EmailChangeNotice:
        """The offer to undo it is of the command that changed it, so it says when and from where."""
        return EmailChangeNotice(
            new_address=new_address,
            undo_link=undo_link,
            undo_until=undo_until,
            at=offered.at,
            device=device(offered.command.user_agent),
            location=self.places(offered.command.ip_address),
        )

    def _reset(self, link: str, callback_url: str | None) -> str:
        return self._leading(f"reset-password/{link}?", callback_url or self.reset_page)

    def _verifying(self, link: str, callback_url: str | None) -> str:
        if self.confirm_page is not None:
            return f"{self.confirm_page}?token={link}&callbackURL={quote(callback_url or '/', safe='')}"
        return self._leading(f"verify-email?token={link}&", callback_url or "/")

    def _deleting(self, link: str, callback_url: str | None) -> str:
        return self._leading(f"delete-user/callback?token={link}&", callback_url or "/")

    def _leading(self, opening: str, page: str) -> str:
        return f"{self.origin}{BASE_PATH}/{opening}callbackURL={quote(page, safe='')}"


def why_not(row: LinkToMail, *, superseded: bool, now: datetime) -> str | None:
    """Why nothing is to be sent about a link; None if it is the newest of its kind and still opens something."""
    if superseded:
        return "superseded"
    if row.ended:
        return "used"
    if row.expires_at is not None and now >= row.expires_at:
        return "expired"
    if row.claimed:
        return "address taken"
    return None if row.holds else "account changed"
