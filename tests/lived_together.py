"""Organizations that were lived through: people found them, invite each other, change, go, and close them again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.erasure import delete_account, erase_person
from domain.commands.membership import change_role, leave, remove_member, transfer_ownership
from domain.commands.organization import (
    choose_organization,
    close_organization,
    found_organization,
    update_organization,
)
from domain.commands.principal import Operator, PersonBySession
from domain.commands.session import sign_in
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.refusals import LastOwner
from domain.roles import Role
from tests.lived import Lives, through
from tests.people import PASSWORD

Newcomer = tuple[UUID, UUID, str]
"""Their user id, their session and their address."""


@dataclass
class LivesTogether(Lives):
    """As `Lives`, and in organizations. Everything there is about them happens in each, but that not each is closed."""

    organizations: list[UUID] = field(default_factory=list)

    def an_organization_lives(self, *, closing: bool) -> None:
        """From its founding on, with people nobody has heard of."""
        founder, admin, member, other = (self._newcomer() for _ in range(4))
        organization_id = self._founds(founder)
        self._invite(founder, organization_id, admin, "admin", accepting=True)
        member_id = self._invite(admin, organization_id, member, "member", accepting=True)
        self._declines(admin, organization_id, other)
        other_id = self._invite(admin, organization_id, other, ["member", "admin"], accepting=True)
        self._newcomer(invited_by=founder, to=organization_id)
        self._changes_role(founder, organization_id, member_id)
        remove_member(self.context, self._by(admin), organization_id=organization_id, membership_id=other_id)
        leave(self.context, self._by(member), organization_id=organization_id)
        self._invite(admin, organization_id, other, "member", accepting=False)
        self._gives_up(founder, admin, organization_id)
        if closing:
            close_organization(self.context, self._by(admin), organization_id=organization_id)
        else:
            self.organizations.append(organization_id)

    def _founds(self, founder: Newcomer) -> UUID:
        number = self.chances.randrange(10**9)
        organization_id, _ = found_organization(
            self.context,
            self._by(founder),
            name=f"Organization {number}",
            slug=f"organization-{number}",
            logo="https://example.com/logo.png",
            metadata='{"plan":"small"}',
            turning=True,
        )
        changes = {"name": "Another", "slug": f"another-{number}", "logo": None, "metadata": None}
        assert update_organization(self.context, self._by(founder), organization_id=organization_id, changes=changes)
        return organization_id

    def _declines(self, by: Newcomer, organization_id: UUID, invited: Newcomer) -> None:
        """Invited four times: rejected, taken back, run out, and sent anew in time."""
        link = self._send(by, organization_id, invited[2], "member")
        received_invitation.reject(self.context, self._by(invited), link=link)
        link = self._send(by, organization_id, invited[2], "member")
        invitations.cancel(self.context, self._by(by), link=link)
        self._send(by, organization_id, invited[2], "member", lifetime=timedelta(hours=1))
        self.now += timedelta(hours=1)
        self._send(by, organization_id, invited[2], "member")
        link = self._send(by, organization_id, invited[2], "member", resend=True)
        invitations.cancel(self.context, self._by(by), link=link)

    def _changes_role(self, by: Newcomer, organization_id: UUID, membership_id: UUID) -> None:
        roles = (Role.ADMIN, Role.MEMBER)
        assert change_role(
            self.context, self._by(by), organization_id=organization_id, membership_id=membership_id, roles=roles
        )

    def _gives_up(self, founder: Newcomer, admin: Newcomer, organization_id: UUID) -> None:
        """One organization goes to the admin, and so does that which came with the founder's account."""
        [[membership_id]] = self.context.store.statements.rows(
            "SELECT membership_id FROM member_list WHERE organization_id = $1 AND user_id = $2",
            organization_id,
            admin[0],
        )
        transfer_ownership(
            self.context, self._by(founder), organization_id=organization_id, membership_id=membership_id
        )
        [[personal]] = self.context.store.statements.rows(
            "SELECT organization_id FROM organization_list WHERE personal_organization = $1", founder[0]
        )
        self._invite(founder, personal, admin, "owner", accepting=True)
        leave(self.context, self._by(founder), organization_id=personal)
        assert choose_organization(self.context, self._by(founder), organization_id=None)

    def _invite(
        self, by: Newcomer, organization_id: UUID, invited: Newcomer, role: str | list[str], *, accepting: bool
    ) -> UUID:
        """The membership if accepted, else the organization's id."""
        link = self._send(by, organization_id, invited[2], role)
        if not accepting:
            return organization_id
        return received_invitation.accept(self.context, self._by(invited), link=link).membership_id

    def _send(
        self,
        by: Newcomer,
        organization_id: UUID,
        email: str,
        role: str | list[str],
        *,
        resend: bool = False,
        lifetime: timedelta = timedelta(days=7),
    ) -> str:
        context = replace(self.context, rules=replace(self.context.rules, invitation_lifetime=lifetime))
        invitation_id = invitations.invite(
            context, self._by(by), organization_id=organization_id, email=email, role=role, resend=resend
        )
        return self.context.keyring.invitation_link(invitation_id)

    def _newcomer(self, *, invited_by: Newcomer | None = None, to: UUID | None = None) -> Newcomer:
        """Somebody who signs up, by an invitation if they have one."""
        email = f"newcomer{len(self.people)}.{self.chances.randrange(10**12)}@example.com"
        link = None if invited_by is None or to is None else self._send(invited_by, to, email, "member")
        self.now += timedelta(minutes=1)
        signed_in = sign_up(
            self.context,
            email=email,
            name=f"Newcomer {len(self.people)}",
            image=None,
            password=PASSWORD,
            remembered=True,
            link=link,
            now=self.now,
            where_from=self.somewhere(),
        )
        user_id = self.people[email] = signed_in.person.user_id
        self.passwords[user_id] = PASSWORD
        self._enter(user_id)
        return user_id, next(reversed(self.sessions)), email

    def _by(self, who: Newcomer) -> PersonBySession:
        """What somebody does a minute later."""
        self.now += timedelta(minutes=1)
        return PersonBySession(user_id=who[0], session_id=who[1], at=self.now, where_from=self.somewhere())

    def somebody_is_erased(self, *, by_operator: bool = False) -> UUID | None:
        """One of those who have signed up deletes their account, or the operator does; nobody if others need them."""
        email = self.chances.choice(list(self.people))
        user_id = self.people[email]
        try:
            if by_operator:
                erase_person(self.context, Operator(at=self.now), user_id=user_id)
            else:
                account = verified_account(self.context, email=email, password=self.passwords[user_id], now=self.now)
                sign_in(self.context, account, remembered=True, now=self.now, where_from=self.somewhere())
                self._enter(user_id)
                session_id = next(reversed(self.sessions))
                principal = through(self.context, session_id, now=self.now, where_from=self.somewhere())
                delete_account(self.context, principal, password=None)
        except LastOwner:
            return None
        del self.people[email], self.passwords[user_id]
        self.sessions = {one: whose for one, whose in self.sessions.items() if whose != user_id}
        return user_id

    def somebody_comes_and_goes(self) -> UUID:
        """From signing up to being erased: with an organization of their own, one of somebody else's, invitations."""
        friend, going, third = (self._newcomer() for _ in range(3))
        self._founds(going)
        shared, open_still = self._founds(friend), self._founds(third)
        self._invite(friend, shared, going, "admin", accepting=True)
        self._declines(friend, shared, third)
        self._invite(going, shared, third, "member", accepting=False)
        self._invite(third, open_still, going, "member", accepting=False)
        self._gives_up_personal(going, to=friend)
        delete_account(self.context, self._by(going), password=None)
        del self.people[going[2]], self.passwords[going[0]]
        self.sessions = {one: whose for one, whose in self.sessions.items() if whose != going[0]}
        return going[0]

    def _gives_up_personal(self, owner: Newcomer, *, to: Newcomer) -> None:
        """The organization that came with an account has a second owner."""
        [[personal]] = self.context.store.statements.rows(
            "SELECT organization_id FROM organization_list WHERE personal_organization = $1", owner[0]
        )
        self._invite(owner, personal, to, "owner", accepting=True)
