"""Commands about sessions: signing in, staying signed in, signing out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.chance import new_id, new_token
from domain.email_address import canonical
from domain.events.catalogue import SESSION
from domain.events.keys import token_hash
from domain.passwords import require_not_too_long
from domain.refusals import MalformedEmail, WrongCredentials
from domain.session import EndReason, Session, Way
from domain.store import Addition
from domain.store.conflicts import decided_again
from domain.store.credentials import rehash
from domain.store.envelope import Command, WhereFrom

from .context import Context
from .lookups import Account, Person
from .organization import personal_organization


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A device was signed in. The token is its secret: it goes to the device and is kept nowhere else."""

    person: Person
    token: str = field(repr=False)


def new_session(
    context: Context, *, user_id: UUID, epoch: int, remembered: bool, organization_id: UUID, now: datetime
) -> tuple[UUID, str, Addition]:
    """The id of a new session, its secret, and what starts it."""
    session_id, token = new_id(), new_token()
    started = Session.start(
        user_id=user_id,
        token_hash=token_hash(token),
        way=Way.PASSWORD,
        epoch=epoch,
        lifetime=context.lifetimes.full if remembered else context.lifetimes.brief,
        organization_id=organization_id,
        now=now,
    )
    return session_id, token, Addition(session_id, 0, started)


def verified_account(context: Context, *, email: str, password: str) -> Account:
    """The account with this address and password; the same work and the same refusal if there is none.

    Raises MalformedEmail, PasswordTooLong, WrongCredentials, HashingBusy.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    require_not_too_long(password)
    account = context.lookups.account_by_email(context.keyring.email_hash(address))
    stored = None if account is None else account.password_hash
    if not context.passwords.verify(stored, password) or account is None or stored is None:
        raise WrongCredentials(None if account is None else account.person.user_id)
    if context.passwords.outdated(stored):
        rehash(context.store.statements, account.person.user_id, old=stored, new=context.passwords.hash(password))
    return account


@decided_again
def sign_in(context: Context, account: Account, *, remembered: bool, now: datetime, where_from: WhereFrom) -> SignedIn:
    """Sign a device in to a verified account, turned to the organization it last chose (wire.md A5).

    Who belongs to none gets the personal one in the same commit (A4). The account is not guarded: its epoch, read with
    the hash that was verified, decides whether the session lives. Raises SubjectGone, Conflict.
    """
    person, founding = account.person, list[Addition]()
    organization_id = context.lookups.organization_to_start_in(person.user_id)
    if organization_id is None:
        organization_id, founding = personal_organization(
            account.subject, name=person.name or "", email=person.email or ""
        )
    session_id, token, started = new_session(
        context,
        user_id=person.user_id,
        epoch=account.session_epoch,
        remembered=remembered,
        organization_id=organization_id,
        now=now,
    )
    context.store.append(
        Command.by_user(person.user_id, session_id=session_id, at=now, where_from=where_from),
        account.subject,
        *founding,
        started,
    )
    return SignedIn(person=person, token=token)


@decided_again
def renew_session(context: Context, *, session_id: UUID, now: datetime, where_from: WhereFrom) -> bool:
    """Extend a session whose refresh window has passed; whether it was extended.

    Raises SessionOver, SubjectGone, Conflict.
    """
    session = context.store.load(SESSION, session_id)
    user_id = session.state.user_id
    return context.store.append(
        Command.by_user(user_id, session_id=session_id, at=now, where_from=where_from),
        context.store.subject(user_id),
        session.then(session.state.renew(lifetimes=context.lifetimes, now=now)),
    )


@decided_again
def sign_out(context: Context, *, session_id: UUID, now: datetime, where_from: WhereFrom) -> bool:
    """End a session; whether it still lived. Raises SubjectGone, Conflict."""
    session = context.store.load(SESSION, session_id)
    user_id = session.state.user_id
    return context.store.append(
        Command.by_user(user_id, session_id=session_id, at=now, where_from=where_from),
        context.store.subject(user_id),
        session.then(session.state.end(reason=EndReason.SIGNED_OUT)),
    )
