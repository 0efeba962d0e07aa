"""Sign-ups as the command appends them, without the password's hashing: four streams, five events, six rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.clock import now
from domain.commands.organization import personal_organization
from domain.events.keys import token_hash
from domain.ids import new_id, new_token
from domain.session import Lifetimes, Session, Way
from domain.store import Addition, Store, Subject
from domain.store.credentials import first_credentials
from domain.store.envelope import CommandRecord, WhereFrom
from domain.store.rows import Write
from domain.user import User

_HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "s" * 22 + "$" + "h" * 43
_WHERE_FROM = WhereFrom("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """One person's sign-up, ready to be appended; `email_hash`, `token_hash` and `slug_hash` must be new each time."""

    token: str = field(repr=False)
    email_hash: bytes
    token_hash: bytes
    slug_hash: bytes
    organization_id: UUID
    command: CommandRecord
    owner: Subject
    additions: tuple[Addition, ...]
    credentials: Write

    def append(self, store: Store) -> None:
        """In one commit."""
        store.append(self.command, self.owner, *self.additions, writes=[self.credentials])


def sign_up(store: Store, token: str = "") -> SignUp:
    """The sign-up of somebody new. Without a token the session cannot be used, and is made faster."""
    owner, at, session_id = store.new_subject(new_id()), now(), new_id()
    email_hash = token_hash(owner.subject_id.hex)  # as random as the keyed one
    email = f"ada.{owner.subject_id.hex[-12:]}@example.com"
    organization_id, founding = personal_organization(store.keyring, owner.subject_id, name="Ada Lovelace", email=email)
    secret = token_hash(token or session_id.hex)
    started = Session.start(
        user_id=owner.subject_id,
        token_hash=secret,
        way=Way.PASSWORD,
        epoch=0,
        expires_at=at + Lifetimes.full,
        organization_id=organization_id,
    )
    return SignUp(
        token=token,
        email_hash=email_hash,
        token_hash=secret,
        slug_hash=founding[0].events[0].slug_hash,
        organization_id=organization_id,
        command=CommandRecord.by_user(owner.subject_id, session_id=session_id, at=at, where_from=_WHERE_FROM),
        owner=owner,
        additions=(
            Addition(
                owner.subject_id,
                0,
                User.sign_up(email=email, name="Ada Lovelace", image=None, email_hash=email_hash),
                owner,
            ),
            *founding,
            Addition(session_id, 0, started),
        ),
        credentials=first_credentials(owner.subject_id, password_version=1, password_hash=_HASH),
    )


def signed_in(store: Store, person: SignUp) -> None:
    """One more session of somebody, on another device."""
    session_id, at = new_id(), now()
    started = Session.start(
        user_id=person.owner.subject_id,
        token_hash=token_hash(session_id.hex),
        way=Way.PASSWORD,
        epoch=0,
        expires_at=at + Lifetimes.full,
        organization_id=person.organization_id,
    )
    command = CommandRecord.by_user(person.owner.subject_id, session_id=session_id, at=at, where_from=_WHERE_FROM)
    store.append(command, store.subject(person.owner.subject_id), Addition(session_id, 0, started))


def signed_up(store: Store) -> str:
    """The token of a session that really lives."""
    one = sign_up(store, new_token())
    one.append(store)
    return one.token
