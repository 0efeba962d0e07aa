"""What every route of organizations asks of a session: one that lives, which its use keeps alive (wire.md §2, §8)."""

from __future__ import annotations

import pytest

from tests.api.browser import CLEARED, Answer, kept
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, Person

ELSEWHERE = ("list", "activity")
"""Those of `test_session_requirement`."""
READS = {
    "get-organization": "",
    "get-full-organization": "",
    "list-members": "",
    "list-invitations": "",
    "get-active-member": "",
    "get-active-member-role": "",
    "get-invitation": f"?id={NO_ID}",
}
COMMANDS: dict[str, dict[str, object]] = {
    "create": {"name": "Acme", "slug": ""},
    "check-slug": {"slug": "nobody-has-this"},
    "update": {"data": {}},
    "delete": {"organizationId": NO_ID},
    "set-active": {},
    "invite-member": {"email": "not an address", "role": "member"},
    "cancel-invitation": {"invitationId": NO_ID},
    "accept-invitation": {"invitationId": NO_ID},
    "reject-invitation": {"invitationId": NO_ID},
    "update-member-role": {"memberId": NO_ID, "role": "member"},
    "remove-member": {"memberIdOrEmail": NO_ID},
    "leave": {"organizationId": NO_ID},
    "transfer-ownership": {"memberId": NO_ID},
    "has-permission": {"permissions": {"member": ["create"]}},
}
"""As little of each as changes nothing, most of it refused once it is known who asks."""


@pytest.fixture
def ada(url: str, clock: HandClock) -> Person:
    """Signed up at noon."""
    return Person(url, "Ada")


def call(person: Person, what: str) -> Answer:
    if what in READS:
        return person.asks(f"{what}{READS[what]}")
    fields = dict(COMMANDS[what])
    if what == "create":
        fields["slug"] = f"{person.email}-{person.own}"
    return person.does(what, **fields)


def test_these_are_all_the_routes_behind_a_session(ada: Person) -> None:
    found = ada.ask("GET", "/openapi.json").json()["paths"]
    refusing = {
        path.removeprefix("/api/auth/organization/")
        for path, operations in found.items()
        for operation in operations.values()
        if "/organization/" in path and "UNAUTHORIZED" in operation["responses"].get("401", {}).get("description", "")
    }
    assert refusing == {*READS, *COMMANDS, *ELSEWHERE}


@pytest.mark.parametrize("what", [*READS, *COMMANDS])
def test_with_one_that_was_ended_the_cookies_are_taken_away(ada: Person, what: str) -> None:
    left_over = dict(ada.cookies)
    ada.post("/sign-out")
    ada.cookies = left_over
    answer = call(ada, what)
    assert (answer.status, answer.set_cookies) == (401, CLEARED)


@pytest.mark.parametrize("what", [*READS, *COMMANDS])
def test_its_use_extends_the_session(ada: Person, clock: HandClock, what: str) -> None:
    answer = ada.sign_in(ada.email)
    clock.wind(days=1)
    assert call(ada, what).set_cookies == kept(answer.json()["token"])
    assert ada.session("?disableRefresh=1")["expiresAt"] == "2026-03-22T12:00:00.000Z"
