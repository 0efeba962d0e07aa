"""The message of an invitation: who invites whom into what, and the link to answer it by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from api.setting_values import Mailbox
from domain.clock import Clock
from domain.events.keys import Keyring
from domain.invitation import Status
from domain.store.connections import Statements
from projections.deliveries.queue import Delivery
from projections.lists.invitation_list import InvitationRow, invitation_with_id

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import Invitation
from .transport import Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationMails:
    """Makes them from what is so at the moment of sending. `page` is the URL that the link opens, `allowed` whether the
    operator lets invitations be accepted.
    """

    statements: Statements
    keyring: Keyring
    clock: Clock
    texts: MailTexts
    sender: Mailbox
    page: str
    allowed: bool

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The message, or why there is none any more. Raises StoreUnavailable."""
        row, now = invitation_with_id(self.statements, delivery.stream_id), self.clock()
        if row is None or row.email is None:
            return Dropped("erased")
        if not self.allowed:
            return Dropped("invitations off")
        if (reason := why_not(row, superseded=delivery.superseded, now=now)) is not None:
            return Dropped(reason)
        values = Invitation(
            inviter_email=row.inviter_email,
            organization=row.organization_name,
            role=row.role.replace(",", ", "),
            recipient=row.email,
            link=link_on(self.page, self.keyring.mailed_invitation_link(delivery.stream_id)),
            expires_at=row.expires_at,
        )
        return self.texts.written(values, name=delivery.name, sender=self.sender, recipient=row.email, at=now)


def why_not(row: InvitationRow, *, superseded: bool, now: datetime) -> str | None:
    """Why nothing is to be sent about an invitation; None if it can still be accepted, and this is its last sending.

    `waits` and `stands` are what accepting goes by; here are only the words.
    """
    if not row.waits(now):
        if row.status != Status.PENDING:
            return row.status
        return Status.EXPIRED if row.organization_open else "organization closed"
    if not row.stands:
        return "inviter gone"
    return "superseded" if superseded else None


def link_on(page: str, link: str) -> str:
    """The page with the invitation's id in its query, beside whatever stands there already."""
    parts = urlsplit(page)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(path=parts.path or "/", query=f"{query}invitationId={link}"))
