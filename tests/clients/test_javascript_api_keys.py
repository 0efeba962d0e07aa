"""A person's API keys through the official JavaScript client's `apiKey`, and a key as its credential (wire-keys.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.clients.javascript import Application, JavaScript, Outcome, dated
from tests.clients.team import Teammate, new_email, new_slug

DAY = 86_400
MONTH = 30 * DAY
FIELDS_OF_THE_PLUGIN = {
    "configId", "name", "start", "referenceId", "prefix", "refillInterval", "refillAmount", "lastRefillAt", "enabled",
    "rateLimitEnabled", "rateLimitTimeWindow", "rateLimitMax", "requestCount", "remaining", "lastRequest", "expiresAt",
    "createdAt", "updatedAt", "permissions", "metadata", "id",
}  # fmt: skip
NOT_FOUND = (404, "KEY_NOT_FOUND")
NO_ROUTE = {"status": 404, "statusText": "Not Found"}


@pytest.fixture
def robot(javascript: JavaScript) -> Iterator[Application]:
    """A program with the client, that nobody signs in to."""
    with javascript.application() as robot:
        yield robot


def keys(person: Teammate, what: str, **arguments: object) -> Any:
    """Call this of the client's `apiKey`, and it is done; what it gives."""
    outcome = person.browser.call(f"apiKey.{what}", **arguments)
    assert (outcome.error, outcome.thrown) == (None, None)
    return outcome.data


def refused(person: Teammate, what: str, **arguments: object) -> tuple[int, str]:
    """The same, and it is refused: status and code. The message is what the client itself knows for that code."""
    return person.told_no(person.browser.call(f"apiKey.{what}", **arguments))


def by_key(robot: Application, key: str, what: str, **arguments: object) -> Outcome:
    """A call of the client that shows a key and nothing else."""
    outcome = robot.call(what, **arguments, fetchOptions={"headers": {"x-api-key": key}})
    assert all("cookie" not in exchange["sent"] for exchange in outcome.exchanges)
    assert all(exchange["set_cookie"] == [] for exchange in outcome.exchanges)
    return outcome


def code_of(outcome: Outcome) -> tuple[int, str]:
    return outcome.error["status"], outcome.error["code"]


def test_a_key_is_made_with_dates_as_dates_and_its_secret_shown_this_once(ada: Teammate) -> None:
    outcome = ada.browser.call("apiKey.create", name="ci", expiresIn=MONTH, prefix="ci_", metadata={"team": "web"})
    made = outcome.data
    assert made == dated(outcome.raw)
    assert made.keys() >= FIELDS_OF_THE_PLUGIN | {"key"}
    told = {name: made[name] for name in ("name", "prefix", "metadata", "enabled", "referenceId", "configId")}
    assert told == {
        "name": "ci",
        "prefix": "ci_",
        "metadata": {"team": "web"},
        "enabled": True,
        "referenceId": ada.user_id,
        "configId": "default",
    }
    assert made["key"].startswith(made["start"])
    assert made["expiresAt"] - made["createdAt"] == timedelta(days=30)
    assert made["lastRequest"] is None
    shown = keys(ada, "get", query={"id": made["id"]})
    assert shown == {name: value for name, value in made.items() if name != "key"}


def test_a_key_that_is_asked_for_nothing_has_no_name_and_no_end(ada: Teammate) -> None:
    outcome = ada.browser.call("apiKey.create")
    assert (outcome.error, outcome.data["name"], outcome.data["expiresAt"]) == (None, None, None)
    assert [exchange["method"] for exchange in outcome.exchanges] == ["POST"]


def test_keys_are_listed_in_order_and_by_the_page(ada: Teammate) -> None:
    for name in ("b", "a", "c"):
        keys(ada, "create", name=name)
    whole = ada.browser.call("apiKey.list")
    assert whole.data == dated(whole.raw)
    assert (sorted(_names(whole.data)), whole.data["total"]) == (["a", "b", "c"], 3)
    assert "key" not in whole.data["apiKeys"][0]
    # as UI kits ask
    page = keys(ada, "list", query={"limit": 2, "offset": 1, "sortBy": "name", "sortDirection": "desc"})
    assert (_names(page), page["total"], page["limit"], page["offset"]) == (["b", "a"], 3, 2, 1)
    newest = keys(ada, "list", query={"limit": 10, "sortBy": "createdAt", "sortDirection": "desc"})
    assert _names(newest) == ["c", "a", "b"]
    assert keys(ada, "list", query={"organizationId": ""})["apiKeys"] == []


def _names(listed: Any) -> list[str]:
    return [key["name"] for key in listed["apiKeys"]]


