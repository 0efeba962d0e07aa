"""The last message to somebody whose account was deleted: that it was, since it may not have been them."""

from __future__ import annotations

from dataclasses import dataclass

from api.setting_values import Mailbox
from domain.clock import Clock
from domain.events.keys import Keyring
from domain.store.connections import Statements
from projections.deliveries.farewells import sealed_address
from projections.deliveries.queue import Delivery

from .mail import Mail
from .transport import Dropped

_TEXT = (
    "Your account with this address was deleted, and what was personal of it is gone for good.\n"
    "\n"
    "If that was not you, somebody knew your password or used a device you were signed in on: change that\n"
    "password wherever else you use it. The account cannot be brought back; with this address another one can be\n"
    "opened.\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FarewellMails:
    """Makes them. It names nobody: who they were is not known any more, but for the address."""

    statements: Statements
    keyring: Keyring
    clock: Clock
    sender: Mailbox

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The message of a delivery; nothing once the address is not kept any more, as after a restore."""
        sealed = sealed_address(self.statements, delivery.stream_id, delivery.version)
        if sealed is None:
            return Dropped("address gone")
        return Mail(
            name=delivery.name,
            sender=self.sender,
            recipient=self.keyring.open_address(sealed, stream_id=delivery.stream_id, version=delivery.version),
            subject="Your account was deleted",
            text=_TEXT,
            at=self.clock(),
        )
