"""The product in plain dicts, as the contract has it: knows nothing of aggregates, projections or tables."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.store.envelope import WhereFrom

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)

Story = list[tuple[int, dict[str, Any]]]
"""For each entry about something, by its number: what is true after it."""


class Change(NamedTuple):
    """One entry of the log: what it says of one thing, and whom it concerns."""

    thing: str
    thing_id: UUID
    person: UUID
    organization: UUID | None
    says: dict[str, Any]


@dataclass
class Model:
    """Accounts and sessions (wire.md A1-A3, A25, §8, §9, §12). A person has `at_most` so many sessions."""

    at_most: int | None = None
    changes: list[Change] = field(default_factory=list)
    people: dict[UUID, UUID] = field(default_factory=dict)
    accounts: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[UUID, str] = field(default_factory=dict)
    sessions: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def account_opened(
        self, user_id: UUID, organization_id: UUID, membership_id: UUID, *, email: str, name: str, image: str | None,
        password: str, now: datetime,
    ) -> None:  # fmt: skip
        """An account, its organization, and its owner's place in it."""
        account = {
            "user_id": user_id,
            "email": email,
            "name": name,
            "image": image,
            "language": None,
            "email_verified": False,
        }
        account |= {"key_epoch": 0}
        account |= {"email_contested": False, "session_epoch": 0, "password_version": 1, "password_changed_at": None}
        account |= {"created_at": now, "updated_at": now, "ended_at": None}
        organization = {
            "organization_id": organization_id,
            "name": f"{name or email.split('@')[0]}'s Organization",
            "slug": f"org-{str(organization_id).replace('-', '')[-16:]}",
            "logo": None,
            "metadata": None,
            "created_at": now,
            "ended_at": None,
        }
        membership = {
            "membership_id": membership_id,
            "organization_id": organization_id,
            "user_id": user_id,
            "role": "owner",
            "joined_at": now,
            "ended_at": None,
        }
        self.people[user_id], self.accounts[user_id], self.passwords[user_id] = organization_id, {}, password
        self._of_account(user_id, account)
        self.changes += [
            Change("organizations", organization_id, user_id, organization_id, organization),
            Change("memberships", membership_id, user_id, organization_id, membership),
        ]

    def device_signed_in(
        self, session_id: UUID, user_id: UUID, *, remembered: bool, where_from: WhereFrom, now: datetime,
        organization_id: UUID | None,
    ) -> None:  # fmt: skip
        """A session of seven days or of one, which then turns to an organization."""
        session = {
            "session_id": session_id,
            "user_id": user_id,
            "way": "password",
            "epoch": self.accounts[user_id]["session_epoch"],
            "organization_id": None,
            "organization_chosen_at": None,
            "ip_address": where_from.ip_address,
            "user_agent": where_from.user_agent,
            "moved_at": None,
            "moved_ip_address": None,
            "moved_user_agent": None,
            "created_at": now,
            "updated_at": now,
            "authenticated_at": now,
            "expires_at": now + (WEEK if remembered else DAY),
            "ended_at": None,
            "end_reason": None,
        }
        self.sessions[session_id] = dict(session)
        self._of_session(session_id, session)
        if organization_id is not None:
            chosen = {"organization_id": organization_id, "organization_chosen_at": now, "updated_at": now}
            self._of_session(session_id, chosen)

    def room_made(self, user_id: UUID, now: datetime) -> None:
        """The oldest sessions beyond the limit end."""
        living = [one for one in self.sessions.values() if one["user_id"] == user_id and self.lives(one, now)]
        surplus = 0 if self.at_most is None else max(0, len(living) - self.at_most)
        for one in sorted(living, key=lambda one: (one["created_at"], one["session_id"]))[:surplus]:
            self._ended(one["session_id"], "crowded_out", now)

    def known(self, session: dict[str, Any]) -> bool:
        """Whether nobody has ended it, alone or with all others; its time may be up."""
        return session["ended_at"] is None and session["epoch"] == self.accounts[session["user_id"]]["session_epoch"]

    def lives(self, session: dict[str, Any], now: datetime) -> bool:
        """Whether one is let in with it."""
        return self.known(session) and now < session["expires_at"]

    def device_came_back(self, session_id: UUID, *, reading: bool, where_from: WhereFrom, now: datetime) -> bool:
        """Extended to seven days if the last extension was a day ago, and noted where it is; whether anything was."""
        session, before = self.sessions[session_id], len(self.changes)
        if now - (session["expires_at"] - WEEK) >= DAY:
            self._of_session(session_id, {"expires_at": now + WEEK, "updated_at": now})
        shown = {"ip_address": where_from.ip_address, "user_agent": where_from.user_agent}
        known = {what: value for what, value in shown.items() if value}
        new = any(value != (session[f"moved_{what}"] or session[what]) for what, value in known.items())
        if new and (not reading or now - (session["moved_at"] or session["created_at"]) >= HOUR):
            moved = {f"moved_{what}": value for what, value in known.items()}
            self._of_session(session_id, moved | {"moved_at": now, "updated_at": now})
        return len(self.changes) > before

    def time_is_up(self, session_id: UUID, now: datetime) -> bool:
        """What has run out is over; whether it has."""
        return now >= self.sessions[session_id]["expires_at"] and self._ended(session_id, "expired", now)

    def device_signed_out(self, session_id: UUID, now: datetime) -> bool:
        """Over, for good; whether it was not yet."""
        return self._ended(session_id, "signed_out", now)

    def session_revoked(self, session_id: UUID, now: datetime) -> bool:
        """Over, for good; whether there was such a session."""
        return self.known(self.sessions[session_id]) and self._ended(session_id, "revoked", now)

    def sessions_revoked(self, user_id: UUID, *, but: UUID | None, now: datetime) -> None:
        """All are over, but one if so said."""
        epoch = self.accounts[user_id]["session_epoch"] + 1
        self._of_account(user_id, {"session_epoch": epoch})
        if but is not None:
            self._of_session(but, {"epoch": epoch, "updated_at": now})

    def password_confirmed(self, session_id: UUID, now: datetime) -> None:
        """The session is fresh."""
        self._of_session(session_id, {"authenticated_at": now, "updated_at": now})

    def password_changed(self, session_id: UUID, password: str, *, revoking: bool, now: datetime) -> None:
        """Another one holds from now on; `revoking` ends all sessions, the one asking is to be replaced."""
        user_id = self.sessions[session_id]["user_id"]
        self.passwords[user_id] = password
        version = self.accounts[user_id]["password_version"] + 1
        self._of_account(user_id, {"password_version": version, "password_changed_at": now})
        if revoking:
            self.sessions_revoked(user_id, but=None, now=now)
            self._ended(session_id, "replaced", now)

    def person_changed(self, user_id: UUID, now: datetime, **given: str | None) -> bool:
        """Another name, another image; whether anything is different."""
        before = len(self.changes)
        for what, value in given.items():
            if self.accounts[user_id][what] != value:
                self._of_account(user_id, {what: value, "updated_at": now})
        return len(self.changes) > before

    def language_chosen(self, user_id: UUID, language: str) -> bool:
        """Pages in another language; whether it is another one. Nobody is shown that as a change of the account."""
        if self.accounts[user_id]["language"] == language:
            return False
        self._of_account(user_id, {"language": language})
        return True

    def of_a_person(self, user_id: UUID, through: int) -> Story:
        """All that is theirs."""
        empty: dict[str, Any] = {
            "account": None,
            "sessions": {},
            "organizations": {},
            "memberships": {},
            "invitations": {},
            "api_keys": {},
        }
        return self._told(empty, lambda change: change.person == user_id, through)

    def of_an_organization(self, organization_id: UUID, through: int) -> Story:
        """Itself, and who belongs to it."""
        empty: dict[str, Any] = {"organization": None, "memberships": {}, "invitations": {}}
        return self._told(empty, lambda change: change.organization == organization_id, through)

    def of_a_session(self, session_id: UUID, through: int) -> Story:
        """Itself."""
        return self._told({"session": None}, lambda change: change.thing_id == session_id, through)

    def _told(self, state: dict[str, Any], about: Callable[[Change], bool], through: int) -> Story:
        told = []
        for number, change in enumerate(self.changes[: through + 1]):
            if about(change):
                if change.thing in state and change.thing.endswith("s"):
                    state[change.thing].setdefault(change.thing_id, {}).update(change.says)
                else:
                    alone = change.thing.removesuffix("s")
                    state[alone] = (state[alone] or {}) | change.says
                told.append((number, deepcopy(state)))
        return told

    def _ended(self, session_id: UUID, reason: str, now: datetime) -> bool:
        if self.sessions[session_id]["ended_at"] is not None:
            return False
        self._of_session(session_id, {"ended_at": now, "end_reason": reason})
        return True

    def _of_account(self, user_id: UUID, says: dict[str, Any]) -> None:
        self.accounts[user_id].update(says)
        self.changes.append(Change("account", user_id, user_id, None, says))

    def _of_session(self, session_id: UUID, says: dict[str, Any]) -> None:
        self.sessions[session_id].update(says)
        self.changes.append(Change("sessions", session_id, self.sessions[session_id]["user_id"], None, says))
