"""The notice that somebody signed in from where the person was never seen before, which may not have been they."""

from __future__ import annotations

from dataclasses import dataclass

from api.setting_values import Mailbox
from domain.clock import Clock
from domain.session import SessionStarted
from domain.store import Store
from projections.deliveries.lately import new_devices_told
from projections.deliveries.queue import Delivery
from projections.devices import device
from projections.lists.account_list import AccountLookups
from projections.places import Places
from projections.trails.new_devices import is_unfamiliar

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import NewDevice
from .transport import Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDeviceMails:
    """Makes them of sessions that began. `page` is where a person looks through their sessions, if there is such a
    page, `wanted` whether the operator lets people be told; `per_hour` of how many new devices of an account, None if
    of any number.
    """

    store: Store
    clock: Clock
    texts: MailTexts
    sender: Mailbox
    places: Places
    page: str | None
    wanted: bool
    per_hour: int | None

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The notice; none for a browser, system and network that were seen before. Raises StoreUnavailable."""
        if not self.wanted:
            return Dropped("new device mail off")
        place = (delivery.stream_id, delivery.version)
        started = self.store.recorded([place]).get(place)
        if started is None or not isinstance(started.event, SessionStarted):
            return Dropped("unreadable")
        account = AccountLookups(self.store.statements).account(started.event.user_id)
        if account is None or account.person.email is None:
            return Dropped("account gone")
        if not is_unfamiliar(self.store, started.event.user_id, started):
            return Dropped("known device")
        told = 0
        if self.per_hour is not None:
            told = new_devices_told(self.store.statements, started.event.user_id, at_most=self.per_hour)
            if told >= self.per_hour:
                return Dropped("enough in an hour")
        values = NewDevice(
            at=started.at,
            device=device(started.command.user_agent),
            location=self.places(started.command.ip_address),
            ip_address=started.command.ip_address or "",
            page=self.page,
            last=told + 1 == self.per_hour,
        )
        recipient = account.person.email
        return self.texts.written(values, name=delivery.name, sender=self.sender, recipient=recipient, at=self.clock())
