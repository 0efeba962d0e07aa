"""The kinds of mail, and what each says beside its words: a class for each, so that none can be written without it.

Every moment is aware, in UTC. How a value is shown is said here and not by whoever writes a template: what a field is
declared as decides. Text that is declared as nothing else is data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

from .inert import as_address, as_ip_address, as_link, as_moment, as_name, as_text

Link = Annotated[str, as_link]
"""A URL made of settings, never of what a request says."""
Address = Annotated[str, as_address]
IpAddress = Annotated[str, as_ip_address]
Organization = Annotated[str | None, partial(as_name, otherwise="an organization")]
"""What people called it; None once that was erased."""


@dataclass(frozen=True, kw_only=True)
class MailValues:
    """What one mail says."""

    kind: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Invitation(MailValues):
    """Somebody is invited into an organization; `role` may be several, comma-separated."""

    kind = "invitation"
    inviter_email: Address | None
    organization: Organization
    role: str
    recipient: Address
    link: Link
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class PasswordReset(MailValues):
    """Somebody forgot their password. If the account is `contested`, another one was to be opened with its address,
    which a new password proves.
    """

    kind = "password-reset"
    link: Link
    expires_at: datetime
    contested: bool = False


@dataclass(frozen=True, kw_only=True)
class EmailVerification(MailValues):
    """Whether an address is who says so's: who opened the account then, from there; "" where nothing is known of it."""

    kind = "email-verification"
    link: Link
    expires_at: datetime
    opened_at: datetime
    device: str
    location: str


@dataclass(frozen=True, kw_only=True)
class EmailChangeConfirmation(MailValues):
    """To the address that an account is to have."""

    kind = "email-change-confirmation"
    link: Link
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class EmailChangeNotice(MailValues):
    """To the address that an account had until then: which it has now, since when, and from where that was confirmed;
    both "" where nothing is known of it.
    """

    kind = "email-change-notice"
    new_address: Address
    undo_link: Link
    undo_until: datetime
    at: datetime
    device: str
    location: str


@dataclass(frozen=True, kw_only=True)
class EmailChangeUndone(MailValues):
    """To the address that an account lost when a change was undone. Of its person it says nothing."""

    kind = "email-change-undone"
    at: datetime


@dataclass(frozen=True, kw_only=True)
class NewDevice(MailValues):
    """A sign-in from where the account was never seen. `location` is "" where nothing is known of it; `page` is where
    sessions are looked through, if there is such a page; `last` that no further one is told of within the hour.
    """

    kind = "new-device"
    at: datetime
    device: str
    location: str
    ip_address: IpAddress
    page: Link | None
    last: bool


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(MailValues):
    """Another password, and from where; both "" where nothing is known of it.

    `regained` if somebody else may have had the account until then, and have invited people.
    """

    kind = "password-changed"
    at: datetime
    device: str
    location: str
    by_operator: bool
    regained: bool


@dataclass(frozen=True, kw_only=True)
class AccountDeletion(MailValues):
    """Whether an account is really to go. `changed_to` is its address, where who had it before is asked instead."""

    kind = "account-deletion"
    link: Link
    expires_at: datetime
    changed_to: Address | None


@dataclass(frozen=True, kw_only=True)
class AccountDeleted(MailValues):
    """The last there is to say."""

    kind = "account-deleted"
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignUpAttempt(MailValues):
    """To who has an account that somebody tried to open; `contested` if its address is not proved."""

    kind = "sign-up-attempt"
    at: datetime
    contested: bool


_AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
_LATER = datetime(2026, 3, 14, 13, 0, tzinfo=UTC)
_LINK = "https://accounts.example.com/page?token=0123456789abcdef0123456789abcdef"

EXAMPLES: Mapping[str, tuple[MailValues, ...]] = {
    examples[0].kind: examples
    for examples in (
        (
            Invitation(
                inviter_email="ada@example.com",
                organization="Analytical Engines",
                role="member",
                recipient="bo@example.com",
                link=_LINK,
                expires_at=_LATER,
            ),
            Invitation(
                inviter_email=None,
                organization=None,
                role="member, admin",
                recipient="bo@example.com",
                link=_LINK,
                expires_at=_LATER,
            ),
        ),
        (
            PasswordReset(link=_LINK, expires_at=_LATER, contested=False),
            PasswordReset(link=_LINK, expires_at=_LATER, contested=True),
        ),
        (
            EmailVerification(
                link=_LINK, expires_at=_LATER, opened_at=_AT, device="Firefox 132 on Linux", location="Iceland"
            ),
            EmailVerification(link=_LINK, expires_at=_LATER, opened_at=_AT, device="", location=""),
        ),
        (EmailChangeConfirmation(link=_LINK, expires_at=_LATER),),
        (
            EmailChangeNotice(
                new_address="ada@example.net",
                undo_link=_LINK,
                undo_until=_LATER,
                at=_AT,
                device="Firefox 132 on Linux",
                location="Iceland",
            ),
            EmailChangeNotice(
                new_address="ada@example.net", undo_link=_LINK, undo_until=_LATER, at=_AT, device="", location=""
            ),
        ),
        (EmailChangeUndone(at=_AT),),
        (
            NewDevice(
                at=_AT, device="Chrome 130 on macOS", location="Germany", ip_address="192.0.2.7", page=_LINK, last=False
            ),
            NewDevice(at=_AT, device="", location="", ip_address="", page=None, last=True),
        ),
        (
            PasswordChanged(
                at=_AT, device="Firefox 132 on Linux", location="Iceland", by_operator=False, regained=True
            ),
            PasswordChanged(at=_AT, device="", location="", by_operator=True, regained=False),
        ),
        (
            AccountDeletion(link=_LINK, expires_at=_LATER, changed_to="ada@example.net"),
            AccountDeletion(link=_LINK, expires_at=_LATER, changed_to=None),
        ),
        (AccountDeleted(at=_AT),),
        (SignUpAttempt(at=_AT, contested=False), SignUpAttempt(at=_AT, contested=True)),
    )
}
"""Of each kind, with everything it may say and with as little: the first is the one to look at."""


def shown(values: MailValues) -> dict[str, object]:
    """The values by their names, as a template is given them. Raises ValueError for a link that is none."""
    hints = get_type_hints(type(values), include_extras=True)
    return {field.name: _shown_as(hints[field.name])(getattr(values, field.name)) for field in fields(values)}


def links_needed(values: MailValues) -> dict[str, str]:
    """The links without which the mail is of no use, by their names: those that every mail of its kind has."""
    hints = get_type_hints(type(values), include_extras=True)
    return {name: getattr(values, name) for name, hint in hints.items() if as_link in getattr(hint, "__metadata__", ())}


def _shown_as(hint: Any) -> Callable[[Any], object]:
    """What makes of a field's value what is shown of it."""
    said = [made for one in (hint, *get_args(hint)) for made in getattr(one, "__metadata__", ())]
    if said:
        # what may be missing is for the template to ask for, but where the field knows what stands for it
        of_none = isinstance(said[0], partial)
        return lambda value: None if value is None and not of_none else said[0](value)
    by_type: dict[Any, Callable[[Any], object]] = {str: as_text, datetime: as_moment, bool: bool}
    return by_type[hint]
