"""The notice that an account has another password, to the person whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from api.setting_values import Mailbox
from domain import user
from domain.clock import Clock
from domain.events.catalogue import stored_names
from domain.store import Store
from domain.store.envelope import ActorKind, Recorded
from projections.deliveries.lately import passwords_told
from projections.deliveries.queue import Delivery
from projections.devices import device
from projections.lists.account_list import AccountLookups
from projections.places import Places

from .mail import Mail
from .mail_texts import MailTexts
from .mail_values import PasswordChanged
from .transport import Dropped

_REGAINING = [name for event in (user.EmailRestored, user.EmailVerified) for name in stored_names(event)]
_REGAINED = "SELECT FROM events WHERE stream_id = $1 AND command_id = $2 AND name = ANY($3) LIMIT 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordChangedMails:
    """Makes them of events in the stream of an account, whatever they are called that changed the password.

    Of how many changes by who knew the password one is told in an hour is `per_hour`, None if of any number: of all
    others always.
    """

    store: Store
    clock: Clock
    texts: MailTexts
    sender: Mailbox
    places: Places
    per_hour: int | None

    def compose(self, delivery: Delivery) -> Mail | Dropped:
        """The notice, to the address that the account has now. Raises StoreUnavailable."""
        place = (delivery.stream_id, delivery.version)
        changed = self.store.recorded([place]).get(place)
        account = AccountLookups(self.store.statements).account(delivery.stream_id)
        if changed is None or account is None or account.person.email is None:
            return Dropped("account gone")
        by_operator = changed.command.actor_kind is ActorKind.OPERATOR
        if isinstance(changed.event, user.PasswordChanged) and not by_operator and self.per_hour is not None:
            told = passwords_told(self.store.statements, delivery.stream_id, at_most=self.per_hour)
            if told >= self.per_hour:
                return Dropped("enough in an hour")
        values = PasswordChanged(
            at=changed.at,
            device=device(changed.command.user_agent),
            location=self.places(changed.command.ip_address),
            by_operator=by_operator,
            regained=self._regained(changed),
        )
        recipient = account.person.email
        return self.texts.written(values, name=delivery.name, sender=self.sender, recipient=recipient, at=self.clock())

    def _regained(self, changed: Recorded) -> bool:
        """Whether the same command gave the account its address back, or proved it."""
        found = self.store.statements.rows(_REGAINED, changed.stream_id, changed.command.command_id, _REGAINING)
        return bool(found)
