"""Programs that act for a person by an API key: how it is shown, what it opens, what it never does (wire-keys.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.routing import Route

from api.app import create_app
from api.edge.contract_route import ContractRoute
from api.edge.request_context import BASE_PATH
from api.pages.page_route import PageRoute
from api.settings import Settings
from domain.key_format import written
from domain.scopes import GRANTABLE
from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_email, new_slug
from tests.api.routes.programs import Program, made, program
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

NOT_BY_KEY, SCOPE_MISSING = (403, "API_KEY_NOT_ALLOWED"), (403, "API_KEY_SCOPE_MISSING")
INVALID = (401, "INVALID_API_KEY")
WHOLE = "everything"
OPEN: Mapping[tuple[str, str], str] = {
    ("GET", "/organization/list"): "read",
    ("GET", "/organization/get-organization"): "read",
    ("GET", "/organization/get-full-organization"): "read",
    ("GET", "/organization/list-members"): "read",
    ("GET", "/organization/get-active-member"): "read",
    ("GET", "/organization/get-active-member-role"): "read",
    ("GET", "/organization/list-invitations"): "read",
    ("GET", "/organization/activity"): "read",
    ("POST", "/organization/has-permission"): "read",
    ("POST", "/organization/update"): "organization:update",
    ("POST", "/organization/check-slug"): "organization:update",
    ("POST", "/organization/update-member-role"): "member:update",
    ("POST", "/organization/remove-member"): "member:delete",
    ("POST", "/organization/invite-member"): "invitation:create",
    ("POST", "/organization/cancel-invitation"): "invitation:cancel",
    ("POST", "/organization/create"): WHOLE,
    ("POST", "/organization/leave"): WHOLE,
    ("POST", "/update-user"): WHOLE,
    ("GET", "/list-accounts"): WHOLE,
}
"""What a program may call, and which scope that takes. Everything else it may not, whatever its owner may."""
FOR_ANYBODY = {
    ("GET", "/ok"),
    ("GET", "/error"),
    ("POST", "/get-session"),
    ("GET", "/picture/{link}"),
    ("GET", "/invitation/check"),
    ("GET", "/reset-password/{token}"),
}
"""What looks at nobody's credentials, or may be called without any."""
GOOD_BODIES: Mapping[str, object] = {
    "/organization/has-permission": {"permissions": {"member": ["update"]}},
    "/organization/update": {"data": {"name": "Acme"}},
    "/organization/check-slug": {"slug": "free-slug"},
    "/organization/update-member-role": {"memberId": "f" * 32, "role": "member"},
    "/organization/remove-member": {"memberIdOrEmail": "f" * 32},
    "/organization/invite-member": {"email": "guest@example.com", "role": "member"},
    "/organization/cancel-invitation": {"invitationId": "f" * 32},
    "/organization/create": {"name": "Acme", "slug": "acme-by-key"},
    "/organization/leave": {"organizationId": "f" * 32},
    "/update-user": {"name": "Ada"},
}


def routes() -> list[tuple[str, str]]:
    """Every route of the contract, by method and path below the base path."""
    web: Any = create_app(Settings())._web
    found = [one for one in web.router.routes if isinstance(one, ContractRoute) and not isinstance(one, PageRoute)]
    assert all(isinstance(one, Route) for one in found)
    return [
        (method, one.path.removeprefix(BASE_PATH))
        for one in found
        for method in sorted(one.methods or ())
        if method in ("GET", "POST")
    ]


ROUTES = routes()
CLOSED = [one for one in ROUTES if one not in OPEN and one not in FOR_ANYBODY]


def ask(program: Program, method: str, path: str) -> tuple[int, str | None]:
    answer = program.get(path) if method == "GET" else program.post(path, GOOD_BODIES.get(path, {}))
    return answer.status, answer.json().get("code") if answer.status >= 400 and answer.content else None


