"""What commands about people and organizations work with: the context, over whichever database is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from api.edge.wire_time import to_wire
from api.settings import Settings
from domain.clock import now
from domain.commands.context import Context
from domain.commands.principal import Operator
from domain.email_address import canonical
from domain.passwords import HashingBusy, Passwords
from domain.refusals import AccountNotFound, Conflict, PasswordCompromised, PasswordTooLong, PasswordTooShort
from domain.store import Store
from domain.store.connections import Statements, open_pool
from projections import INLINE
from projections.lists.all_accounts import reserved
from projections.lookups import ListLookups
from projections.trails.printable import printable

from .configured import configured
from .database import keyring_of, reached
from .refusal import WontStart

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Email = Annotated[str | None, typer.Option(help="The address the person signs in with.")]
User = Annotated[str | None, typer.Option("--user", metavar="ID", help="The person's id, instead of the address.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the newest first.")]
After = Annotated[str | None, typer.Option(metavar="ID", help="Go on behind this one: the last of the page before.")]


@dataclass(frozen=True, kw_only=True)
class Operating:
    """An operator's command at work: one moment for all it does."""

    settings: Settings
    context: Context
    at: datetime

    @property
    def read(self) -> Statements:
        """For queries."""
        return self.context.store.statements

    @property
    def operator(self) -> Operator:
        """Who gives the command."""
        return Operator(at=self.at)

    @property
    def started_after(self) -> datetime | None:
        """Sessions that did not start after that have lived for as long as any may."""
        return self.context.lifetimes.started_after(self.at)

    def person(self, email: str | None, user: str | None) -> UUID:
        """Whom `--email` or `--user` means. Raises WontStart unless it is one of both, and somebody."""
        if (email is None) == (user is None):
            raise WontStart("Whom? Give --email or --user, one of them.")
        if user is not None:
            return id_in(user, "person")
        address = canonical(email or "")
        account = None
        if address is not None:
            account = self.context.lookups.account_by_email(self.context.keyring.email_hash(address))
        if account is None:
            who = None if address is None else self.reserved(address)
            raise WontStart(f"Nobody has an account with this address{f', but {who}' if who else ''}.")
        return account.person.user_id

    def reserved(self, address: str) -> str | None:
        """Of a canonical address that nobody has: who may have it back, as half a sentence, if anybody may."""
        found = reserved(self.read, self.context.keyring.email_hash(address), now=self.at)
        if found is None:
            return None
        return f"the account {found.user_id.hex} may have it back until {to_wire(found.until)}"

    def taken(self, address: str) -> str:
        """Why an address cannot be had by an account, in one sentence."""
        who = self.reserved(canonical(address) or "")
        return f"Nobody else can have this address: {who}." if who else "This address has an account."


@contextmanager
def operating() -> Iterator[Operating]:
    """Around an operator's command; what it is refused for is told in one sentence. Raises WontStart."""
    settings = configured()
    with reached(settings) as found:
        keyring = keyring_of(found, settings)
        passwords = Passwords(
            settings.argon2,
            threads=1,
            waiting=0,
            shortest=settings.password_minimum_length,
            strength=settings.strength,
        )
        try:
            with open_pool(found.application_url, size=2, name="daybook-operator") as pool, _told(settings):
                store = Store(pool, keyring, INLINE)
                context = Context(
                    store=store,
                    lookups=ListLookups(store.statements),
                    keyring=keyring,
                    passwords=passwords,
                    lifetimes=settings.lifetimes,
                )
                yield Operating(settings=settings, context=context, at=now())
        finally:
            passwords.close()


def id_in(text: str, whose: str) -> UUID:
    """An id as it is shown: 32 hex digits, also with hyphens between them. Raises WontStart."""
    try:
        return UUID(hex=text)
    except ValueError:
        article = "an" if whose[0] in "aeiou" else "a"
        raise WontStart(f"{text!r} is no id of {article} {whose}: those have 32 hex digits.") from None


def plainly() -> Console:
    """Where lines are written that people read: as they are, however long, and whatever is in a name."""
    return Console(highlight=False, soft_wrap=True, markup=False)


def typed(text: str | None) -> str:
    """What somebody typed, on one line; what was erased is said to be."""
    return "(erased)" if text is None else printable(text)


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    try:
        yield
    except AccountNotFound:
        raise WontStart("There is no open account with this id.") from None
    except PasswordTooShort:
        raise WontStart(f"A password has {settings.password_minimum_length} characters or more.") from None
    except PasswordTooLong:
        raise WontStart("A password has 128 characters at most.") from None
    except PasswordCompromised as weak:
        raise WontStart(weak.reason) from None
    except (Conflict, HashingBusy):
        raise WontStart("Others changed the same thing at the same time: try again.") from None