def test_a_key_is_changed_and_nothing_of_it_by_others(ada: Teammate, bo: Teammate) -> None:
    made = keys(ada, "create", name="ci", expiresIn=MONTH)
    renamed = keys(ada, "update", keyId=made["id"], name="build", metadata={"a": [1, None]})
    assert (renamed["name"], renamed["metadata"], renamed["expiresAt"]) == (
        "build",
        {"a": [1, None]},
        made["expiresAt"],
    )
    assert renamed["updatedAt"] > made["updatedAt"]
    assert keys(ada, "update", keyId=made["id"], expiresIn=None)["expiresAt"] is None
    assert keys(ada, "update", keyId=made["id"], enabled=False)["enabled"] is False
    assert refused(bo, "get", query={"id": made["id"]}) == NOT_FOUND
    assert refused(bo, "update", keyId=made["id"], name="mine") == NOT_FOUND
    assert refused(bo, "delete", keyId=made["id"]) == NOT_FOUND
    assert keys(ada, "get", query={"id": made["id"]})["name"] == "build"


def test_a_deleted_key_is_gone_for_everybody(ada: Teammate, robot: Application) -> None:
    made = keys(ada, "create", name="ci")
    assert keys(ada, "delete", keyId=made["id"]) == {"success": True}
    assert refused(ada, "delete", keyId=made["id"]) == NOT_FOUND
    assert refused(ada, "get", query={"id": made["id"]}) == NOT_FOUND
    assert keys(ada, "list") == {"apiKeys": [], "total": 0}
    assert code_of(by_key(robot, made["key"], "getSession")) == (401, "INVALID_API_KEY")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "x" * 33}, (400, "INVALID_NAME_LENGTH")),
        ({"prefix": "p" * 33}, (400, "INVALID_PREFIX_LENGTH")),
        ({"expiresIn": 60}, (400, "EXPIRES_IN_IS_TOO_SMALL")),
        ({"expiresIn": 366 * DAY}, (400, "EXPIRES_IN_IS_TOO_LARGE")),
        ({"metadata": "text"}, (400, "INVALID_METADATA_TYPE")),
        ({"remaining": 5}, (400, "SERVER_ONLY_PROPERTY")),
        ({"userId": "somebody"}, (401, "UNAUTHORIZED_SESSION")),
    ],
    ids=str,
)
def test_what_no_key_may_be_is_refused_as_the_client_knows_it(
    ada: Teammate, fields: dict[str, object], problem: tuple[int, str]
) -> None:
    assert refused(ada, "create", **{"name": "ci", **fields}) == problem
    assert keys(ada, "list")["total"] == 0


def test_other_errors_have_codes_too(ada: Teammate) -> None:
    made = keys(ada, "create", name="ci")
    assert refused(ada, "update", keyId=made["id"]) == (400, "NO_VALUES_TO_UPDATE")
    assert code_of(ada.browser.call("apiKey.create", name=5)) == (400, "VALIDATION_ERROR")
    assert code_of(ada.browser.call("apiKey.list", query={"sortBy": "hash"})) == (400, "VALIDATION_ERROR")
    unknown = ada.browser.call("apiKey.create", name="ci", configId="organizatoin")
    assert code_of(unknown) == (400, "UNKNOWN_KEY_CONFIGURATION")


def test_signed_out_every_call_about_keys_is_an_error_with_a_code(robot: Application) -> None:
    assert code_of(robot.call("apiKey.create", name="ci")) == (401, "UNAUTHORIZED_SESSION")
    assert code_of(robot.call("apiKey.update", keyId="any", name="ci")) == (401, "UNAUTHORIZED_SESSION")
    assert code_of(robot.call("apiKey.delete", keyId="any")) == (401, "UNAUTHORIZED")
    assert code_of(robot.call("apiKey.list")) == (401, "UNAUTHORIZED")
    assert code_of(robot.call("apiKey.get", query={"id": "any"})) == (401, "UNAUTHORIZED")


def test_what_only_a_server_may_ask_of_the_plugin_is_no_route(ada: Teammate) -> None:
    made = keys(ada, "create", name="ci")
    for outcome in (
        ada.browser.call("apiKey.verify", key=made["key"]),
        ada.browser.call("apiKey.deleteAllExpiredApiKeys"),
    ):
        assert (outcome.data, outcome.error) == (None, NO_ROUTE)