def test_every_route_that_programs_may_call_is_one() -> None:
    assert set(OPEN) | FOR_ANYBODY <= set(ROUTES)
    assert len(CLOSED) > 20


@pytest.fixture(scope="module")
def by_scope(url: str, module_clock: HandClock) -> dict[str, Program]:
    """A program of Ada's with each scope, and one with all."""
    ada = Person(url, "Ada")
    return {
        WHOLE: program(ada),
        **{scope: program(ada, scopes=[scope]) for scope in GRANTABLE},
    }


@pytest.mark.parametrize(("method", "path"), OPEN, ids=str)
def test_a_key_opens_what_its_scope_says_and_nothing_else(by_scope: dict[str, Program], method: str, path: str) -> None:
    wanted = OPEN[method, path]
    for scope, one in by_scope.items():
        refused = ask(one, method, path) == SCOPE_MISSING
        assert refused == (scope not in (wanted, WHOLE)), scope


@pytest.mark.parametrize(("method", "path"), CLOSED, ids=str)
def test_no_key_opens_what_takes_the_person_themselves(by_scope: dict[str, Program], method: str, path: str) -> None:
    for one in by_scope.values():
        answer = one.get(path) if method == "GET" else one.post(path, {})
        assert answer.problem == NOT_BY_KEY, path


def test_a_key_is_told_as_a_session_without_its_secret(ada: Person, clock: HandClock) -> None:
    key = made(ada)
    clock.wind(minutes=5)
    told = Program(ada.url, key["key"]).session()
    assert told["user"]["email"] == ada.email
    assert told["session"] == {
        "id": key["id"],
        "token": key["id"],
        "userId": ada.user_id,
        "expiresAt": "2026-03-21T12:00:00.000Z",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "updatedAt": "2026-03-14T12:00:00.000Z",
        "authenticatedAt": "2026-03-14T12:00:00.000Z",
        "ipAddress": "",
        "userAgent": "",
        "device": "",
        "location": "",
        "current": True,
        "activeOrganizationId": None,
    }


def test_no_answer_to_a_key_gives_a_cookie_or_a_token(ada: Person) -> None:
    key = made(ada)
    one = Program(ada.url, key["key"])
    for answer in (
        one.get("/get-session"),
        one.post("/update-user", {"name": "Ada King"}),
        one.post("/organization/create", {"name": "Acme", "slug": new_slug()}),
        one.post("/sign-in/email", {"email": ada.email, "password": "correct horse 1"}),
        one.post("/sign-out"),
    ):
        assert (answer.all_cookies, answer.header("set-auth-token")) == ([], None)
        assert key["key"].encode() not in answer.content
    assert ada.session() is not None


@pytest.mark.parametrize("header", ["Bearer {}", "bearer  {}", "{}"])
def test_a_key_is_shown_in_the_authorization_header_too(ada: Person, header: str) -> None:
    key = made(ada)["key"]
    answer = Browser(ada.url).ask("GET", f"{BASE_PATH}/get-session", None, {"Authorization": header.format(key)})
    assert answer.json()["user"]["id"] == ada.user_id


def test_a_bearer_session_is_one_as_before(ada: Person) -> None:
    token = ada.sign_in(ada.email).json()["token"]
    answer = Browser(ada.url).ask("GET", f"{BASE_PATH}/get-session", None, {"Authorization": f"Bearer {token}"})
    assert answer.json()["user"]["id"] == ada.user_id


def test_what_is_no_key_is_refused_whatever_is_shown_beside_it(ada: Person) -> None:
    key = made(ada)["key"]
    swapped = key[:-1] + ("a" if key[-1] != "a" else "b")
    refused: dict[str, tuple[int, str]] = {
        "short": (403, "INVALID_API_KEY"),
        "x" * 63: (403, "INVALID_API_KEY"),
        "x" * 64: INVALID,
        swapped: INVALID,
        key.swapcase(): INVALID,
        f"{key}, {key}": INVALID,
        key + "0": INVALID,
    }
    for shown, problem in refused.items():
        assert ada.get("/get-session", {"x-api-key": shown}).problem == problem, shown
        assert ada.post("/sign-out", {}, {"x-api-key": shown}).problem == problem, shown
    assert ada.get("/get-session", {"x-api-key": ""}).json()["user"]["id"] == ada.user_id
    assert ada.get("/get-session", {"x-api-key": f"  {key} "}).status == 200


