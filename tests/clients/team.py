"""People in a browser each who work in organizations together, through the official JavaScript client."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from tests.clients.javascript import ANOTHER_BROWSER, Application, Outcome, signs_in
from tests.people import PASSWORD

_numbers = count(1)


def new_email(name: str = "guest") -> str:
    """An address without an account."""
    return f"{name.lower()}.team{next(_numbers)}@example.com"


def new_slug() -> str:
    """A slug nobody has."""
    return f"team-{next(_numbers)}"


def join(invitation_id: str) -> str:
    """The page of a link, which the person comes to after signing up or in."""
    return f"/join?invitationId={invitation_id}"


class Teammate:
    """Somebody who has just opened an account in a browser of their own."""

    def __init__(self, browser: Application, name: str, email: str = "", **fields: object) -> None:
        self.browser, self.name, self.email = browser, name, email or new_email(name)
        browser.take(ANOTHER_BROWSER)
        answer = browser.call("signUp.email", name=name, email=self.email, password=PASSWORD, **fields)
        assert answer.error is None, answer.error
        self.user_id: str = answer.data["user"]["id"]

    def signs_in(self) -> None:
        """Sign in again."""
        assert self.browser.take(signs_in(self.email)).error is None

    def does(self, what: str, **arguments: object) -> Any:
        """Call this of the client's `organization`, and it is done; what it gives."""
        outcome = self.browser.call(f"organization.{what}", **arguments)
        assert (outcome.error, outcome.thrown) == (None, None)
        return outcome.data

    def refused(self, what: str, **arguments: object) -> tuple[int, str]:
        """The same, and it is refused: status and code. The message is what the client itself knows for that code."""
        return self.told_no(self.browser.call(f"organization.{what}", **arguments))

    def told_no(self, outcome: Outcome) -> tuple[int, str]:
        """Status and code of a refusal, as of `refused`."""
        assert outcome.data is None
        code: str = outcome.error["code"]
        known = self.browser.take({"known": "errors"}).data
        assert outcome.error["message"] == known[code]["message"]
        return outcome.error["status"], code

    def founds(self, name: str, **fields: object) -> str:
        """Found an organization, and turn to it; its id."""
        organization_id: str = self.does("create", name=name, slug=new_slug(), **fields)["id"]
        return organization_id

    def invites(self, email: str, role: object = "member", **fields: object) -> str:
        """Invite somebody; the id in the link."""
        invitation_id: str = self.does("inviteMember", email=email, role=role, **fields)["id"]
        return invitation_id

    def takes_in(self, person: Teammate, role: object = "member") -> str:
        """Invite somebody who accepts at once; the id of the member."""
        accepted = person.does("acceptInvitation", invitationId=self.invites(person.email, role))
        member_id: str = accepted["member"]["id"]
        return member_id

    def member_id(self) -> str:
        """One's own id as a member of the active organization."""
        member_id: str = self.does("getActiveMember")["id"]
        return member_id

    def shows(self, **expected: object) -> None:
        """The stores are mounted, if they were not, and come to show this: see the views below."""
        for view, value in expected.items():
            store, seen = _VIEWS[view]
            self.browser.until(store, lambda look, value=value, seen=seen: seen(look) == value)  # type: ignore[misc]

    def lists_again(self) -> None:
        """The list of organizations is asked for again, as an application does where the client does not by itself."""
        self.browser.take({"refetch": "useListOrganizations"})


def _active(look: Outcome) -> Any:
    return look.data and look.data["session"]["activeOrganizationId"]


def _names(look: Outcome) -> Any:
    return look.data and [organization["name"] for organization in look.data]


def _organization(look: Outcome) -> Any:
    return look.data and look.data["name"]


def _members(look: Outcome) -> Any:
    return look.data and {member["user"]["name"]: member["role"] for member in look.data["members"]}


def _invitations(look: Outcome) -> Any:
    return look.data and [(invitation["email"], invitation["status"]) for invitation in look.data["invitations"]]


def _role(look: Outcome) -> Any:
    # after a refusal other than 401 the client keeps what the store held before, beside the error
    return look.error["code"] if look.error else look.data and look.data["role"]


_VIEWS: dict[str, tuple[str, Callable[[Outcome], Any]]] = {
    "active": ("useSession", _active),
    "organizations": ("useListOrganizations", _names),
    "organization": ("useActiveOrganization", _organization),
    "members": ("useActiveOrganization", _members),
    "invitations": ("useActiveOrganization", _invitations),
    "role": ("useActiveMember", _role),
    "named_role": ("useActiveMemberRole", _role),
}
