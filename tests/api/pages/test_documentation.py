"""/openapi.json as other programs take it: valid, with names that stay and an example of every answer.

`tests/clients` generates clients from it (wire.md, "Ours").
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.edge.downloads import MEDIA_TYPES
from api.edge.session_schemes import SESSION_NEEDED, SESSION_USED, by_key
from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application

OPERATIONS = {
    "signUpEmail": "POST /api/auth/sign-up/email",
    "signInEmail": "POST /api/auth/sign-in/email",
    "signOut": "POST /api/auth/sign-out",
    "getSession": "GET /api/auth/get-session",
    "getSessionDeferred": "POST /api/auth/get-session",
    "listSessions": "GET /api/auth/list-sessions",
    "revokeSession": "POST /api/auth/revoke-session",
    "revokeSessions": "POST /api/auth/revoke-sessions",
    "revokeOtherSessions": "POST /api/auth/revoke-other-sessions",
    "updateSession": "POST /api/auth/update-session",
    "changePassword": "POST /api/auth/change-password",
    "verifyPassword": "POST /api/auth/verify-password",
    "confirmDeletion": "GET /api/auth/delete-user/callback",
    "requestPasswordReset": "POST /api/auth/request-password-reset",
    "openResetLink": "GET /api/auth/reset-password/{token}",
    "resetPassword": "POST /api/auth/reset-password",
    "sendVerificationEmail": "POST /api/auth/send-verification-email",
    "verifyEmail": "GET /api/auth/verify-email",
    "changeEmail": "POST /api/auth/change-email",
    "updateUser": "POST /api/auth/update-user",
    "deleteUser": "POST /api/auth/delete-user",
    "listAccounts": "GET /api/auth/list-accounts",
    "createOrganization": "POST /api/auth/organization/create",
    "checkOrganizationSlug": "POST /api/auth/organization/check-slug",
    "updateOrganization": "POST /api/auth/organization/update",
    "deleteOrganization": "POST /api/auth/organization/delete",
    "setActiveOrganization": "POST /api/auth/organization/set-active",
    "getOrganization": "GET /api/auth/organization/get-organization",
    "getFullOrganization": "GET /api/auth/organization/get-full-organization",
    "listOrganizations": "GET /api/auth/organization/list",
    "listMembers": "GET /api/auth/organization/list-members",
    "getActiveMember": "GET /api/auth/organization/get-active-member",
    "getActiveMemberRole": "GET /api/auth/organization/get-active-member-role",
    "hasPermission": "POST /api/auth/organization/has-permission",
    "updateMemberRole": "POST /api/auth/organization/update-member-role",
    "removeMember": "POST /api/auth/organization/remove-member",
    "leaveOrganization": "POST /api/auth/organization/leave",
    "transferOwnership": "POST /api/auth/organization/transfer-ownership",
    "inviteMember": "POST /api/auth/organization/invite-member",
    "cancelInvitation": "POST /api/auth/organization/cancel-invitation",
    "listInvitations": "GET /api/auth/organization/list-invitations",
    "acceptInvitation": "POST /api/auth/organization/accept-invitation",
    "rejectInvitation": "POST /api/auth/organization/reject-invitation",
    "getInvitation": "GET /api/auth/organization/get-invitation",
    "listUserInvitations": "GET /api/auth/organization/list-user-invitations",
    "checkInvitation": "GET /api/auth/invitation/check",
    "listActivity": "GET /api/auth/activity/list",
    "createApiKey": "POST /api/auth/api-key/create",
    "getApiKey": "GET /api/auth/api-key/get",
    "listApiKeys": "GET /api/auth/api-key/list",
    "updateApiKey": "POST /api/auth/api-key/update",
    "deleteApiKey": "POST /api/auth/api-key/delete",
    "rotateApiKey": "POST /api/auth/api-key/rotate",
    "revokeApiKeys": "POST /api/auth/api-key/revoke-all",
    "reportApiKey": "POST /api/auth/api-key/report",
    "listOrganizationActivity": "GET /api/auth/organization/activity",
    "getPicture": "GET /api/auth/picture/{link}",
    "ok": "GET /api/auth/ok",
    "errorPage": "GET /api/auth/error",
    "healthz": "GET /healthz",
    "readyz": "GET /readyz",
    "metrics": "GET /metrics",
}
"""Generated clients name their functions by these: they stay as they are, and a new route gets a new one."""

NEEDED = (SESSION_NEEDED["security"], by_key("")["security"])
"""Of operations that nobody is let in to without a session, or an API key."""
OPEN = {
    "reportApiKey",
    "signUpEmail", "signInEmail", "getSessionDeferred", "checkInvitation", "getPicture", "ok", "errorPage", "healthz",
    "readyz", "metrics", "requestPasswordReset", "openResetLink", "resetPassword", "verifyEmail",
}  # fmt: skip
TRAIL = f"{BASE}/organization/activity"


@pytest.fixture(scope="module")
def document(url: str) -> Any:
    return Browser(url).ask("GET", "/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document: Any) -> dict[str, Any]:
    """Every operation by its id."""
    return {entry["operationId"]: entry for methods in document["paths"].values() for entry in methods.values()}


def everywhere(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a document, with where it stands."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from everywhere(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from everywhere(inner, f"{path}/{number}")


def problems(document: Any, schema: Any, example: Any) -> list[str]:
    """What a validator has against an example; formats count."""
    whole = {**schema, "components": document["components"]}
    validator = OAS31Validator(whole, format_checker=oas31_format_checker)
    return [error.message for error in validator.iter_errors(example)]


def test_a_validator_has_nothing_against_it(document: Any) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_ids_of_operations_are_these(document: Any) -> None:
    found = {
        entry["operationId"]: f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    }
    assert found == OPERATIONS


def test_every_answer_has_an_example_that_its_schema_allows(document: Any, operations: dict[str, Any]) -> None:
    seen = 0
    for name, operation in operations.items():
        for status, response in operation["responses"].items():
            for kind, described in response.get("content", {}).items():
                named = [example["value"] for example in described.get("examples", {}).values()]
                examples = named or [described["example"]]
                for example in examples:
                    assert problems(document, described["schema"], example) == [], (name, status, kind)
                    seen += 1
    assert seen > 400


@pytest.mark.parametrize(
    ("sent", "media_type", "code"),
    [
        (b'{"name": "Ada", "email": "ada", "password": "correct horse 1"}', "application/json", "VALIDATION_ERROR"),
        (b"{", "application/json", "BAD_REQUEST"),
        (b'{"name": "Ada", "email": "ada@x.io", "password": "short"}', "application/json", "PASSWORD_TOO_SHORT"),
    ],
)
def test_an_example_of_a_refusal_is_what_is_sent(
    browser: Browser, operations: dict[str, Any], sent: bytes, media_type: str, code: str
) -> None:
    refused = browser.ask("POST", f"{BASE}/sign-up/email", sent, {"Content-Type": media_type})
    described = operations["signUpEmail"]["responses"][str(refused.status)]["content"]["application/json"]
    assert described["examples"][code]["value"] == refused.json()


def test_every_body_has_an_example_that_its_schema_allows(document: Any, operations: dict[str, Any]) -> None:
    bodies = [(name, operation["requestBody"]) for name, operation in operations.items() if "requestBody" in operation]
    assert len(bodies) > 20
    for name, body in bodies:
        for kind, described in body["content"].items():
            assert problems(document, described["schema"], described["example"]) == [], (name, kind)


def test_an_answer_without_a_body_says_so(operations: dict[str, Any]) -> None:
    silent = {
        (name, status)
        for name, operation in operations.items()
        for status, response in operation["responses"].items()
        if "content" not in response
    }
    # a head is too large before anybody knows which route it asks for; health is no part of the contract
    assert {name for name, status in silent if status == "431"} >= {"getSession", "signUpEmail", "listMembers"}
    assert {(name, status) for name, status in silent if status != "431"} == {
        ("errorPage", "302"),
        ("getPicture", "304"),
        ("getPicture", "404"),
        ("metrics", "503"),
        ("openResetLink", "302"),
        ("verifyEmail", "302"),
        ("confirmDeletion", "302"),
    }
    # that of a bad API key has one
    for name, status in (("updateMemberRole", "400"), ("createOrganization", "401"), ("deleteOrganization", "401")):
        refused = operations[name]["responses"][status]
        assert "an empty body" in refused["description"]
        assert refused["x-may-be-empty"] is True


def test_nothing_that_may_be_left_out_has_a_default_that_stands_for_that(document: Any) -> None:
    defaults = {path: one["default"] for path, one in everywhere(document) if "default" in one}
    assert not {"", None} & set(defaults.values())
    # a generated client takes a field with a default for one that is always there
    assert [path for path in defaults if not re.search(r"/parameters/\d+/schema$", path)] == []
    assert {50, "json", "createdAt", "asc", "eq", 0} == set(defaults.values())


def test_no_parameter_can_be_null(operations: dict[str, Any]) -> None:
    for name, operation in operations.items():
        for parameter in operation.get("parameters", []):
            assert "null" not in json.dumps(parameter["schema"]), (name, parameter["name"])


def test_the_session_is_asked_for_where_it_is_needed(document: Any, operations: dict[str, Any]) -> None:
    assert "security" not in document
    asked = {name: operation.get("security") for name, operation in operations.items()}
    assert {name for name, security in asked.items() if security is None} == OPEN
    assert asked["getSession"] == [*SESSION_USED["security"], {"apiKey": []}]
    assert {name for name, security in asked.items() if security == SESSION_USED["security"]} == {
        "signOut",
        "sendVerificationEmail",
        "confirmDeletion",
    }
    needed = {name for name, security in asked.items() if security in NEEDED}
    assert needed == set(OPERATIONS) - OPEN - {"getSession", "signOut", "sendVerificationEmail", "confirmDeletion"}


def test_where_it_is_needed_nobody_is_let_in_without_one(
    browser: Browser, document: Any, operations: dict[str, Any]
) -> None:
    for name, operation in operations.items():
        method, path = OPERATIONS[name].split(" ")
        if not path.startswith(BASE) or name in ("errorPage", "updateSession"):
            continue
        contents = list(operation.get("requestBody", {"content": {}})["content"].values())
        path = (
            f"{path}?id=6d0a3bd1c2f94e5f8a7b9c0d1e2f3041"
            if ("nvitation" in name or name == "getApiKey") and method == "GET"
            else path
        )
        sent = json.dumps(contents[0]["example"]).encode() if contents else None
        answer = browser.ask(method, path, sent, {"Content-Type": "application/json"})
        let_in = operation.get("security") not in NEEDED
        told = answer.status == 401 or b"Missing session headers" in answer.content
        assert told != let_in, (name, answer.content)


def test_the_cookie_is_called_as_the_settings_have_it(database: Database, clock: HandClock) -> None:
    settings = settings_for(database, cookie_prefix="acme", base_url="https://accounts.example.com")
    with application(settings, clock) as url:
        document = Browser(url).ask("GET", "/openapi.json").json()
    assert document["components"]["securitySchemes"]["cookie"]["name"] == "__Secure-acme.session_token"
    assert [server["url"] for server in document["servers"]] == ["/", "https://accounts.example.com"]


def test_where_it_is_not_told_what_its_address_is_it_is_where_the_document_comes_from(document: Any) -> None:
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_moments_addresses_ids_and_passwords_have_their_forms_and_bounds(document: Any) -> None:
    schemas = document["components"]["schemas"]
    moments = [
        (name, field, described)
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if field.endswith("At") or field in ("at", "since")
    ]
    assert len(moments) > 20
    assert [(name, field) for name, field, described in moments if not _is_moment(described)] == []
    assert schemas["User"]["properties"]["id"]["pattern"] == "^[0-9a-f]{32}$"
    sign_up, change = schemas["SignUp"]["properties"], schemas["ChangePassword"]["properties"]
    assert sign_up["email"]["format"] == schemas["SignIn"]["properties"]["email"]["format"] == "email"
    # an address that was accepted may have a local part of 65 characters, which strict validators of that format refuse
    assert schemas["User"]["properties"]["email"]["pattern"] == sign_up["email"]["pattern"]
    for set_anew in (sign_up["password"], change["newPassword"]):
        assert (set_anew["minLength"], set_anew["maxLength"], set_anew["format"]) == (8, 128, "password")
    assert "minLength" not in change["currentPassword"]
    assert (sign_up["email"]["maxLength"], sign_up["name"]["maxLength"]) == (254, 200)


def _is_moment(described: Any) -> bool:
    """A moment, or none."""
    kinds = [one for one in described.get("anyOf", [described]) if one.get("type") != "null"]
    return all(one.get("format") == "date-time" for one in kinds)


def test_the_bounds_are_those_of_the_validation(browser: Browser, email: str) -> None:
    assert browser.sign_up(email, name="a" * 201).problem == (400, "VALIDATION_ERROR")
    assert browser.sign_up(email, name="a" * 200, password="a" * 129).problem == (400, "PASSWORD_TOO_LONG")
    assert browser.sign_up(email, name="a" * 200, password="a" * 7).problem == (400, "PASSWORD_TOO_SHORT")
    assert browser.sign_up(f"{'a' * (250 - len('@x.io'))}@x.io", password="correct horse 1" + "a" * 113).status == 200
    assert browser.sign_up(f"{'a' * (255 - len('@x.io'))}@x.io").problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("address", ["o'k@x.io", "a+b@x.io", "a@x.museum", f"{'a' * 65}@x.io", "A.B@X.IO"])
def test_an_accepted_address_is_one_the_document_allows(document: Any, browser: Browser, address: str) -> None:
    schema = document["components"]["schemas"]["SignUp"]["properties"]["email"]
    assert problems(document, schema, address) == []
    assert browser.sign_up(address).status == 200


@pytest.mark.parametrize("address", [
    "a@b", "a@b.c", "ü@x.io", "a@ü.io", "a!b@x.io", '"a"@x.io', "a@127.0.0.1", "a@x_y.io", ".a@x.io", "a..b@x.io", "",
])  # fmt: skip
def test_a_refused_address_is_one_the_document_forbids(document: Any, browser: Browser, address: str) -> None:
    schema = document["components"]["schemas"]["SignUp"]["properties"]["email"]
    assert problems(document, schema, address) != []
    assert browser.sign_up(address).problem == (400, "VALIDATION_ERROR")


def test_a_form_is_documented_where_one_is_read(document: Any, browser: Browser, email: str) -> None:
    form = "application/x-www-form-urlencoded"
    reading = {
        path: entry["post"]["requestBody"]["content"][form]["schema"]["$ref"].rpartition("/")[2]
        for path, entry in document["paths"].items()
        if form in entry.get("post", {}).get("requestBody", {}).get("content", {})
    }
    assert reading == {f"{BASE}/sign-up/email": "SignUpForm", f"{BASE}/sign-in/email": "SignInForm"}
    assert "rememberMe" not in document["components"]["schemas"]["SignUpForm"]["properties"]
    fields = f"name=Ada&email={email}&password=correct+horse+1&image=https://example.com/ada.png&callbackURL=/".encode()
    assert browser.ask("POST", f"{BASE}/sign-up/email", fields, {"Content-Type": form}).status == 200


def test_a_picture_is_one_of_four_types_and_so_is_what_may_be_sent(document: Any) -> None:
    described = document["paths"][f"{BASE}/picture/{{link}}"]["get"]
    assert list(described["responses"]["200"]["content"]) == ["image/png", "image/jpeg", "image/webp", "image/gif"]
    [link] = described["parameters"]
    assert (link["name"], link["in"], link["schema"]["pattern"]) == ("link", "path", "^[0-9a-f]{32}$")
    schemas = document["components"]["schemas"]
    for schema, field in (("SignUp", "image"), ("UpdateUser", "image"), ("Create", "logo"), ("Changes", "logo")):
        given = schemas[schema]["properties"][field]
        text = next((one for one in given.get("anyOf", []) if one["type"] == "string"), given)
        assert text["maxLength"] == 204_800
        assert "data:image/png;base64" in (given | text)["description"]


def test_a_page_of_the_trail_has_its_own_type_and_so_have_the_files(document: Any) -> None:
    content = document["paths"][TRAIL]["get"]["responses"]["200"]["content"]
    assert list(content) == ["application/json", *MEDIA_TYPES.values()]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/OrganizationActivityAnswer"}
    fields = list(document["components"]["schemas"]["OrganizationEntry"]["properties"])
    [row] = csv.DictReader(content[MEDIA_TYPES["csv"]]["example"].splitlines())
    assert list(row) == fields
    entry = json.loads(content[MEDIA_TYPES["ndjson"]]["example"])
    assert problems(document, {"$ref": "#/components/schemas/OrganizationEntry"}, entry) == []


def test_docs_begin_with_five_lines(document: Any) -> None:
    lines = document["info"]["description"].splitlines()
    words = [match.group(1) for line in lines if (match := re.match(r"- \*\*(\w+)\*\*", line))]
    assert words == ["Cookie", "Bearer", "Origin", "Errors", "Limits"]
    assert len(lines) == 5
    assert "better-auth.session_token" in lines[0]


def test_no_summary_says_only_what_a_route_is_not(operations: dict[str, Any]) -> None:
    assert [entry["summary"] for entry in operations.values() if "Not in this configuration" in entry["summary"]] == []
    for name in ("getSessionDeferred", "updateSession"):
        assert operations[name]["summary"].startswith("Refuses: ")
        assert "200" not in operations[name]["responses"]
