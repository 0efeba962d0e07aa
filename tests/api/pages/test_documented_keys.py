"""/openapi.json says of every operation how a key is refused there: as it is when one is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.key_format import written
from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import Person
from tests.api.routes.programs import made

OF_KEYS = {"INVALID_API_KEY", "KEY_DISABLED", "KEY_EXPIRED", "API_KEY_NOT_ALLOWED", "API_KEY_SCOPE_MISSING"}
BAD = {
    "too short": (403, "INVALID_API_KEY"),
    "made up": (401, "INVALID_API_KEY"),
    "disabled": (401, "KEY_DISABLED"),
    "run out": (401, "KEY_EXPIRED"),
}
GOOD = ("for everything", "to read", "to cancel invitations")
DAY = 86_400


@pytest.fixture(scope="module")
def operations(url: str) -> dict[str, tuple[str, str, Any]]:
    """Every operation of the contract by its id: method, path, what is said of it."""
    document = Browser(url).ask("GET", "/openapi.json").json()
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(BASE)
    }


@pytest.fixture(scope="module")
def keys(url: str, module_clock: HandClock) -> dict[str, str]:
    """A key of each kind."""
    ada = Person(url, "Ada")
    disabled, run_out = made(ada), made(ada, expiresIn=DAY)
    assert ada.post("/api-key/update", {"keyId": disabled["id"], "enabled": False}).status == 200
    module_clock.wind(days=1)
    scopes = (None, ["read"], ["invitation:cancel"])
    shown = {
        "too short": "short",
        "made up": written("", "0" * 64),
        "disabled": disabled["key"],
        "run out": run_out["key"],
    }
    return shown | {kind: made(ada, scopes=scope)["key"] for kind, scope in zip(GOOD, scopes, strict=True)}


def refused(answer: Answer) -> tuple[int, str | None] | None:
    """How a key was refused; None if it was not."""
    told = answer.problem if answer.status in (401, 403) and answer.content else None
    return told if told is not None and told[1] in OF_KEYS else None


def ask(url: str, method: str, path: str, operation: Any, key: str) -> Answer:
    """By a program, which sends what is given as an example."""
    contents = list(operation.get("requestBody", {"content": {}})["content"].values())
    body = json.dumps(contents[0]["example"] if contents else {}).encode() if method == "POST" else None
    path = path.replace("{link}", "0" * 32).replace("{token}", "0" * 32)
    headers = {"Content-Type": "application/json", "Origin": url, "x-api-key": key}
    return Browser(url).ask(method, path, body, headers)


def said(operation: Any, status: int, code: str | None) -> Any:
    """The answer that stands there for this; None if none does."""
    content = operation["responses"].get(str(status), {}).get("content", {})
    return content.get("application/json", {}).get("examples", {}).get(code, {}).get("value")


@pytest.mark.parametrize("kind", [*BAD, *GOOD])
def test_a_key_is_refused_as_is_said_of_the_operation(
    url: str, operations: dict[str, tuple[str, str, Any]], keys: dict[str, str], kind: str
) -> None:
    for name, (method, path, operation) in operations.items():
        answer = ask(url, method, path, operation, keys[kind])
        told = refused(answer)
        if kind in BAD:
            assert told == BAD[kind], name
        if told is not None:
            assert answer.json() == said(operation, *told), name


def test_a_key_for_everything_is_refused_where_it_is_said_that_none_may_call_it_and_nowhere_else(
    url: str, operations: dict[str, tuple[str, str, Any]], keys: dict[str, str]
) -> None:
    closed = {
        name
        for name, (method, path, operation) in operations.items()
        if refused(ask(url, method, path, operation, keys["for everything"])) == (403, "API_KEY_NOT_ALLOWED")
    }
    told = {name for name, (_, _, operation) in operations.items() if said(operation, 403, "API_KEY_NOT_ALLOWED")}
    # of these some are refused: what is about owners
    some = {"updateMemberRole", "removeMember", "inviteMember", "leaveOrganization", "updateUser"}
    assert told == closed | some
    assert len(closed) > 20


def test_scopes_are_missed_where_one_is_named_and_nowhere_else(
    url: str, operations: dict[str, tuple[str, str, Any]], keys: dict[str, str]
) -> None:
    missed = {
        name
        for kind in GOOD[1:]
        for name, (method, path, operation) in operations.items()
        if refused(ask(url, method, path, operation, keys[kind])) == (403, "API_KEY_SCOPE_MISSING")
    }
    told = {name for name, (_, _, operation) in operations.items() if said(operation, 403, "API_KEY_SCOPE_MISSING")}
    assert told == missed == {name for name, (_, _, one) in operations.items() if "x-api-key-scope" in one}


def test_a_key_in_an_address_is_said_to_be_refused_everywhere(operations: dict[str, tuple[str, str, Any]]) -> None:
    assert [name for name, (_, _, one) in operations.items() if not said(one, 400, "API_KEY_IN_URL")] == []
