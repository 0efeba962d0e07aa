"""The notice to an address that an account has no longer, since a change of it was undone."""

from __future__ import annotations

from dataclasses import dataclass

from api.setting_values import Mailbox
from domain.clock import Clock
from domain.events.catalogue import stored_names
from domain.store import Store
from domain.user import EmailChanged, EmailRestored, SignedUp
from projections.deliveries.queue import Delivery

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import EmailChangeUndone
from .transport import Dropped

_NAMING = [name for event in (SignedUp, EmailChanged, EmailRestored) for name in stored_names(event)]
"""The events that say which address an account has."""
_BEFORE = """
SELECT version FROM events WHERE stream_id = $1 AND version < $2 AND name = ANY($3) ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LostAddressMails:
    """Makes them of events that gave an account an address back. Nothing in one is of who has the account now."""

    store: Store
    clock: Clock
    texts: MailTexts
    sender: Mailbox

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The notice, to the address of before that event; none once the person is erased. Raises StoreUnavailable."""
        restored = (delivery.stream_id, delivery.version)
        [(version,)] = self.store.statements.rows(_BEFORE, *restored, _NAMING)
        lost = (delivery.stream_id, version)
        found = self.store.recorded([lost, restored])
        named = found[lost].event if lost in found else None
        if not isinstance(named, SignedUp | EmailChanged | EmailRestored) or named.email is None:
            return Dropped("erased")
        values = EmailChangeUndone(at=found[restored].at)
        return self.texts.written(
            values, name=delivery.name, sender=self.sender, recipient=named.email, at=self.clock()
        )
