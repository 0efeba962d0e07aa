"""Checking who somebody is: the one module that can say of an account that its holder proved it."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime

from domain.email_address import canonical
from domain.passwords import require_not_too_long
from domain.refusals import MalformedEmail, NoPassword, WrongCredentials, WrongPassword
from domain.session import Way
from domain.store import Loaded
from domain.store.conflicts import StreamMovedOn
from domain.store.credentials import rehash
from domain.user import User

from .context import Context
from .lookups import Account

_CHECKED = object()
"""What only this module has: no other way leads to a `VerifiedAccount`."""


@dataclass(frozen=True, slots=True)
class VerifiedAccount:
    """An account whose holder proved who they are, in this way, at this moment. Only checks in this module make one."""

    account: Account
    way: Way
    at: datetime
    checked: InitVar[object]

    def __post_init__(self, checked: object) -> None:
        if checked is not _CHECKED:
            raise TypeError("an account is verified by a check of its credentials only")


def verified_account(context: Context, *, email: str, password: str, now: datetime) -> VerifiedAccount:
    """The account with this address and password. Raises MalformedEmail, and as `verify_password`."""
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    account = context.lookups.account_by_email(context.keyring.email_hash(address))
    return verify_password(context, account, password, now=now)


def is_signed_up_again(context: Context, *, email: str, password: str) -> bool:
    """Whether who signs up with an address that is not proved has the account already: its password is theirs.

    Nobody is told the answer, so it serves no guessing. Raises HashingBusy.
    """
    address = canonical(email)
    account = None if address is None else context.lookups.account_by_email(context.keyring.email_hash(address))
    if account is None or account.person.email_verified or account.password_hash is None:
        return False
    return context.passwords.verify(account.password_hash, password)


def verify_password(context: Context, account: Account | None, password: str, *, now: datetime) -> VerifiedAccount:
    """The account, if there is one and this is its password; the same work and the same refusal if there is none.

    Raises PasswordTooLong, WrongCredentials, HashingBusy.
    """
    require_not_too_long(password)
    stored = None if account is None else account.password_hash
    if not context.passwords.verify(stored, password) or account is None or stored is None:
        raise WrongCredentials(None if account is None else account.person.user_id)
    if context.passwords.outdated(stored):
        rehash(context.store.statements, account.person.user_id, old=stored, new=context.passwords.hash(password))
    return VerifiedAccount(account, Way.PASSWORD, now, _CHECKED)


def confirm_password(context: Context, user: Loaded[User], password: str, *, now: datetime) -> VerifiedAccount:
    """The account of somebody who is let in already, if this is its password as the account stands.

    Raises WrongPassword, NoPassword, HashingBusy, StreamMovedOn.
    """
    account = context.lookups.account(user.stream_id)
    if account is None or account.password_version not in (None, user.state.password_version):
        # deleted meanwhile, or another password by now
        raise StreamMovedOn
    if account.password_hash is None:
        raise NoPassword
    if not context.passwords.verify(account.password_hash, password):
        raise WrongPassword(user.stream_id)
    return VerifiedAccount(account, Way.PASSWORD, now, _CHECKED)