def test_a_bad_key_is_told_before_the_schema_and_after_the_origin(ada: Person) -> None:
    bad = {"x-api-key": "x" * 64}
    assert ada.post("/organization/create", {"name": 5}, bad).problem == INVALID
    evil = {**bad, "Origin": "https://evil.example"}
    assert ada.post("/organization/create", {"name": 5}, evil).problem == (403, "INVALID_ORIGIN")


def test_a_key_counts_before_a_cookie_of_somebody_else(ada: Person, bo: Person) -> None:
    shown = {"x-api-key": made(ada)["key"]}
    assert bo.get("/get-session", shown).json()["user"]["id"] == ada.user_id
    assert bo.get("/organization/list", shown).json()[0]["id"] == ada.own
    assert bo.get("/get-session").json()["user"]["id"] == bo.user_id


def test_pages_know_no_keys(ada: Person) -> None:
    answer = Browser(ada.url).ask("GET", "/account/settings", None, {"x-api-key": made(ada)["key"]})
    assert (answer.status, answer.header("location")) == (303, "/sign-in?next=%2Faccount%2Fsettings")


def test_a_program_may_what_its_owner_may_now(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    ada.takes_in(bo, "admin")
    one = program(bo)
    invited = one.post("/organization/invite-member", {"organizationId": acme, "email": cy.email, "role": "member"})
    assert (invited.status, invited.json()["inviterId"]) == (200, bo.user_id)
    ada.done("update-member-role", memberId=bo.member_id(acme), role="member", organizationId=acme)
    again = {"organizationId": acme, "email": new_email(), "role": "member"}
    refused = "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION"
    assert one.post("/organization/invite-member", again).problem == (403, refused)
    ada.done("remove-member", memberIdOrEmail=bo.email, organizationId=acme)
    assert one.post("/organization/invite-member", again).problem == (400, "MEMBER_NOT_FOUND")
    assert one.get(f"/organization/list-members?organizationId={acme}").status == 403


def test_a_scoped_key_makes_plain_members_only(ada: Person, acme: str) -> None:
    one = program(ada, scopes=["invitation:create"])
    fields = {"organizationId": acme, "email": new_email()}
    refused = (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE")
    assert one.post("/organization/invite-member", {**fields, "role": "admin"}).problem == refused
    assert one.post("/organization/invite-member", {**fields, "role": "owner"}).problem == refused
    assert one.post("/organization/invite-member", {**fields, "role": "member"}).status == 200


def test_no_key_makes_or_unmakes_an_owner(ada: Person, bo: Person, acme: str) -> None:
    member = ada.takes_in(bo)
    one = program(ada)
    role = {"organizationId": acme, "memberId": member, "role": "owner"}
    assert one.post("/organization/update-member-role", role).problem == NOT_BY_KEY
    invited = {"organizationId": acme, "email": new_email(), "role": "owner"}
    assert one.post("/organization/invite-member", invited).problem == NOT_BY_KEY
    own = {"organizationId": acme, "memberId": ada.member_id(acme), "role": "member"}
    assert one.post("/organization/update-member-role", own).problem[0] in (400, 403)
    assert one.post("/organization/leave", {"organizationId": acme}).problem[0] in (400, 403)
    assert ada.roles(acme) == {ada.email: "owner", bo.email: "member"}


def test_what_needs_the_password_by_the_settings_no_key_does(database: Database, clock: HandClock) -> None:
    with application(settings_for(database, fresh_calls="update-user"), clock) as url:
        ada = Person(url, "Ada")
        one = program(ada)
        assert one.post("/update-user", {"name": "Ada King"}).problem == NOT_BY_KEY
        assert one.get("/list-accounts").status == 200
        assert ada.post("/update-user", {"name": "Ada King"}).status == 200


def test_a_key_for_one_organization_knows_no_other(ada: Person, acme: str) -> None:
    one = program(ada, organizationOnly=acme)
    assert [found["id"] for found in one.get("/organization/list").json()] == [acme]
    assert one.session()["session"]["activeOrganizationId"] == acme
    assert one.get("/organization/get-active-member").json()["role"] == "owner"
    assert one.get("/organization/get-active-member-role").json() == {"role": "owner"}
    assert one.get("/organization/get-full-organization").json()["id"] == acme
    other = f"?organizationId={ada.own}"
    for path in ("get-organization", "get-full-organization", "list-members", "list-invitations", "activity"):
        assert one.get(f"/organization/{path}{other}").status == 403, path
    assert one.get(f"/organization/get-active-member-role{other}").status == 403
    asked = {"organizationId": ada.own, "permissions": {"member": ["update"]}}
    assert one.post("/organization/has-permission", asked).status == 401
    named = {"organizationId": ada.own}
    assert one.post("/organization/update", {**named, "data": {"name": "Taken"}}).status == 400
    assert one.post("/organization/invite-member", {**named, "email": new_email(), "role": "member"}).status == 400
    assert one.post("/organization/create", {"name": "Acme", "slug": new_slug()}).problem == SCOPE_MISSING
    assert one.post("/update-user", {"name": "Ada King"}).problem == SCOPE_MISSING


def test_a_key_for_one_organization_reaches_none_once_its_owner_has_gone(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo)
    one = program(bo, organizationOnly=acme)
    assert one.get("/organization/list-members").json()["total"] == 2
    ada.done("remove-member", memberIdOrEmail=bo.email, organizationId=acme)
    assert one.get("/organization/list").json() == []
    assert one.session()["session"]["activeOrganizationId"] is None
    assert one.get(f"/organization/list-members?organizationId={acme}").status == 403


def test_no_key_learns_by_which_link_others_are_invited(ada: Person, acme: str) -> None:
    link = ada.invites(new_email(), "owner", organizationId=acme)
    session_sees = ada.told(f"get-full-organization?organizationId={acme}")["invitations"]
    assert [one["id"] for one in session_sees] == [link]
    for fields in ({}, {"scopes": ["read"]}, {"scopes": ["read", "invitation:cancel"]}):
        one = program(ada, **fields)
        listed = one.get(f"/organization/list-invitations?organizationId={acme}").json()
        full = one.get(f"/organization/get-full-organization?organizationId={acme}").json()["invitations"]
        assert [(found["email"], found["role"]) for found in listed] == [(session_sees[0]["email"], "owner")]
        assert listed == full
        [shown] = [found["id"] for found in listed]
        assert shown != link
        assert Browser(ada.url).ask("GET", f"{BASE_PATH}/invitation/check?id={shown}").status == 400
    assert one.post("/organization/cancel-invitation", {"invitationId": shown}).json()["status"] == "canceled"
    assert ada.told(f"get-full-organization?organizationId={acme}")["invitations"][0]["id"] == link


def test_a_program_hands_on_the_link_of_who_it_invited_itself(ada: Person, bo: Person, acme: str) -> None:
    one = program(ada, scopes=["invitation:create", "invitation:cancel"])
    invited = {"organizationId": acme, "email": bo.email, "role": "member"}
    link = one.post("/organization/invite-member", invited).json()["id"]
    assert one.post("/organization/cancel-invitation", {"invitationId": link}).status == 200
    link = one.post("/organization/invite-member", invited).json()["id"]
    assert bo.done("accept-invitation", invitationId=link)["member"]["role"] == "member"


def test_what_a_program_may_is_told_as_what_its_key_allows(ada: Person, acme: str) -> None:
    asked = {"organizationId": acme, "permissions": {"member": ["update"]}}
    answers = [
        program(ada, **fields).post("/organization/has-permission", asked).json()["success"]
        for fields in ({}, {"scopes": ["read"]}, {"scopes": ["read", "member:update"]})
    ]
    assert answers == [True, False, True]


def test_the_trail_names_the_key_by_the_name_it_had(
    ada: Person, acme: str, module_database: Database, clock: HandClock
) -> None:
    key = made(ada, name="deploy")
    guest = new_email()
    invited = {"organizationId": acme, "email": guest, "role": "member"}
    assert Program(ada.url, key["key"]).post("/organization/invite-member", invited).status == 200
    assert ada.post("/api-key/update", {"keyId": key["id"], "name": "build"}).status == 200
    assert ada.post("/api-key/delete", {"keyId": key["id"]}).status == 200
    assert ada.post("/api-key/revoke-all", {}).status == 200
    caught_up(module_database)
    told = [entry["text"] for entry in trail_of(ada)]
    assert told[:6] == [
        "You ended all of your API keys.",
        "You deleted the API key “build”.",
        "You renamed the API key “deploy” to “build”.",
        f"You invited “{guest}” to “{acme_name(ada, acme)}” as member. It was done by the API key “deploy”.",
        "The API key “deploy” was used from a new place: curl 8.",
        "You made the API key “deploy”.",
    ]
    entries = ada.told(f"activity?organizationId={acme}")["entries"]
    assert "It was done by the API key “deploy”." in entries[0]["text"]


def acme_name(ada: Person, acme: str) -> str:
    name: str = ada.told(f"get-organization?organizationId={acme}")["name"]
    return name


def test_uses_that_are_refused_are_told_folded(ada: Person, module_database: Database, clock: HandClock) -> None:
    key = made(ada)
    one = Program(ada.url, key["key"])
    ada.post("/api-key/update", {"keyId": key["id"], "enabled": False})
    for _ in range(3):
        assert one.get("/organization/list").problem == (401, "KEY_DISABLED")
    caught_up(module_database)
    wait_for(lambda: trail_of(ada)[0]["event"] == "AttemptRefused")
    [entry] = [entry for entry in trail_of(ada) if entry["event"] == "AttemptRefused"]
    assert entry["text"] == "Somebody tried to use an API key that is disabled, 3 times, from curl 8."


def test_reads_are_counted_by_the_key_and_those_by_keys_that_are_none_by_the_address(database: Database) -> None:
    with application(settings_for(database, rate_limit="on"), HandClock()) as url:
        ada = Person(url, "Ada")
        first, second = program(ada), program(ada)
        assert {first.get("/get-session").status for _ in range(100)} == {200}
        assert first.get("/get-session").status == 429
        assert second.get("/get-session").status == 200
        made_up = [Program(url, written("", f"{number:064d}")).get("/get-session").status for number in range(101)]
        assert made_up == [401] * 100 + [429]
        assert second.get("/get-session").status == 200


@pytest.mark.parametrize("path", ["/get-session", "/organization/list", "/no-such-route"])
def test_a_key_in_the_address_is_refused_though_it_lives(
    ada: Person, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    key = made(ada, prefix="ci-")["key"]
    for query in (f"apiKey={key}", f"x=1&y={key}&z", f"k={key.replace('_', '%5F')}"):
        assert ada.get(f"{path}?{query}").problem == (400, "API_KEY_IN_URL")
    assert Browser(ada.url).ask("GET", f"/account/settings?{key}").status == 400
    assert key not in caplog.text
    assert "with an API key in their address are refused" in caplog.text


def trail_of(person: Person) -> Any:
    answer = person.get("/activity/list")
    assert answer.status == 200, answer.content
    return answer.json()["entries"]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
