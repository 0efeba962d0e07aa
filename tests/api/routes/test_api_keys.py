"""A person's API keys: made, seen, changed and ended (wire-keys.md; wire-keys B1, B2)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.conftest import HandClock
from tests.api.routes.fellows import NO_ID, Person
from tests.api.routes.programs import Program, made, program

DAY = 86_400
FORM = re.compile(r"day_[0-9A-Za-z]{70}")
WRONG_NAME = (400, "INVALID_NAME_LENGTH")
NOT_FOUND = (404, "KEY_NOT_FOUND")


def keys(person: Person, query: str = "") -> Any:
    answer = person.get(f"/api-key/list{query}")
    assert answer.status == 200, answer.content
    return answer.json()


def names(person: Person, query: str = "") -> list[str]:
    return [key["name"] for key in keys(person, query)["apiKeys"]]


def update(person: Person, key: Any, **fields: object) -> Any:
    answer = person.post("/api-key/update", {"keyId": key["id"], **fields})
    return answer.json() if answer.status == 200 else answer.problem


def test_a_key_is_shown_this_once_with_everything_the_contract_says(ada: Person) -> None:
    key = made(ada, metadata={"team": "web"})
    assert FORM.fullmatch(key["key"])
    assert key == {
        "id": key["id"],
        "configId": "default",
        "referenceId": ada.user_id,
        "name": "deploy",
        "start": key["key"][:10],
        "prefix": None,
        "key": key["key"],
        "enabled": True,
        "scopes": None,
        "organizationOnly": None,
        "metadata": {"team": "web"},
        "permissions": None,
        "expiresAt": None,
        "createdAt": "2026-03-14T12:00:00.000Z",
        "updatedAt": "2026-03-14T12:00:00.000Z",
        "lastRequest": None,
        "lastIpAddress": "",
        "lastLocation": "",
        "lastDevice": "",
        "rateLimitEnabled": False,
        "rateLimitTimeWindow": None,
        "rateLimitMax": None,
        "requestCount": 0,
        "remaining": None,
        "refillAmount": None,
        "refillInterval": None,
        "lastRefillAt": None,
    }
    del key["key"]
    assert ada.get(f"/api-key/get?id={key['id']}").json() == key
    assert keys(ada) == {"apiKeys": [key], "total": 1}


def test_nobody_sees_or_ends_the_keys_of_others(ada: Person, bo: Person) -> None:
    key = made(ada)
    assert bo.get(f"/api-key/get?id={key['id']}").problem == NOT_FOUND
    assert bo.post("/api-key/delete", {"keyId": key["id"]}).problem == NOT_FOUND
    assert bo.post("/api-key/rotate", {"keyId": key["id"]}).problem == NOT_FOUND
    assert update(bo, key, name="mine") == NOT_FOUND
    assert keys(bo) == {"apiKeys": [], "total": 0}
    assert keys(ada)["total"] == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, WRONG_NAME),
        ({"name": "x" * 33}, WRONG_NAME),
        ({"name": "😀" * 17}, WRONG_NAME),
        ({"name": 5}, (400, "VALIDATION_ERROR")),
        ({"prefix": "p" * 33}, (400, "INVALID_PREFIX_LENGTH")),
        ({"prefix": ""}, (400, "VALIDATION_ERROR")),
        ({"prefix": "no blank"}, (400, "VALIDATION_ERROR")),
        ({"prefix": "line\n"}, (400, "VALIDATION_ERROR")),
        ({"expiresIn": 0.5}, (400, "VALIDATION_ERROR")),
        ({"expiresIn": "3600"}, (400, "VALIDATION_ERROR")),
        ({"expiresIn": DAY - 1}, (400, "EXPIRES_IN_IS_TOO_SMALL")),
        ({"expiresIn": 365 * DAY + 1}, (400, "EXPIRES_IN_IS_TOO_LARGE")),
        ({"expiresIn": 1e300}, (400, "EXPIRES_IN_IS_TOO_LARGE")),
        ({"metadata": "text"}, (400, "INVALID_METADATA_TYPE")),
        ({"metadata": 0}, (400, "INVALID_METADATA_TYPE")),
        ({"metadata": False}, (400, "INVALID_METADATA_TYPE")),
        ({"metadata": {"long": "x" * 10_000}}, (400, "VALIDATION_ERROR")),
        ({"remaining": 5}, (400, "SERVER_ONLY_PROPERTY")),
        ({"permissions": {"a": ["b"]}}, (400, "SERVER_ONLY_PROPERTY")),
        ({"rateLimitEnabled": False}, (400, "SERVER_ONLY_PROPERTY")),
        ({"userId": "anybody"}, (401, "UNAUTHORIZED_SESSION")),
        ({"configId": "organizatoin"}, (400, "UNKNOWN_KEY_CONFIGURATION")),
        ({"configId": "organization"}, (400, "UNKNOWN_KEY_CONFIGURATION")),
        ({"scopes": []}, (400, "UNKNOWN_SCOPE")),
        ({"scopes": ["read", "everything"]}, (400, "UNKNOWN_SCOPE")),
        ({"scopes": ["organization:delete"]}, (400, "UNKNOWN_SCOPE")),
        ({"scopes": "read"}, (400, "VALIDATION_ERROR")),
        ({"organizationOnly": NO_ID}, (403, "USER_NOT_MEMBER_OF_ORGANIZATION")),
        ({"organizationOnly": "no id"}, (403, "USER_NOT_MEMBER_OF_ORGANIZATION")),
    ],
    ids=str,
)
def test_what_a_key_may_not_be_is_refused_and_none_is_made(
    ada: Person, fields: dict[str, object], problem: tuple[int, str]
) -> None:
    assert ada.post("/api-key/create", {"name": "deploy", **fields}).problem == problem
    assert keys(ada)["total"] == 0


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"name": None}, {"name": None}),
        ({"name": "😀" * 16}, {"name": "😀" * 16}),
        ({"name": "  "}, {"name": "  "}),
        ({"expiresIn": DAY}, {"expiresAt": "2026-03-15T12:00:00.000Z"}),
        ({"expiresIn": 90 * DAY + 0.5}, {"expiresAt": "2026-06-12T12:00:00.500Z"}),
        ({"expiresIn": 365 * DAY}, {"expiresAt": "2027-03-14T12:00:00.000Z"}),
        ({"metadata": ["a", 1]}, {"metadata": ["a", 1]}),
        ({"metadata": {}}, {"metadata": {}}),
        ({"remaining": None}, {"remaining": None}),
        ({"configId": ""}, {"configId": "default"}),
        ({"id": "mine", "key": "mine", "enabled": False}, {"enabled": True}),
        ({"scopes": ["member:update", "read"]}, {"scopes": ["read", "member:update"]}),
    ],
    ids=str,
)
def test_what_a_key_may_be(ada: Person, fields: dict[str, object], shown: dict[str, object]) -> None:
    key = made(ada, **fields)
    assert {name: key[name] for name in shown} == shown


def test_a_prefix_stands_in_front_of_key_and_start(ada: Person) -> None:
    key = made(ada, prefix="ci-")
    assert key["key"].startswith("ci-day_")
    assert key["start"] == key["key"][:13]
    assert Program(ada.url, key["key"]).session()["user"]["id"] == ada.user_id


def test_who_is_signed_out_is_told_so_by_each_call_in_its_own_words(ada: Person) -> None:
    key = made(ada)
    ada.cookies.clear()
    assert ada.post("/api-key/create", {}).problem == (401, "UNAUTHORIZED_SESSION")
    assert ada.post("/api-key/update", {"keyId": key["id"], "name": "x"}).problem == (401, "UNAUTHORIZED_SESSION")
    assert ada.post("/api-key/delete", {"keyId": key["id"]}).problem == (401, "UNAUTHORIZED")
    assert ada.get("/api-key/list").problem == (401, "UNAUTHORIZED")
    assert ada.get(f"/api-key/get?id={key['id']}").problem == (401, "UNAUTHORIZED")


def test_the_list_is_whole_or_a_page_in_the_order_that_is_asked_for(ada: Person, clock: HandClock) -> None:
    for name in ("b", "a", "c"):
        clock.wind(minutes=1)
        made(ada, name=name, **({"expiresIn": DAY} if name == "b" else {}))
    assert names(ada) == ["b", "a", "c"]
    assert names(ada, "?sortBy=name") == ["a", "b", "c"]
    assert names(ada, "?sortBy=name&sortDirection=desc") == ["c", "b", "a"]
    assert names(ada, "?sortBy=expiresAt") == ["a", "c", "b"]
    page = keys(ada, "?limit=1e0&offset=1")
    assert ([key["name"] for key in page["apiKeys"]], page["total"], page["limit"], page["offset"]) == (["a"], 3, 1, 1)
    assert keys(ada, "?limit=") == {"apiKeys": [], "total": 3, "limit": 0}
    assert keys(ada, "?organizationId=") == {"apiKeys": [], "total": 0}
    assert keys(ada, "?configId=organization") == {"apiKeys": [], "total": 0}
    for query in ("sortBy=keyHash", "sortDirection=", "limit=-1", "offset=1.5", "limit=ten", "limit=1&limit=2"):
        assert ada.get(f"/api-key/list?{query}").problem == (400, "VALIDATION_ERROR"), query


def test_more_keys_than_a_page_of_others_are_listed_and_counted(ada: Person) -> None:
    for number in range(105):
        made(ada, name=str(number))
    assert (len(keys(ada)["apiKeys"]), keys(ada)["total"]) == (105, 105)


def test_a_key_is_renamed_and_its_other_fields_stay(ada: Person, clock: HandClock) -> None:
    key = made(ada, metadata={"a": 1}, expiresIn=DAY)
    clock.wind(hours=1)
    renamed = update(ada, key, name="build", prefix="ignored")
    del key["key"]
    assert renamed == key | {"name": "build", "updatedAt": "2026-03-14T13:00:00.000Z"}
    assert update(ada, key, metadata=None)["metadata"] is None
    assert update(ada, key, expiresIn=2 * DAY)["expiresAt"] == "2026-03-16T13:00:00.000Z"
    assert update(ada, key, expiresIn=None)["expiresAt"] is None
    assert update(ada, key) == (400, "NO_VALUES_TO_UPDATE")
    assert update(ada, key, name="") == WRONG_NAME
    assert update(ada, key, name=None) == (400, "VALIDATION_ERROR")
    assert update(ada, key, permissions=None) == (400, "SERVER_ONLY_PROPERTY")
    assert update(ada, {"id": NO_ID}, name="x") == NOT_FOUND
    assert update(ada, {"id": "no id"}, name="x") == NOT_FOUND


def test_a_disabled_key_lets_nobody_in_until_it_is_enabled(ada: Person) -> None:
    key = made(ada)
    deploy = Program(ada.url, key["key"])
    assert update(ada, key, enabled=False)["enabled"] is False
    assert deploy.get("/organization/list").problem == (401, "KEY_DISABLED")
    assert update(ada, key, enabled=True)["enabled"] is True
    assert deploy.get("/organization/list").status == 200


def test_a_deleted_key_is_dead_with_the_answer_and_listed_no_more(ada: Person) -> None:
    key = made(ada)
    deploy = Program(ada.url, key["key"])
    assert ada.post("/api-key/delete", {"keyId": key["id"]}).json() == {"success": True}
    assert deploy.get("/get-session").problem == (401, "INVALID_API_KEY")
    assert ada.post("/api-key/delete", {"keyId": key["id"]}).problem == NOT_FOUND
    assert ada.get(f"/api-key/get?id={key['id']}").problem == NOT_FOUND
    assert keys(ada)["total"] == 0


def test_a_key_that_has_run_out_says_so_for_as_long_as_it_is_there(ada: Person, clock: HandClock) -> None:
    key = made(ada, expiresIn=DAY)
    deploy = Program(ada.url, key["key"])
    clock.wind(seconds=DAY - 1)
    assert deploy.get("/organization/list").status == 200
    clock.wind(seconds=1)
    for _ in range(2):
        assert deploy.get("/organization/list").problem == (401, "KEY_EXPIRED")
    assert [one["id"] for one in keys(ada)["apiKeys"]] == [key["id"]]
    assert update(ada, key, expiresIn=DAY)["expiresAt"] == "2026-03-16T12:00:00.000Z"
    assert deploy.get("/organization/list").status == 200


def test_a_key_is_made_anew_and_the_old_one_is_good_for_as_long_as_is_said(ada: Person, clock: HandClock) -> None:
    old = made(ada, prefix="ci_", metadata={"a": 1}, scopes=["read"], expiresIn=30 * DAY, organizationOnly=ada.own)
    clock.wind(days=5)
    new = ada.post("/api-key/rotate", {"keyId": old["id"], "expireOldIn": 3600}).json()
    assert new["key"] != old["key"]
    alike = ("name", "prefix", "metadata", "scopes", "organizationOnly", "referenceId")
    assert {name: new[name] for name in alike} == {name: old[name] for name in alike}
    assert new["expiresAt"] == "2026-04-18T12:00:00.000Z"
    before, after = Program(ada.url, old["key"]), Program(ada.url, new["key"])
    assert (before.get("/organization/list").status, after.get("/organization/list").status) == (200, 200)
    assert ada.post("/api-key/rotate", {"keyId": old["id"]}).problem == (400, "KEY_ALREADY_ROTATED")
    clock.wind(seconds=3600)
    assert before.get("/organization/list").problem == (401, "KEY_EXPIRED")
    assert after.get("/organization/list").status == 200


def test_a_key_that_is_made_anew_takes_the_old_one_s_place_at_once_unless_something_else_is_said(ada: Person) -> None:
    old = made(ada)
    new = ada.post("/api-key/rotate", {"keyId": old["id"]}).json()
    assert Program(ada.url, old["key"]).get("/organization/list").problem == (401, "KEY_EXPIRED")
    assert Program(ada.url, new["key"]).get("/organization/list").status == 200


def test_no_key_is_made_anew_for_longer_than_the_settings_allow(ada: Person, clock: HandClock) -> None:
    old = made(ada, expiresIn=365 * DAY)
    clock.wind(days=300)
    ada.sign_in(ada.email)
    assert update(ada, old, expiresIn=365 * DAY)["expiresAt"] == "2028-01-08T12:00:00.000Z"
    new = ada.post("/api-key/rotate", {"keyId": old["id"]}).json()
    assert new["expiresAt"] == "2028-01-08T12:00:00.000Z"


def test_what_was_made_anew_is_not_brought_back_and_what_was_disabled_stays_so(ada: Person) -> None:
    old = made(ada)
    assert ada.post("/api-key/rotate", {"keyId": old["id"]}).status == 200
    assert update(ada, old, expiresIn=None) == (400, "KEY_ALREADY_ROTATED")
    assert Program(ada.url, old["key"]).get("/organization/list").problem == (401, "KEY_EXPIRED")
    disabled = made(ada)
    update(ada, disabled, enabled=False)
    new = ada.post("/api-key/rotate", {"keyId": disabled["id"]}).json()
    assert new["enabled"] is False
    assert Program(ada.url, new["key"]).get("/organization/list").problem == (401, "KEY_DISABLED")


@pytest.mark.parametrize("text", ["{}", " {}\n", "DAYBOOK_KEY={}", "x-api-key: {} found", "token_{}"])
def test_a_key_is_found_in_what_is_reported(ada: Person, text: str) -> None:
    key = made(ada, prefix="ci-")
    assert ada.post("/api-key/report", {"key": text.format(key["key"])}).json() == {"success": True}
    assert Program(ada.url, key["key"]).get("/organization/list").problem == (401, "INVALID_API_KEY")


def test_all_keys_end_at_once_and_new_ones_can_be_made(ada: Person, bo: Person) -> None:
    first, second, bos = program(ada), program(ada), program(bo)
    assert ada.post("/api-key/revoke-all", {}).json() == {"success": True}
    assert [one.get("/organization/list").status for one in (first, second, bos)] == [401, 401, 200]
    assert keys(ada)["total"] == 0
    assert program(ada).get("/organization/list").status == 200


def test_whoever_finds_a_key_can_end_it_and_learns_nothing(ada: Person, bo: Person) -> None:
    key = made(ada)
    bo.cookies.clear()
    answers = [
        bo.post("/api-key/report", {"key": text}).json()
        for text in (key["key"], key["key"], "day_" + "0" * 70, "anything", "")
    ]
    assert answers == [{"success": True}] * 5
    assert Program(ada.url, key["key"]).get("/organization/list").problem == (401, "INVALID_API_KEY")


def test_a_key_ends_with_its_owner(ada: Person) -> None:
    deploy = program(ada)
    assert ada.post("/delete-user", {}).status == 200
    assert deploy.get("/get-session").problem == (401, "INVALID_API_KEY")


def test_signing_out_and_another_password_leave_keys_alone(ada: Person) -> None:
    deploy = program(ada)
    changed = {"currentPassword": "correct horse 1", "newPassword": "battery staple 2", "revokeOtherSessions": True}
    assert ada.post("/change-password", changed).status == 200
    assert ada.post("/revoke-sessions", {}).status == 200
    assert deploy.get("/organization/list").status == 200


def test_another_password_ends_keys_if_that_is_asked_for(ada: Person) -> None:
    deploy = program(ada)
    changed = {"currentPassword": "correct horse 1", "newPassword": "battery staple 2", "revokeApiKeys": True}
    assert ada.post("/change-password", changed).status == 200
    assert deploy.get("/organization/list").problem == (401, "INVALID_API_KEY")


def test_when_and_from_where_a_key_was_last_used_is_told(ada: Person, clock: HandClock) -> None:
    key = made(ada)
    clock.wind(minutes=5)
    Program(ada.url, key["key"]).session()
    [listed] = keys(ada)["apiKeys"]
    told = {name: listed[name] for name in ("lastRequest", "lastIpAddress", "lastDevice", "updatedAt")}
    assert told == {
        "lastRequest": "2026-03-14T12:05:00.000Z",
        "lastIpAddress": "127.0.0.1",
        "lastDevice": "curl 8",
        "updatedAt": "2026-03-14T12:00:00.000Z",
    }
    clock.wind(minutes=5)
    Program(ada.url, key["key"]).session()
    assert keys(ada)["apiKeys"][0]["lastRequest"] == "2026-03-14T12:10:00.000Z"
