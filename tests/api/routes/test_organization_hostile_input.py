"""Nothing that is sent to the routes of organizations breaks them (wire.md §1, §3, A12)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import Person, new_slug

HOSTILE = [
    "\0",
    "a\0b",
    "'; DROP TABLE events; --",
    "\\",
    "%00",
    "{}",
    "\u202e",
    "🎻" * 50,
    "null",
    "-1",
    "../..",
    "x" * 60_000,
]
READING = {
    "get-organization": ("organizationId", "organizationSlug"),
    "get-full-organization": ("organizationId", "organizationSlug", "membersLimit"),
    "list-members": ("organizationId", "organizationSlug", "limit", "offset", "sortBy", "filterField", "search"),
    "get-active-member-role": ("userId", "organizationId", "organizationSlug"),
    "list-invitations": ("organizationId",),
    "get-invitation": ("id",),
    "list-user-invitations": ("email",),
}
WRITING: dict[str, dict[str, Any]] = {
    "create": {"name": "Acme", "slug": "", "logo": "/a.png"},
    "check-slug": {"slug": ""},
    "delete": {"organizationId": ""},
    "set-active": {"organizationId": "", "organizationSlug": ""},
    "invite-member": {"email": "", "role": "member", "organizationId": ""},
    "cancel-invitation": {"invitationId": ""},
    "accept-invitation": {"invitationId": ""},
    "reject-invitation": {"invitationId": ""},
    "remove-member": {"memberIdOrEmail": "", "organizationId": ""},
    "update-member-role": {"memberId": "", "role": "member", "organizationId": ""},
    "leave": {"organizationId": ""},
    "transfer-ownership": {"memberId": "", "organizationId": ""},
}
NOT_ROUTED = ["add-member", "create-role", "list-roles", "create-team", "list-teams", "update-team", "remove-team",
              "set-active-team", "list-user-teams", "list-team-members", "add-team-member",
              "remove-team-member"]  # fmt: skip


@pytest.fixture(scope="module")
def kim(url: str, module_clock: HandClock) -> Person:
    person = Person(url, "Kim")
    person.founds(new_slug())
    return person


@pytest.mark.parametrize("what", READING)
@pytest.mark.parametrize("value", HOSTILE)
def test_no_query_breaks_what_is_read(kim: Person, what: str, value: str) -> None:
    for field in READING[what]:
        answer = kim.asks(f"{what}?{field}={quote(value[:2000], safe='')}")
        assert answer.status in (200, 400, 403), (field, answer.status)


@pytest.mark.parametrize("what", WRITING)
@pytest.mark.parametrize("value", HOSTILE)
def test_no_body_breaks_what_is_written(kim: Person, what: str, value: str) -> None:
    for field in WRITING[what]:
        answer = kim.does(what, **{**WRITING[what], field: value})
        assert answer.status < 500, (field, answer.status)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_change_breaks_an_organization(url: str, clock: HandClock, value: str) -> None:
    kim = Person(url, "Kim")
    for field in ("name", "slug", "logo"):
        assert kim.does("update", data={field: value}).status < 500, field
    assert kim.does("update", data={"metadata": {value: value}}).status < 500
    assert kim.done("update", data={"name": "Well", "metadata": {}})["name"] == "Well"
    assert kim.told("list")[0]["name"] == "Well"


@pytest.mark.parametrize("what", NOT_ROUTED)
def test_what_needs_an_option_is_not_routed(kim: Person, what: str) -> None:
    answers = [kim.asks(what), kim.does(what)]
    assert [(answer.status, answer.content) for answer in answers] == [(404, b""), (404, b"")]


@pytest.mark.parametrize("what", [*READING, "list", "get-active-member"])
def test_what_is_read_is_not_written(kim: Person, what: str) -> None:
    answer = kim.does(what)
    assert (answer.status, answer.content) == (404, b"")


@pytest.mark.parametrize("what", [*WRITING, "update", "has-permission"])
def test_what_is_written_is_not_read_nor_asked_for_by_other_pages(kim: Person, what: str) -> None:
    answer = kim.asks(what)
    assert (answer.status, answer.content) == (404, b"")
    foreign = kim.post(f"/organization/{what}", WRITING.get(what, {}), {"Origin": "https://evil.example"})
    assert foreign.problem == (403, "INVALID_ORIGIN")


def test_without_a_session_nothing_is_listed_and_no_slug_looked_for(url: str, clock: HandClock) -> None:
    anonymous = Browser(url)
    for what in ("list", "get-organization", "get-full-organization", "get-active-member"):
        assert anonymous.get(f"/organization/{what}").problem == (401, "UNAUTHORIZED")
    for what, fields in (("check-slug", {"slug": "x"}), ("set-active", {})):
        assert anonymous.post(f"/organization/{what}", fields).problem == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("slug", [None, 5])
def test_these_are_no_slugs(kim: Person, slug: object) -> None:
    assert kim.does("check-slug", slug=slug).problem == (400, "VALIDATION_ERROR")
    assert Browser(kim.url).post("/organization/check-slug", {"slug": slug}).problem == (400, "VALIDATION_ERROR")
