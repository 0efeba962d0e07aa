"""People with many devices: the sessions are begun by the real command, which is spared only the password's hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.clock import now
from domain.commands.context import Context
from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.events.keys import token_hash
from domain.store.envelope import WhereFrom
from tests.api.browser import Browser
from tests.people import PASSWORD
from tests.server import Server

HERE = WhereFrom("127.0.0.1", "")
"""From where the server is asked, by no browser anybody knows."""


@dataclass(frozen=True)
class Device:
    """A session: its secret, and its id."""

    token: str = field(repr=False)
    session_id: UUID


@dataclass
class Owner:
    """A person with an account; `password` is the one that is right now."""

    email: str
    user_id: UUID
    password: str = PASSWORD


def joined(server: Server, email: str) -> Owner:
    """A person who signed up."""
    answer = Browser(server.url).sign_up(email)
    return Owner(email, UUID(hex=answer.json()["user"]["id"]))


def signed_in(context: Context, owner: Owner, *, remembered: bool = True) -> Device:
    """Another device of theirs."""
    verified = verified_account(context, email=owner.email, password=owner.password, now=now())
    token = sign_in(context, verified, remembered=remembered, now=now(), where_from=HERE).token
    session_id = context.lookups.live_session(owner.user_id, session_id=None, token_hash=token_hash(token))
    assert session_id is not None
    return Device(token, session_id)
