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
from projections.trails.printable import quoted

from .mail import Mail
from .transport import Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationMails:
    """Makes them from what is so at the moment of sending. `page` is the URL that the link opens, `allowed` whether the
    operator lets invitations be accepted.
    """

    statements: Statements
    keyring: Keyring
    clock: Clock
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
        return Mail(
            name=delivery.name,
            sender=self.sender,
            recipient=row.email,
            subject=f"Invitation to {_organization(row)}",
            text=text(row, link_on(self.page, self.keyring.invitation_link(delivery.stream_id))),
            at=now,
        )


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


def text(row: InvitationRow, link: str) -> str:
    """What it says. Names that people chose stand in quotation marks, so that none passes for a sentence of ours."""
    who = "You are invited" if row.inviter_email is None else f"{row.inviter_email} invites you"
    return (
        f"{who} to join {_organization(row)} (role: {row.role.replace(',', ', ')}).\n"
        "\n"
        f"To accept or decline, until {row.expires_at:%Y-%m-%d %H:%M} UTC:\n"
        "\n"
        f"{link}\n"
        "\n"
        f"Only who has an account with the address {row.email}, or opens one, can accept it.\n"
        "If you do not know who invites you, you need not do anything.\n"
    )


def link_on(page: str, link: str) -> str:
    """The page with the invitation's id in its query, beside whatever stands there already."""
    parts = urlsplit(page)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(path=parts.path or "/", query=f"{query}invitationId={link}"))


def _organization(row: InvitationRow) -> str:
    return quoted(row.organization_name, otherwise="an organization")
