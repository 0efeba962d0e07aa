"""Organizations of three people, lived through at random, against a model of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from domain.commands import invitation as invitations
from domain.commands import membership as members
from domain.commands import received_invitation
from domain.commands.organization import choose_organization, close_organization, update_organization
from domain.events.catalogue import INVITATION
from domain.roles import roles_in
from tests.databases import Database
from tests.domain.commands.examples import live
from tests.domain.commands.organization_model import LIFETIME
from tests.domain.commands.three_people import PEOPLE, ThreePeople
from tests.lived import context_over

EXAMPLES, STEPS = 500, 25
MS, DAY = timedelta(milliseconds=1), timedelta(days=1)
ROLES = ("member", "admin", "owner", "admin,member", "owner, admin")
SAID = (*ROLES, *ROLES, "", "nobody", "admin,nobody")

somebody = st.integers(0, 9)
anybody = st.integers(0, PEOPLE)
which = st.integers(0, 24)
roles = st.sampled_from(ROLES)
slugs = st.sampled_from(["first", "second"])
CHANGES: tuple[dict[str, str | None], ...] = (
    {"name": "Other"},
    {"logo": "https://example.com/logo.png"},
    {"logo": None},
    {"metadata": '{"plan":"large"}'},
    {"metadata": None, "name": "Acme"},
    {},
)
while_one_is_invited = precondition(lambda machine: machine.invitations)
while_one_is_closed = precondition(lambda machine: sum(one.open for one in machine.model.organizations) < 2)


class Organizations(ThreePeople):
    """What they do, in the product and in the model; and that time passes."""

    @initialize(
        most_members=st.sampled_from([None, None, None, 2]),
        most_pending=st.sampled_from([None, None, 1]),
        joined=st.lists(st.tuples(st.integers(0, 1), st.integers(0, PEOPLE - 1), roles), max_size=4),
    )
    def three_people_sign_up_and_some_join(
        self, most_members: int | None, most_pending: int | None, joined: list[tuple[int, int, str]]
    ) -> None:
        self.sign_up(most_members, most_pending)
        for which, address, role in joined:
            self.an_owner_takes_somebody_in(which, address, role, soon=True)

    @rule(by=st.sampled_from([MS, DAY, LIFETIME - MS, LIFETIME]))
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @while_one_is_closed
    @rule(person=somebody, slug=slugs)
    def an_organization_is_founded(self, person: int, slug: str) -> None:
        self.found(person % PEOPLE, slug)

    @rule(person=somebody, which=which, changes=st.sampled_from(CHANGES), slug=st.none() | slugs)
    def an_organization_is_changed(
        self, person: int, which: int, changes: dict[str, str | None], slug: str | None
    ) -> None:
        at = self.organization(which)
        person = self.actor(person, at)
        changes = changes if slug is None else changes | {"slug": self.slug(slug)}
        told = self.told(
            update_organization,
            self.context,
            self.by(person),
            organization_id=self.organizations[at],
            changes=changes,
        )
        assert told == self.model.update(person, at, changes)

    @rule(person=somebody, which=which, really=st.sampled_from([True, False, False, False, False]))
    def an_organization_is_closed(self, person: int, which: int, *, really: bool) -> None:
        at = self.organization(which)
        person = self.actor(person, at)
        owns = (own := self.model.place(at, person)) is not None and "owner" in own.roles
        if owns and not really:
            return
        told = self.told(close_organization, self.context, self.by(person), organization_id=self.organizations[at])
        assert told == self.model.close(person, at)

    @rule(person=somebody, which=st.none() | which)
    def somebody_turns_to_an_organization(self, person: int, which: int | None) -> None:
        at = None if which is None else self.organization(which)
        person = person % PEOPLE if at is None else self.actor(person, at)
        organization_id = None if at is None else self.organizations[at]
        told = self.told(choose_organization, self.context, self.by(person), organization_id=organization_id)
        assert told == self.model.turn(person, at)

    @rule(person=somebody, which=which, address=anybody, role=st.sampled_from(SAID), resend=st.booleans())
    def somebody_is_invited(self, person: int, which: int, address: int, role: str, *, resend: bool) -> None:
        at = self.organization(which)
        person = self.actor(person, at)
        told = self.told(self._invite, person, at, address, role, resend=resend)
        expected = self.model.invite(person, at, address, role, resend=resend, now=self.now)
        assert told == expected

    @rule(which=which, address=anybody, role=roles, soon=st.sampled_from([True, True, False]))
    def an_owner_takes_somebody_in(self, which: int, address: int, role: str, *, soon: bool) -> None:
        """Mostly one who does not belong to it; they accept as long as that goes, or after a week."""
        at, before = self.organization(which), len(self.invitations)
        members = [one.person for one in self.model.of(at)]
        outside = [person for person in range(PEOPLE) if person not in members]
        owners = [number for number, one in enumerate(self.model.of(at)) if "owner" in one.roles]
        address = outside[address % len(outside)] if outside else address
        self.somebody_is_invited(owners[0], which, address, role, resend=False)
        self.now += MS if soon else LIFETIME
        if len(self.invitations) > before:
            self.an_invitation_is_accepted(address, 0, own=True)

    @rule(
        which=which,
        role=st.sampled_from(["member", "admin", "owner"]),
        going=st.sampled_from([None, "admin", "member"]),
    )
    def an_invitation_outlives_the_right_to_it(self, which: int, role: str, going: str | None) -> None:
        """An admin who came for it invites, and then is no more than that, or gone; after that it is accepted."""
        at = self.organization(which)
        outside = [person for person in range(PEOPLE) if person not in [one.person for one in self.model.of(at)]]
        if len(outside) < 2:
            return
        self.an_owner_takes_somebody_in(which, 0, "admin", soon=True)
        sender, before = self.model.place(at, outside[0]), len(self.invitations)
        if sender is None:
            return
        here, number = self.model.of(at), self.model.memberships.index(sender)
        owner = next(one.person for one in here if "owner" in one.roles)
        self.change_role(owner, at, number, "owner")
        self.somebody_is_invited(here.index(sender), which, outside[1], role, resend=False)
        if going is None:
            self.remove(owner, at, number)
        else:
            self.change_role(owner, at, number, going)
        if len(self.invitations) > before:
            self.an_invitation_is_accepted(outside[1], 0, own=True)

    @while_one_is_invited
    @rule(person=somebody, which=which)
    def an_invitation_is_taken_back(self, person: int, which: int) -> None:
        number = self.invitation(which)
        person = self.actor(person, self.model.invitations[number].organization)
        told = self.told(invitations.cancel, self.context, self.by(person), link=self.link(number))
        assert told == self.model.cancel(person, self.model.invitations[number])

    @while_one_is_invited
    @rule(person=somebody, which=which, own=st.booleans())
    def an_invitation_is_rejected(self, person: int, which: int, *, own: bool) -> None:
        number = self.invitation(which)
        person = self.recipient(number, person % PEOPLE) if own else person % PEOPLE
        told = self.told(received_invitation.reject, self.context, self.by(person), link=self.link(number))
        assert told == self.model.reject(person, self.model.invitations[number])

    @while_one_is_invited
    @rule(person=somebody, which=which, own=st.sampled_from([True, True, False]))
    def an_invitation_is_accepted(self, person: int, which: int, *, own: bool) -> None:
        number = self.invitation(which)
        person = self.recipient(number, person % PEOPLE) if own else person % PEOPLE
        told = self.told(self._accept, person, number)
        assert told == self.model.accept(person, self.model.invitations[number], self.now)

    @while_one_is_invited
    @rule(which=which)
    def an_invitation_is_looked_at_for_having_run_out(self, which: int) -> None:
        number = self.invitation(which)
        loaded = self.context.store.load(INVITATION, self.invitations[number])
        noted = invitations.expire(self.context.store, loaded, now=self.now)
        assert noted is self.model.run_out(self.model.invitations[number], self.now)

    @rule(person=somebody, which=which, member=which, role=roles)
    def a_role_is_changed(self, person: int, which: int, member: int, role: str) -> None:
        at, number = self.organization(which), self.membership(member, which)
        self.change_role(self.actor(person, at), at, number, role)

    @rule(person=somebody, which=which, member=which)
    def a_member_is_removed(self, person: int, which: int, member: int) -> None:
        at, number = self.organization(which), self.membership(member, which)
        self.remove(self.actor(person, at), at, number)

    @rule(person=somebody, which=which)
    def a_member_leaves(self, person: int, which: int) -> None:
        at = self.organization(which)
        person = self.actor(person, at)
        told = self.told(members.leave, self.context, self.by(person), organization_id=self.organizations[at])
        assert told == self.model.leave(person, at)

    @rule(person=somebody, which=which, member=which)
    def the_ownership_is_transferred(self, person: int, which: int, member: int) -> None:
        at, number = self.organization(which), self.membership(member, which)
        person = self.actor(person, at)
        told = self.told(members.transfer_ownership, self.context, self.by(person), **self.named(at, number))
        assert told == self.model.transfer(person, at, self.model.memberships[number])

    def change_role(self, person: int, at: int, number: int, role: str) -> None:
        told = self.told(
            members.change_role, self.context, self.by(person), roles=roles_in(role), **self.named(at, number)
        )
        wanted = [one.strip() for one in role.split(",")]
        assert told == self.model.change_role(person, at, self.model.memberships[number], wanted)

    def remove(self, person: int, at: int, number: int) -> None:
        told = self.told(members.remove_member, self.context, self.by(person), **self.named(at, number))
        assert told == self.model.remove(person, at, self.model.memberships[number])

    def actor(self, who: int, at: int) -> int:
        """Mostly one who belongs to this organization, if anybody does."""
        members = [one.person for one in self.model.of(at)]
        return who % PEOPLE if who >= 7 or not members else members[who % len(members)]

    def organization(self, which: int) -> int:
        """Mostly one that is open, if there is any."""
        ever = range(len(self.organizations))
        open_ = [at for at in ever if self.model.organizations[at].open]
        among = list(ever) if which % 9 == 8 or not open_ else open_
        return among[which % len(among)]

    def membership(self, which: int, where: int) -> int:
        """Mostly one that has not ended, of the organization that `where` means, if there is any."""
        ever, at = range(len(self.memberships)), self.organization(where)
        living = [n for n in ever if (one := self.model.memberships[n]).live and one.organization == at]
        among = list(ever) if which % 5 == 4 or not living else living
        return among[which // 5 % len(among)]

    def invitation(self, which: int) -> int:
        """Mostly one that is pending, if there is any; the newest first."""
        ever = range(len(self.invitations))[::-1]
        pending = [number for number in ever if self.model.invitations[number].status == "pending"]
        among = list(ever) if which % 5 == 4 or not pending else pending
        return among[which // 5 % len(among)]

    def recipient(self, invitation: int, person: int) -> int:
        """Who was invited, or that person if nobody has the address."""
        address = self.model.invitations[invitation].address
        return address if address < PEOPLE else person

    def named(self, at: int, number: int) -> dict[str, Any]:
        """An organization and a membership, perhaps of another."""
        return {"organization_id": self.organizations[at], "membership_id": self.memberships[number]}

    def _invite(self, person: int, at: int, address: int, role: str, *, resend: bool) -> bool:
        invitation_id = invitations.invite(
            self.context,
            self.by(person),
            organization_id=self.organizations[at],
            email=self.address(address).upper(),
            role=role,
            resend=resend,
        )
        if new := invitation_id not in self.invitations:
            self.invitations.append(invitation_id)
        return new

    def _accept(self, person: int, number: int) -> None:
        entry = received_invitation.accept(self.context, self.by(person), link=self.link(number))
        self.memberships.append(entry.membership_id)


def test_organizations_live_and_end_as_the_model_says(database: Database) -> None:
    with context_over(database) as context_over_it:

        class Lived(Organizations):
            context = context_over_it

        live(Lived, examples=EXAMPLES, steps=STEPS)
        happened = {name for [name] in database.rows("SELECT DISTINCT name FROM events")}
        assert {"InvitationExpired", "InvitationAccepted", "OwnerRemoved", "PersonalOrganizationGivenUp"} <= happened
