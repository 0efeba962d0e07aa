"""Three people and two organizations, asked about after every step, as the lists have them and as a model does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.commands.context import Context, Rules
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.user import sign_up
from domain.refusals import Refusal
from domain.session import UNSET, Lifetimes
from domain.store.envelope import WhereFrom
from tests.domain.commands.organization_model import ELSEWHERE, Organization, OrganizationModel, Outcome
from tests.people import NOON, PASSWORD

HERE = WhereFrom("192.0.2.1", "Chrome")
PEOPLE = 3

_numbers = count()
_SEEN = """
SELECT 'organization', organization_id, NULL, name, slug, logo, metadata, NULL::timestamptz, NULL::uuid
  FROM organization_list WHERE organization_id = ANY($1::uuid[]) AND ended_at IS NULL
UNION ALL
SELECT 'member', organization_id, user_id, role, NULL, NULL, NULL, NULL, NULL
  FROM member_list WHERE organization_id = ANY($1::uuid[]) AND live_user_id IS NOT NULL
UNION ALL
SELECT 'joined', organization_id, NULL, count(*)::text, NULL, NULL, NULL, NULL, NULL
  FROM member_list WHERE organization_id = ANY($1::uuid[]) GROUP BY organization_id
UNION ALL
SELECT 'invitation', organization_id, invitation_id, role, status, NULL, NULL, expires_at, inviter_id
  FROM invitation_list WHERE organization_id = ANY($1::uuid[])
UNION ALL
SELECT 'active', o.organization_id, s.user_id, NULL, NULL, NULL, NULL, NULL, NULL
  FROM session_list s JOIN member_list m ON m.organization_id = s.organization_id AND m.live_user_id = s.user_id
  JOIN organization_list o ON o.organization_id = m.organization_id AND o.ended_at IS NULL
 WHERE s.session_id = ANY($2::uuid[]) AND o.organization_id = ANY($1::uuid[])
"""


class ThreePeople(RuleBasedStateMachine):
    """The product and the model of it; one organization came with the first person's account, one was founded.

    The database outlives an example; its people and organizations do not, and nobody looks at others.
    """

    context: Context

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.example = next(_numbers)
        self.model = OrganizationModel()
        self.people: list[UUID] = []
        self.sessions: list[UUID] = []
        self.organizations: list[UUID] = []
        self.memberships: list[UUID] = []
        self.invitations: list[UUID] = []

    def sign_up(self, most_members: int | None, most_pending: int | None) -> None:
        """Everybody, and the second founds an organization."""
        rules = Rules(member_limit=most_members, invitation_limit=most_pending)
        # invitations run out here, sessions and their freshness elsewhere
        lifetimes = Lifetimes(full=timedelta(days=1000), fresh=UNSET)
        self.context = replace(self.context, rules=rules, lifetimes=lifetimes)
        self.model = OrganizationModel(most_members, most_pending)
        for person in range(PEOPLE):
            signed_in = sign_up(
                self.context,
                email=self.address(person),
                name="Somebody",
                image=None,
                password=PASSWORD,
                remembered=True,
                now=self.now,
                where_from=HERE,
            )
            self.people.append(signed_in.person.user_id)
        homes = {
            user_id: ids
            for user_id, *ids in self.context.store.statements.rows(
                "SELECT m.user_id, m.organization_id, m.membership_id, s.session_id, o.slug FROM member_list m"
                " JOIN session_list s USING (user_id) JOIN organization_list o ON o.organization_id = m.organization_id"
                " WHERE m.user_id = ANY($1::uuid[])",
                self.people,
            )
        }
        self.sessions = [homes[person][2] for person in self.people]
        organization_id, membership_id, _, slug = homes[self.people[0]]
        self.model.turned = dict.fromkeys(range(PEOPLE), ELSEWHERE)
        self.model.found(0, "Somebody's Organization", slug)
        self.organizations.append(organization_id)
        self.memberships.append(membership_id)
        self.found(1, "first")

    def found(self, person: int, slug: str) -> None:
        """One more organization, in both; refused in both, if the slug is taken."""
        told = self.told(self._found, person, self.slug(slug))
        assert told == self.model.found(person, "Acme", self.slug(slug))

    @invariant()
    def the_lists_say_what_the_model_says(self) -> None:
        seen: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for kind, *row in self.context.store.statements.rows(_SEEN, self.organizations, self.sessions):
            seen[kind].append((self.organizations.index(row[0]), *row[1:]))
        model = self.model
        assert {at: Organization(*row[1:5]) for at, *row in seen["organization"]} == {
            at: one for at, one in enumerate(model.organizations) if one.open
        }
        members = sorted((at, self.people.index(user_id), role.split(",")) for at, user_id, role, *_ in seen["member"])
        assert members == sorted((one.organization, one.person, one.roles) for one in model.memberships if one.live)
        shown = sorted(
            (self.invitations.index(row[0]), at, row[1].split(","), self.people.index(row[6]), row[5], row[2])
            for at, *row in seen["invitation"]
        )
        assert shown == [
            (number, one.organization, one.roles, one.by, one.expires_at, one.status)
            for number, one in enumerate(model.invitations)
        ]
        active = {self.people.index(user_id): at for at, user_id, *_ in seen["active"]}
        assert active == {person: at for person in range(PEOPLE) if (at := model.active(person)) is not None}
        self._require_order(members, shown, {at: int(row[1]) for at, *row in seen["joined"]})

    def _require_order(self, members: list[Any], shown: list[Any], joined: dict[int, int]) -> None:
        """What must hold whatever happened, told from the rows alone."""
        for at, organization in enumerate(self.model.organizations):
            here = [(person, roles) for where, person, roles in members if where == at]
            assert len({person for person, _ in here}) == len(here)
            assert not organization.open or any("owner" in roles for _, roles in here)
            accepted = [one for one in shown if one[1] == at and one[-1] == "accepted"]
            assert joined[at] == 1 + len(accepted)

    def told(self, act: Callable[..., object], *values: object, **given: object) -> Outcome:
        """How it was refused, else whether anything is different: what is no bool is."""
        try:
            done = act(*values, **given)
        except Refusal as refusal:
            return type(refusal)
        return done if isinstance(done, bool) else True

    def by(self, person: int) -> PersonBySession:
        """What a person does now."""
        return PersonBySession(
            user_id=self.people[person], session_id=self.sessions[person], at=self.now, where_from=HERE
        )

    def address(self, person: int) -> str:
        """A person's address; also that of somebody who has no account."""
        return f"somebody{self.example}.{person}@example.com"

    def slug(self, name: str) -> str:
        """A slug of this example."""
        return f"{name}-{self.example}"

    def link(self, invitation: int) -> str:
        """The id in the link of an invitation."""
        return self.context.keyring.invitation_link(self.invitations[invitation])

    def _found(self, person: int, slug: str) -> None:
        organization_id, membership_id = found_organization(
            self.context, self.by(person), name="Acme", slug=slug, logo=None, metadata=None, turning=True
        )
        self.organizations.append(organization_id)
        self.memberships.append(membership_id)
