"""People with a device each, and what they do in the organizations they work in together."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.api.browser import Answer, Browser

NO_ID = "f" * 32
"""An id that nothing has."""

NO_ACTIVE = (400, "NO_ACTIVE_ORGANIZATION")
NOT_FOUND = (400, "INVITATION_NOT_FOUND")
MEMBER_NOT_FOUND = (400, "MEMBER_NOT_FOUND")

_numbers = count(1)


class Person(Browser):
    """Somebody who has just opened an account, on their own device; `own` is the organization that came with it."""

    def __init__(self, url: str, name: str, **fields: object) -> None:
        super().__init__(url)
        self.name, self.email = name, f"{name.lower()}.{next(_numbers)}@example.com"
        answer = self.sign_up(self.email, name=name, **fields)
        assert answer.status == 200, answer.content
        self.user_id: str = answer.json()["user"]["id"]
        self.own = self.active

    @property
    def active(self) -> Any:
        """The organization this device is turned to, None if to none."""
        return self.session()["activeOrganizationId"]

    def another_device(self) -> Person:
        """A further device of the same person, signed in."""
        other = object.__new__(Person)
        Browser.__init__(other, self.url)
        other.name, other.email, other.user_id, other.own = self.name, self.email, self.user_id, self.own
        assert other.sign_in(self.email).status == 200
        return other

    def reaches(self, url: str) -> None:
        """From now on ask another node, with the cookies of this one."""
        self.url = self.origin = url

    def does(self, what: str, **fields: object) -> Answer:
        """Post this to an organization's route."""
        return self.post(f"/organization/{what}", fields)

    def done(self, what: str, **fields: object) -> Any:
        """The same, and it is done; what was answered."""
        answer = self.does(what, **fields)
        assert answer.status == 200, answer.content
        return answer.json()

    def asks(self, what: str) -> Answer:
        """Get this of an organization's routes."""
        return self.get(f"/organization/{what}")

    def told(self, what: str) -> Any:
        """The same, and what was answered."""
        answer = self.asks(what)
        assert answer.status == 200, answer.content
        return answer.json()

    def founds(self, slug: str, **fields: object) -> str:
        """Found an organization, and turn to it; its id."""
        organization_id: str = self.done("create", name=slug.title(), slug=slug, **fields)["id"]
        return organization_id

    def invites(self, email: str, role: str = "member", **fields: object) -> str:
        """Invite somebody; the id in the link."""
        invitation_id: str = self.done("invite-member", email=email, role=role, **fields)["id"]
        return invitation_id

    def takes_in(self, person: Person, role: str = "member", **fields: object) -> str:
        """Invite somebody who accepts at once; the id of the member."""
        accepted = person.done("accept-invitation", invitationId=self.invites(person.email, role, **fields))
        member_id: str = accepted["member"]["id"]
        return member_id

    def roles(self, organization_id: str = "") -> dict[str, str]:
        """What everybody is, by the address."""
        members = self.told(f"list-members?organizationId={organization_id}")["members"]
        return {member["user"]["email"]: member["role"] for member in members}

    def member_id(self, organization_id: str = "") -> str:
        """One's own id as a member."""
        members = self.told(f"list-members?organizationId={organization_id}")["members"]
        [found] = [member["id"] for member in members if member["userId"] == self.user_id]
        member_id: str = found
        return member_id

    def belongs_to(self) -> list[str]:
        """The organizations, in the order of joining."""
        return [organization["id"] for organization in self.told("list")]


def new_slug() -> str:
    """A slug nobody has."""
    return f"acme-{next(_numbers)}"


def new_email() -> str:
    """An address without an account."""
    return f"guest.{next(_numbers)}@example.com"