def test_no_store_asks_again_for_what_is_done_with_keys(ada: Teammate) -> None:
    ada.shows(active=ada.does("getOrganization")["id"], organizations=["Ada's Organization"], role="owner")
    paths = set()
    made = ada.browser.call("apiKey.create", name="ci")
    for outcome in (
        made,
        ada.browser.call("apiKey.list"),
        ada.browser.call("apiKey.update", keyId=made.data["id"], name="build"),
        ada.browser.call("apiKey.delete", keyId=made.data["id"]),
        # a question of its own, so that what a store had begun to ask would be here by now
        ada.browser.call("listAccounts"),
        ada.browser.store("useSession", filled=True),
    ):
        paths |= {exchange["path"] for exchange in outcome.exchanges}
    calls = {f"/api/auth/api-key/{name}" for name in ("create", "list", "update", "delete")}
    assert paths == calls | {"/api/auth/list-accounts"}


def test_a_program_with_a_key_is_told_as_its_owner_s_session(ada: Teammate, robot: Application) -> None:
    made = keys(ada, "create", name="ci", expiresIn=MONTH)
    told = by_key(robot, made["key"], "getSession")
    assert told.data == dated(told.raw)
    assert told.data["user"]["email"] == ada.email
    session = told.data["session"]
    assert (session["id"], session["token"], session["userId"]) == (made["id"], made["id"], ada.user_id)
    assert session["expiresAt"] == made["expiresAt"]
    assert robot.call("getSession").data is None
    assert keys(ada, "get", query={"id": made["id"]})["lastRequest"] >= made["createdAt"]


def test_a_program_with_a_key_works_in_its_owner_s_organizations(
    ada: Teammate, bo: Teammate, acme: str, robot: Application
) -> None:
    ada.takes_in(bo)
    key = keys(ada, "create", name="ci")["key"]
    listed = by_key(robot, key, "organization.list")
    assert listed.data == dated(listed.raw)
    assert {one["name"] for one in listed.data} == {"Ada's Organization", "Acme"}
    members = by_key(robot, key, "organization.listMembers", query={"organizationId": acme}).data["members"]
    assert {member["user"]["name"] for member in members} == {"Ada", "Bo"}
    guest = new_email()
    invited = by_key(robot, key, "organization.inviteMember", email=guest, role="member", organizationId=acme)
    assert (invited.data["email"], invited.data["inviterId"]) == (guest, ada.user_id)
    assert [one["email"] for one in ada.does("listInvitations") if one["status"] == "pending"] == [guest]
    founded = by_key(robot, key, "organization.create", name="By key", slug=new_slug())
    assert founded.data["members"][0]["userId"] == ada.user_id
    assert by_key(robot, key, "updateUser", name="Ada King").data == {"status": True}
    assert ada.browser.call("getSession").data["user"]["name"] == "Ada King"


def test_what_a_key_may_not_is_an_error_with_a_code(ada: Teammate, acme: str, robot: Application) -> None:
    key = keys(ada, "create", name="ci")["key"]
    reading = keys(ada, "create", name="reads", scopes=["read"])["key"]
    for call, arguments in {
        "organization.setActive": {"organizationId": acme},
        "organization.delete": {"organizationId": acme},
        "apiKey.create": {"name": "another"},
        "apiKey.list": {},
        "listSessions": {},
        "revokeSessions": {},
        "changePassword": {"currentPassword": "a", "newPassword": "b"},
        "signOut": {},
    }.items():
        assert code_of(by_key(robot, key, call, **arguments)) == (403, "API_KEY_NOT_ALLOWED"), call
    update = {"organizationId": acme, "data": {"name": "Taken"}}
    assert code_of(by_key(robot, reading, "organization.update", **update)) == (403, "API_KEY_SCOPE_MISSING")
    assert by_key(robot, key, "organization.update", **update).data["name"] == "Taken"


def test_a_key_that_is_no_good_is_an_error_as_the_client_knows_it(ada: Teammate, robot: Application) -> None:
    made = keys(ada, "create", name="ci")
    keys(ada, "update", keyId=made["id"], enabled=False)
    told = {
        key: ada.told_no(by_key(robot, key, "getSession")) for key in (made["key"], made["key"].swapcase(), "too short")
    }
    assert list(told.values()) == [(401, "KEY_DISABLED"), (401, "INVALID_API_KEY"), (403, "INVALID_API_KEY")]
    assert ada.told_no(by_key(robot, made["key"], "organization.list")) == (401, "KEY_DISABLED")


def test_a_key_does_without_an_origin_where_there_is_no_browser(
    ada: Teammate, acme: str, javascript: JavaScript
) -> None:
    key = keys(ada, "create", name="ci")["key"]
    url = f"{javascript.base_url}/api/auth/organization/update"
    body = {"organizationId": acme, "data": {"name": "From a script"}}
    assert httpx.post(url, json=body, headers={"x-api-key": key}).json()["name"] == "From a script"
