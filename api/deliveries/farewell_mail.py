"""The last message to somebody whose account was deleted: that it was, since it may not have been them."""

from __future__ import annotations

from dataclasses import dataclass

from api.setting_values import Mailbox
from domain.clock import Clock
from domain.store import Store
from projections.deliveries.farewells import sealed_address
from projections.deliveries.queue import Delivery

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import AccountDeleted
from .transport import Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class FarewellMails:
    """Makes them. It names nobody: who they were is not known any more, but for the address."""

    store: Store
    clock: Clock
    texts: MailTexts
    sender: Mailbox

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The message of a delivery; nothing once the address is not kept any more, as after a restore."""
        place = (delivery.stream_id, delivery.version)
        sealed, erased = sealed_address(self.store.statements, *place), self.store.recorded([place]).get(place)
        if sealed is None or erased is None:
            return Dropped("address gone")
        recipient = self.store.keyring.open_address(sealed, stream_id=delivery.stream_id, version=delivery.version)
        values = AccountDeleted(at=erased.at)
        return self.texts.written(values, name=delivery.name, sender=self.sender, recipient=recipient, at=self.clock())
